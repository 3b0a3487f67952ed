// What customers read of this host's containers: each stream is read from the driver and sent on in batches, no faster than
// its reader takes them. Nothing of it is remembered; a stream that can't be sent for a while is given up.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Stream, StreamBatch } from '../api/agent/contract/stream.ts';
import { streamBatchBytesMax, streamSignMs, streamsMax } from '../api/agent/contract/stream.ts';
import { type LogEnding, type LogLine, logLineLengthMax } from '../model/log.ts';
import { type ServerClient, ServerRefused } from './client.ts';
import type { ContainerDriver } from './container/driver.ts';
import { DriverFailure } from './driver.ts';

/** The first batch goes out soon, also without lines, so that the reader knows that the host is there. */
const firstBatchMs = 50;
const retryEveryMs = 500;
/** By then the server has given the stream up. */
const retryForMs = 30_000;

/** What streams are made of. */
export interface StreamsParts {
  client: Pick<ServerClient, 'sendBatch'>;
  logs: ContainerDriver['logs'];
  logger: { warn(fields: object, message: string): void };
}

/** All that one host sends to readers at present. */
export class Streams {
  readonly #parts: StreamsParts;
  readonly #running = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();

  constructor(parts: StreamsParts) {
    this.#parts = parts;
  }

  /** Begins with the streams that it has not begun with yet. */
  offer(streams: readonly Stream[]): void {
    for (const stream of streams) {
      if (this.#running.has(stream.id) || this.#running.size >= streamsMax || this.#stopping.signal.aborted) continue;
      const sent = this.#send(stream).finally(() => this.#running.delete(stream.id));
      this.#running.set(stream.id, sent);
    }
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  async #send(stream: Stream): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, over.signal]);
    const queue = new LineQueue();
    const reading = this.#read(stream, queue, signal);
    try {
      for (let sequence = 1, waitMs = firstBatchMs; !signal.aborted; sequence += 1, waitMs = streamSignMs) {
        await queue.filled(waitMs, signal);
        const batch = { sequence, ...queue.take() };
        if (!(await this.#deliver(stream.id, batch, signal)) || batch.ending) return;
      }
    } finally {
      over.abort();
      queue.close();
      await reading;
    }
  }

  /** Reads from the driver as fast as the queue takes it. */
  async #read({ instanceId, tail, since, follow }: Stream, queue: LineQueue, signal: AbortSignal): Promise<void> {
    const query = { tail, since: since === null ? null : new Date(since), follow };
    try {
      for await (const line of this.#parts.logs(instanceId, query, signal)) {
        await queue.add(line);
        if (signal.aborted) return;
      }
      queue.end('ended');
    } catch (error) {
      if (signal.aborted) return;
      const isGone = error instanceof DriverFailure;
      if (!isGone) this.#parts.logger.warn({ err: error, instanceId }, "a container's output could not be read");
      queue.end(isGone ? 'gone' : 'unavailable');
    }
  }

  /** Sends a batch until it is taken. @returns whether more is wanted */
  async #deliver(streamId: string, batch: StreamBatch, signal: AbortSignal): Promise<boolean> {
    let giveUpAtMs = performance.now() + retryForMs;
    while (!signal.aborted) {
      try {
        const { wanted, accepted } = await this.#parts.client.sendBatch(streamId, batch, signal);
        if (!wanted || accepted) return wanted;
        giveUpAtMs = performance.now() + retryForMs;
      } catch (error) {
        if (signal.aborted) return false;
        const isRefused = error instanceof ServerRefused && error.status < 500;
        if (isRefused || performance.now() > giveUpAtMs) {
          this.#parts.logger.warn({ err: error, stream: streamId }, 'a stream could not be sent');
          return false;
        }
        await sleep(retryEveryMs, undefined, { signal }).catch(() => {});
      }
    }
    return false;
  }
}

type ContainerLine = StreamBatch['lines'][number];

/** Lines on their way from the driver to the server; who adds to a full queue waits. */
class LineQueue {
  #lines: ContainerLine[] = [];
  #bytes = 0;
  #ending: LogEnding | undefined;
  #isClosed = false;
  #waiting: (() => void)[] = [];

  /** Adds a line and waits until there is room for another. */
  async add({ timestamp, stream, line }: LogLine): Promise<void> {
    if (stream === 'system') return;
    const added: ContainerLine = { timestamp, stream, line: line.slice(0, logLineLengthMax) };
    this.#lines.push(added);
    this.#bytes += Buffer.byteLength(JSON.stringify(added));
    this.#changed();
    while (this.#bytes >= streamBatchBytesMax && !this.#isClosed) await this.#change();
  }

  /** No more lines come. */
  end(ending: LogEnding): void {
    this.#ending = ending;
    this.#changed();
  }

  /** Nobody takes lines any more; who waits to add one does not wait any longer. */
  close(): void {
    this.#isClosed = true;
    this.#changed();
  }

  /** Resolves when there is something to take, after `timeoutMs`, or when `signal` aborts. */
  async filled(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const bound = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const stop = () => this.#changed();
    bound.addEventListener('abort', stop);
    while (this.#lines.length === 0 && !this.#ending && !bound.aborted) await this.#change();
    bound.removeEventListener('abort', stop);
  }

  /** Takes out all there is. */
  take(): Pick<StreamBatch, 'lines' | 'ending'> {
    const lines = this.#lines;
    [this.#lines, this.#bytes] = [[], 0];
    this.#changed();
    return { lines, ...(this.#ending ? { ending: this.#ending } : {}) };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
