// Streams of events: each reader first reads what he has missed, then is told what happens. However many read, a server looks at
// the feed once, ten times a second and only while somebody reads; what it finds is passed on in memory. Why it looks and is not
// told: docs/decisions/0017-event-stream.md.

import { setTimeout as sleep } from 'node:timers/promises';
import { BerthError } from '../model/errors.ts';
import { isOfKind } from '../model/event-kind.ts';
import type { FeedPlace } from '../store/event.ts';
import { type FeedEvent, type FeedFilter, findFeedEnd, isBefore, readFeed } from '../store/event-feed.ts';
import type { Context } from './context.ts';

export type { FeedEvent } from '../store/event-feed.ts';

const lookEveryMs = 100;
const pageMax = 1_000;
/** Well below the idle time-outs of common proxies (60 s). */
const quietMsMax = 15_000;
/** Whoever may no longer read is told nothing more after this and the time that the look itself takes. */
const checkEveryMs = 20_000;
/** A reader who takes nothing for this long is gone, or as good as that. */
const takenMsMax = 30_000;
/** Of each caller: a person has some windows open, a program a handful of connections. */
const readersPerCallerMax = 32;
/** Of a server: each holds a socket and some tens of KiB. */
const readersMax = 2_000;
/** Events that wait for a reader; they are shared by all whom they wait for. */
const waitingMax = 5_000;
/** As many at a time as a reader is given. */
const batchMax = 100;
const stopMsMax = 1_000;

/** What somebody wants to read. */
export interface StreamRequest {
  filter: FeedFilter;
  /** What he has read; left out to begin with what happens from now on. */
  after: FeedPlace | undefined;
  /** What the reader called `after`. */
  field: string;
  /** Whose limit this counts against. */
  caller: string;
  /** Holds the reader to be allowed to read, still. @throws BerthError when he is not */
  check(): Promise<void>;
  /** Breaks the connection of a reader who does not take what he is given. */
  cut(): void;
}

/** What a reader is given: events, or a sign of life, or why it ends. */
export interface StreamPiece {
  events: FeedEvent[];
  /** Where he would go on, in the form of a cursor. */
  cursor: string;
  ending?: BerthError;
}

/** Everyone who reads events at this server. */
export class EventStreams {
  readonly #context: Context;
  readonly #open = new Set<Reader>();
  readonly #following = new Set<Reader>();
  /** Up to where those who follow were told; undefined while nobody follows. */
  #place: FeedPlace | undefined;
  #closed = false;

  constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Reads for as long as the reader stays. A batch without events is a sign of life, and the first of all comes at once.
   * @param signal aborts when the reader has gone; nothing is left of him then
   * @throws BerthError `too_many_requests`, `unavailable` where the server is full; `invalid_value` for a place that was never given
   */
  async *read(request: StreamRequest, signal: AbortSignal): AsyncGenerator<StreamPiece> {
    const reader = this.#admit(request);
    const left = () => this.#dismiss(reader);
    const checking = setInterval(() => void this.#check(reader), checkEveryMs).unref();
    try {
      if (signal.aborted) return;
      signal.addEventListener('abort', left, { once: true });
      yield* this.#catchUp(reader);
      yield* this.#follow(reader);
      if (reader.ending) yield { events: [], cursor: cursorOf(reader.place), ending: reader.ending };
    } finally {
      clearInterval(checking);
      signal.removeEventListener('abort', left);
      left();
    }
  }

  /** Ends them all; resolves when they have been told, or a moment later. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const reader of this.#open) reader.end(stopped());
    const end = performance.now() + stopMsMax;
    while (this.#open.size > 0 && performance.now() < end) await sleep(10);
  }

  #admit(request: StreamRequest): Reader {
    if (this.#closed) throw stopped();
    if (this.#open.size >= readersMax) {
      throw new BerthError(
        'unavailable',
        `${readersMax} streams are open at this server, as many as it has; try again.`,
      );
    }
    const own = [...this.#open].filter(({ asked }) => asked.caller === request.caller).length;
    if (own >= readersPerCallerMax) {
      const message = `You read ${own} streams at this server, as many as a caller can; end one of them first.`;
      throw new BerthError('too_many_requests', message);
    }
    const reader = new Reader(request);
    this.#open.add(reader);
    return reader;
  }

  #dismiss(reader: Reader): void {
    this.#open.delete(reader);
    this.#following.delete(reader);
    reader.leave();
  }

  /** What he has missed, until he has read as far as those who follow. */
  async *#catchUp(reader: Reader): AsyncGenerator<StreamPiece> {
    const { database } = this.#context;
    const { after, field, filter } = reader.asked;
    const end = await findFeedEnd(database);
    if (after && isBefore(end, after)) {
      const message = `${field} is ${cursorOf(after)}, which is ahead of everything that has happened; read again from the beginning.`;
      throw new BerthError('invalid_value', message, field);
    }
    reader.place = after ?? end;
    yield* reader.give([]);
    while (!reader.isOver) {
      const page = await readFeed(database, filter, reader.place, pageMax);
      for (let from = 0; from < page.events.length; from += batchMax) {
        yield* reader.give(page.events.slice(from, from + batchMax));
      }
      reader.place = page.place;
      if (!page.isFull && this.#join(reader)) return;
    }
  }

  /** Lets a reader follow, unless those who do are ahead of him. */
  #join(reader: Reader): boolean {
    if (reader.isOver) return false;
    if (this.#place && isBefore(reader.place, this.#place)) return false;
    this.#following.add(reader);
    if (!this.#place) {
      this.#place = reader.place;
      void this.#look(reader.place);
    }
    return true;
  }

  async *#follow(reader: Reader): AsyncGenerator<StreamPiece> {
    while (!reader.isOver) {
      await reader.news(quietMsMax);
      if (reader.isOver) return;
      const events = reader.take(batchMax);
      // With nothing left to give, he is where all are.
      if (reader.waiting === 0 && this.#place && isBefore(reader.place, this.#place)) reader.place = this.#place;
      yield* reader.give(events);
    }
  }

  /** Looks at the feed until nobody follows any more. */
  async #look(from: FeedPlace): Promise<void> {
    const { database, logger } = this.#context;
    let place = from;
    let isBroken = false;
    while (this.#following.size > 0 && !this.#closed) {
      const beganMs = performance.now();
      try {
        const page = await readFeed(database, { accountId: null, instanceId: null, kind: null }, place, pageMax);
        place = page.place;
        this.#place = place;
        for (const reader of this.#following) reader.hear(page.events);
        isBroken = false;
        if (page.isFull) continue;
      } catch (error) {
        if (!isBroken) logger.warn({ err: error }, 'the event feed could not be read; it is tried again');
        isBroken = true;
      }
      await sleep(Math.max(0, lookEveryMs - (performance.now() - beganMs)));
    }
    this.#place = undefined;
  }

  async #check(reader: Reader): Promise<void> {
    if (reader.takesNothing(takenMsMax)) return reader.asked.cut();
    try {
      await reader.asked.check();
    } catch (error) {
      // What is no refusal says nothing of the reader; then there is nothing to tell him, either.
      if (error instanceof BerthError && error.code !== 'unavailable') reader.end(error);
    }
  }
}

/** One who reads. */
class Reader {
  readonly asked: StreamRequest;
  /** What he was given goes up to here. */
  place: FeedPlace = { transaction: 0n, id: 0n };
  ending: BerthError | undefined;
  #queue: FeedEvent[] = [];
  #hasLeft = false;
  #givenAtMs: number | undefined;
  #wake: () => void = () => {};

  constructor(asked: StreamRequest) {
    this.asked = asked;
  }

  get isOver(): boolean {
    return this.#hasLeft || this.ending !== undefined;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Takes of what has happened whatever is for him. */
  hear(events: readonly FeedEvent[]): void {
    if (this.isOver) return;
    const { filter, cut } = this.asked;
    const own = events.filter((event) => !this.#has(event) && isFor(filter, event));
    if (own.length === 0) return;
    this.#queue.push(...own);
    if (this.#queue.length > waitingMax) {
      this.leave();
      cut();
    } else this.#wake();
  }

  #has({ place }: FeedEvent): boolean {
    const last = this.#queue.at(-1)?.place ?? this.place;
    return !isBefore(last, place);
  }

  take(count: number): FeedEvent[] {
    return this.#queue.splice(0, count);
  }

  /** Gives him something, and goes on when he has taken it. */
  *give(events: FeedEvent[]): Generator<StreamPiece> {
    const last = events.at(-1);
    if (last && isBefore(this.place, last.place)) this.place = last.place;
    this.#givenAtMs = performance.now();
    yield { events, cursor: cursorOf(this.place) };
    this.#givenAtMs = undefined;
  }

  takesNothing(forMs: number): boolean {
    return this.#givenAtMs !== undefined && performance.now() - this.#givenAtMs > forMs;
  }

  /** Waits until there is something for him, or it is over, or he has heard nothing for long enough. */
  async news(timeoutMs: number): Promise<void> {
    if (this.isOver || this.#queue.length > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  end(why: BerthError): void {
    this.ending ??= why;
    this.#wake();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#queue = [];
    this.#wake();
  }
}

function isFor({ accountId, instanceId, kind }: FeedFilter, event: FeedEvent): boolean {
  if (accountId !== null && accountId !== event.accountId) return false;
  if (instanceId !== null && instanceId !== event.instanceId) return false;
  return kind === null || isOfKind(event.kind, kind);
}

const cursorOf = ({ transaction, id }: FeedPlace) => `${transaction}-${id}`;

const stopped = () => new BerthError('unavailable', 'The server is being stopped; connect again in a moment.');
