// The event feed as it comes: server-sent events over fetch, which can show a key where browsers' own EventSource can't. A stream that
// breaks off is taken up where it was.

import {
  AccessError,
  type BerthError,
  ConnectionError,
  errorOf,
  ForeignAnswerError,
  InvalidError,
  NotFoundError,
} from './error.ts';
import { EventsApi } from './generated/resources.ts';
import type { Event, Problem } from './generated/types.ts';
import { errorOfResponse, type Options, pause, type Transport } from './transport.ts';

/** Which events. */
export interface FeedQuery {
  account?: string | undefined;
  /** Those of every account, for who runs the whole. */
  all?: boolean | undefined;
  /** Only of this instance. */
  instance?: string | undefined;
  /** Only of this kind and those below it: `instance` has `instance.active`. */
  kind?: string | undefined;
  /** Where to go on; what happens from now on where it is left out. */
  cursor?: string | undefined;
}

/** How a stream is read. */
export interface FeedOptions extends Options {
  /** Told each time that the stream is open, from when on nothing is missed. */
  onOpen?: (() => void) | undefined;
  /** Told when it broke off or does not open, each time before it is tried again. */
  onBreak?: ((error: unknown) => void) | undefined;
}

const path = '/berth/v1/events/stream';
const reconnectMsMin = 500;
const reconnectMsMax = 15_000;

/** The event feed, read in pages or as it comes. */
export class Feed extends EventsApi {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    super(transport);
    this.#transport = transport;
  }

  /**
   * Events as they happen, each once, until the signal ends it. What breaks off for reasons of the moment is taken up again.
   * @throws BerthError where the server refuses: the key was revoked, say
   */
  async *stream(
    query: FeedQuery = {},
    { signal, onOpen, onBreak }: FeedOptions = {},
  ): AsyncGenerator<Event, void, undefined> {
    let cursor = query.cursor;
    for (let failures = 0; !signal?.aborted; ) {
      try {
        for await (const { id, event, data } of this.#read({ ...query, cursor }, signal, onOpen)) {
          failures = 0;
          if (id !== '') cursor = id;
          if (event === 'end') throw errorOf(JSON.parse(data) as Problem);
          if (data !== '') yield JSON.parse(data) as Event;
          if (signal?.aborted) return;
        }
      } catch (error) {
        if (signal?.aborted) return;
        if (isFinal(error)) throw error;
        onBreak?.(error);
      }
      failures += 1;
      const waitMs = Math.min(reconnectMsMin * 2 ** (failures - 1), reconnectMsMax);
      await pause(waitMs, signal).catch(() => {});
    }
  }

  async *#read(query: FeedQuery, signal: AbortSignal | undefined, onOpen: (() => void) | undefined) {
    const response = await this.#transport.send(
      'GET',
      path,
      { query: { ...query } },
      { accept: 'text/event-stream' },
      signal,
    );
    const what = `GET ${this.#transport.url}${path}`;
    if (!response.ok || !response.body) throw await errorOfResponse(response, what);
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
      await response.body.cancel();
      throw new ForeignAnswerError(what, response);
    }
    onOpen?.();
    yield* frames(response.body);
  }
}

/** What stays so, however often it is asked. */
const isFinal = (error: unknown): error is BerthError =>
  [AccessError, NotFoundError, InvalidError].some((kind) => error instanceof kind) ||
  (error instanceof ForeignAnswerError && error.status < 500);

interface Frame {
  id: string;
  event: string;
  data: string;
}

/** The frames of a stream of server-sent events; a comment alone is none. */
async function* frames(body: ReadableStream<Uint8Array>): AsyncGenerator<Frame, void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new ConnectionError('The stream of events broke off.');
      text += decoder.decode(value, { stream: true });
      const parts = text.split('\n\n');
      text = parts.pop() ?? '';
      for (const part of parts) yield frameOf(part);
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function frameOf(text: string): Frame {
  const frame: Frame = { id: '', event: '', data: '' };
  for (const line of text.split('\n')) {
    const [, field, value = ''] = /^(id|event|data): ?(.*)$/.exec(line) ?? [];
    if (field) frame[field as keyof Frame] = value;
  }
  return frame;
}
