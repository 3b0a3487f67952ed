// Streams: how a customer's server, which he is connected to, reads from a host, which talks to whichever server it likes.
// They meet in the database, woken by each other; either may be killed at any moment, and then the stream expires.

import { BerthError } from '../model/errors.ts';
import { isUuid, newUuid } from '../model/id.ts';
import type { LogEnding, LogLine, StreamQuery } from '../model/log.ts';
import { storable } from '../model/storable.ts';
import { inTransaction } from '../store/database.ts';
import * as store from '../store/stream.ts';
import type { Context } from './context.ts';

export type { OfferedStream } from '../store/stream.ts';

/** Each is a row, a connection, and a reader on a host; a person reads a few. */
const accountStreamsMax = 20;
const hostStreamsMax = 100;
/** Chunks that wait for a customer who reads slowly: at their largest, 2 MiB. */
const unreadChunksMax = 8;
/** How long a host is kept waiting for room. Below the time-out of its requests. */
const roomWaitMs = 5_000;
/** A host sends something at least every 5 s. */
const hostSilenceMsMax = 10_000;
/** A stream that neither is read nor closed, because its server was killed, lives on for as long as this. */
const streamLifeMs = 60_000;
const renewEveryMs = 10_000;
/** Whoever waits looks for himself this often, for the wake-up that got lost. */
const slowLookMs = 1_000;
/** The answer that told a host of a stream may have been lost; the host knows which ones it has begun with. */
const offerAgainMs = 2_000;

/** What a stream is about. */
export interface StreamSubject {
  accountId: string;
  instanceId: string;
}

/** One batch of a host's answer. */
export interface StreamBatch {
  sequence: number;
  lines: LogLine[];
  ending?: LogEnding | undefined;
}

/** A place among the streams that an account may have, for as long as it is renewed. */
export interface StreamLease {
  id: string;
  /** To be called now and then while the customer reads. @throws BerthError `unavailable` when the stream has expired */
  renew(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a stream.
 * @param asked what a host is to send, and which; null where it is only to count
 * @throws BerthError `too_many_requests`
 */
export async function openStream(
  context: Context,
  { accountId, instanceId }: StreamSubject,
  asked: { hostId: string; query: StreamQuery } | null,
): Promise<StreamLease> {
  const { database, clock, logger } = context;
  const id = newUuid(context.entropy);
  const { hostId, query } = asked ?? { hostId: null, query: null };
  const life = () => {
    const now = clock.now();
    return { now, expiresAt: new Date(now.getTime() + streamLifeMs) };
  };
  await inTransaction(database, async (tx) => {
    const { now, expiresAt } = life();
    const { ofAccount, ofHost } = await store.countStreams(tx, accountId, hostId, now);
    if (ofAccount >= accountStreamsMax) throw tooMany(`This account reads ${ofAccount} logs at once`);
    if (ofHost >= hostStreamsMax) throw tooMany(`${ofHost} logs are read from this machine at once`);
    await store.insertStream(tx, { id, accountId, hostId, instanceId, query, expiresAt });
  });
  if (hostId !== null) context.wakeups.changed([hostId]);
  let renewAtMs = performance.now() + renewEveryMs;
  return {
    id,
    async renew() {
      if (performance.now() < renewAtMs) return;
      const { now, expiresAt } = life();
      if (!(await store.renewStream(database, id, now, expiresAt))) {
        throw new BerthError('unavailable', 'Nothing was read for too long; go on from the last line that you have.');
      }
      renewAtMs = performance.now() + renewEveryMs;
    },
    async close() {
      // One that can't be closed expires.
      await store.closeStream(database, id).catch((error: unknown) => {
        logger.debug({ err: error, stream: id }, 'a stream was not closed; it expires');
      });
    },
  };
}

const tooMany = (what: string) => new BerthError('too_many_requests', `${what}; end one of them first.`);

/**
 * What a host has to say to a query, in batches; one without lines is a sign that the host is there.
 * @param signal aborts when the customer has gone; then it ends
 * @throws BerthError `unavailable` when the host does not answer
 */
export async function* readStream(
  context: Context,
  subject: StreamSubject,
  asked: { hostId: string; query: StreamQuery },
  signal: AbortSignal,
): AsyncGenerator<Omit<StreamBatch, 'sequence'>> {
  const { database, wakeups } = context;
  const lease = await openStream(context, subject, asked);
  let heardAtMs = performance.now();
  try {
    while (!signal.aborted) {
      // Listening begins before looking: a chunk in between would otherwise wait for the next slow look.
      const looked = new AbortController();
      const woken = wakeups.next(lease.id, slowLookMs, AbortSignal.any([signal, looked.signal]));
      try {
        const chunks = await store.takeChunks(database, lease.id);
        if (chunks.length >= unreadChunksMax) wakeups.changed([roomIn(lease.id)]);
        for (const { lines, ending } of chunks) {
          yield { lines, ...(ending ? { ending } : {}) };
          if (ending) return;
        }
        // Time that the customer took for reading is not the host's.
        if (chunks.length > 0) heardAtMs = performance.now();
        else await woken;
      } finally {
        looked.abort();
      }
      if (performance.now() - heardAtMs > hostSilenceMsMax) {
        throw new BerthError('unavailable', 'The host of this deployment does not answer; try again in a moment.');
      }
      await lease.renew();
    }
  } finally {
    await lease.close();
  }
}

/** Whoever waits for a stream to be read is woken by this name. */
const roomIn = (streamId: string) => `room ${streamId}`;

/** The streams that a host has to be told of, once, and again where it does not begin. */
export function offerStreams(context: Context, hostId: string): Promise<store.OfferedStream[]> {
  const now = context.clock.now();
  return store.offerStreams(context.database, hostId, now, new Date(now.getTime() - offerAgainMs));
}

/**
 * Takes a batch of a stream from its host, when there is room for it or a while later.
 * @returns whether the stream is wanted any longer, and whether the batch was taken; one that was not is to be sent again
 */
export async function acceptBatch(
  context: Context,
  hostId: string,
  streamId: string,
  { sequence, lines, ending }: StreamBatch,
  signal: AbortSignal,
): Promise<{ wanted: boolean; accepted: boolean }> {
  const { database, wakeups, clock } = context;
  if (!isUuid(streamId)) return { wanted: false, accepted: false };
  const chunk = { sequence, lines: storable(lines), ending: ending ?? null };
  const deadlineMs = performance.now() + roomWaitMs;
  for (;;) {
    const looked = new AbortController();
    const woken = wakeups.next(roomIn(streamId), slowLookMs, AbortSignal.any([signal, looked.signal]));
    try {
      const fate = await inTransaction(database, (tx) =>
        store.appendChunk(tx, hostId, streamId, chunk, unreadChunksMax, clock.now()),
      );
      if (fate === 'unknown') return { wanted: false, accepted: false };
      if (fate === 'accepted') {
        wakeups.changed([streamId]);
        return { wanted: true, accepted: true };
      }
      if (signal.aborted || performance.now() > deadlineMs) return { wanted: true, accepted: false };
      await woken;
    } finally {
      looked.abort();
    }
  }
}
