// Instances with waiting for what becomes of them, told by the event stream, so that nobody has to ask all the time; and with their doors.

import { Door, type DoorOptions, openDoor, TerminalDoor } from './doors.ts';
import { AccessError, BerthError, ConnectionError, TimeUpError } from './error.ts';
import type { Feed } from './feed.ts';
import { InstancesApi } from './generated/resources.ts';
import type { Instance, LogLine } from './generated/types.ts';
import { errorOfResponse, type Options, pause, type Transport } from './transport.ts';

/** How long is waited. */
export interface UntilOptions extends Options {
  /** 10 minutes unless given: a first image may have to be fetched. */
  timeoutMs?: number;
}

/** What has become of an instance is not what was waited for, and won't be. */
export class UnreachableError extends BerthError {
  readonly instance: Instance;

  constructor(instance: Instance, wanted: string) {
    const why = instance.statusReason ? `: ${instance.statusReason}` : '';
    super(`Instance ${instance.name} is ${instance.status} and won't be ${wanted}${why}.`);
    this.instance = instance;
  }
}

type Status = Instance['status'];

const untilMsDefault = 10 * 60_000;
/** Who may not read the stream asks this often. */
const askEveryMs = 1_000;
/** Beside the stream, in case that a change is in no event. */
const lookEveryMs = 15_000;

/** From these nothing comes back to running by itself. */
const ends: ReadonlySet<Status> = new Set(['failed', 'terminated', 'deleting', 'deleted']);

/** In a browser, where the page is: its client may have been told nothing of where Berth is but a path. */
const pageUrl = () => (globalThis as { location?: { href: string } }).location?.href;

/** Instances, waiting for them, and their doors. */
export class Instances extends InstancesApi {
  readonly #transport: Transport;
  readonly #feed: Feed;

  constructor(transport: Transport, feed: Feed) {
    super(transport);
    this.#transport = transport;
    this.#feed = feed;
  }

  /**
   * Opens a door of an instance: a VM's serial `console` or its `screen`, or a command in a container, a login shell unless said
   * otherwise. Why one that was opened is closed again is told by the door's `closed`.
   * @throws BerthError when it is refused before that
   */
  open(id: string, door: 'screen', options?: Pick<DoorOptions, 'signal'>): Promise<Door>;
  open(id: string, door: 'console', options?: Pick<DoorOptions, 'signal'>): Promise<TerminalDoor>;
  open(id: string, door: 'exec', options?: DoorOptions): Promise<TerminalDoor>;
  async open(id: string, door: 'console' | 'screen' | 'exec', options: DoorOptions = {}): Promise<Door> {
    const { signal, ...exec } = options;
    const asked = { door, ...(door === 'exec' ? { exec } : {}) };
    const { url } = await this.createTicket(id, asked, { signal });
    const socket = await openDoor(new URL(this.#transport.url + url, pageUrl()), signal);
    return door === 'screen' ? new Door(socket) : new TerminalDoor(socket, door === 'exec');
  }

  /**
   * What an instance says, line by line as it says it, until it has ended or the signal ends it.
   * @throws BerthError where the server refuses, or breaks off
   */
  async *followLogs(
    id: string,
    query: Parameters<InstancesApi['getLogs']>[1] = {},
    { signal }: Options = {},
  ): AsyncGenerator<LogLine, void, undefined> {
    const path = `/berth/v1/instances/${encodeURIComponent(id)}/logs`;
    const accept = { accept: 'application/x-ndjson' };
    const response = await this.#transport
      .send('GET', path, { query: { ...query, follow: true } }, accept, signal)
      .catch((error: unknown) => {
        signal?.throwIfAborted();
        throw new ConnectionError(`${this.#transport.url} does not answer: ${(error as Error).message}.`, {
          cause: error,
        });
      });
    if (!response.ok || !response.body) throw await errorOfResponse(response, `GET ${this.#transport.url}${path}`);
    for await (const line of linesOf(response.body)) {
      const said = JSON.parse(line) as LogLine | { error: { code: string; detail: string } };
      if ('error' in said) throw new BerthError(said.error.detail);
      yield said;
    }
  }

  /**
   * Waits until an instance has a status.
   * @returns the instance as it is then
   * @throws UnreachableError when it has failed, say; TimeUpError
   */
  async until(
    id: string,
    wanted: Status,
    { signal, timeoutMs = untilMsDefault }: UntilOptions = {},
  ): Promise<Instance> {
    const done = new AbortController();
    const timer = setTimeout(() => {
      const message = `Instance ${id} is not ${wanted} after ${Math.round(timeoutMs / 1000)} s.`;
      done.abort(new TimeUpError(message));
    }, timeoutMs);
    const bounds = signal ? AbortSignal.any([signal, done.signal]) : done.signal;
    try {
      return await this.#wait(id, wanted, bounds);
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }

  async #wait(id: string, wanted: Status, signal: AbortSignal): Promise<Instance> {
    const news = this.#newsOf(id, signal);
    for (;;) {
      const hasNews = news.next();
      const instance = await this.get(id, { signal });
      if (instance.status === wanted) return instance;
      if (ends.has(instance.status)) throw new UnreachableError(instance, wanted);
      await hasNews;
      signal.throwIfAborted();
    }
  }

  /** Lets whoever waits look again: at an event of the instance, and now and then. */
  #newsOf(id: string, signal: AbortSignal): { next(): Promise<void> } {
    let count = 0;
    let wake = () => {};
    const tell = () => {
      count += 1;
      wake();
    };
    let everyMs = lookEveryMs;
    void (async () => {
      for await (const _event of this.#feed.stream({ instance: id }, { signal, onOpen: tell })) tell();
    })().catch((error: unknown) => {
      // With rights on the instance alone, there is no stream to read.
      if (error instanceof AccessError) everyMs = askEveryMs;
      tell();
    });
    return {
      async next() {
        const seen = count;
        const woken = new Promise<void>((resolve) => {
          wake = () => count > seen && resolve();
        });
        await Promise.race([woken, pause(everyMs, signal).catch(() => {})]);
      },
    };
  }
}

/** The lines of a body; white space that keeps a connection alive is none. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (text + decoder.decode(part.value, { stream: true })).split('\n');
      text = lines.pop() ?? '';
      yield* lines.filter((line) => line.trim() !== '');
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
