// Streams: a customer's wish to read a container's output, and the chunks of it that the host has sent. Nothing in here is
// kept longer than the customer is connected.

import { sql } from 'kysely';
import type { LogEnding, LogLine, StreamQuery } from '../model/log.ts';
import type { Database, Tx } from './database.ts';

/** Any number does, as long as every replica takes the same. */
const openingLock = 4_242_004;

/** A stream that is to be opened; without a host and a query it only counts. */
export interface NewStream {
  id: string;
  accountId: string;
  hostId: string | null;
  instanceId: string;
  query: StreamQuery | null;
  expiresAt: Date;
}

/** A stream as its host is told of it. */
export interface OfferedStream extends StreamQuery {
  id: string;
  instanceId: string;
}

/** A part of a stream, as the host sends it. */
export interface Chunk {
  sequence: number;
  lines: LogLine[];
  /** Set in the last one: why no more come. */
  ending: LogEnding | null;
}

/** How many streams an account and a host have. Until the transaction ends nobody else opens one. */
export async function countStreams(
  tx: Tx,
  accountId: string,
  hostId: string | null,
  now: Date,
): Promise<{ ofAccount: number; ofHost: number }> {
  await sql`select pg_advisory_xact_lock(${openingLock})`.execute(tx);
  const row = await tx
    .selectFrom('stream')
    .where('expires_at', '>', now)
    .select(({ fn }) => [
      fn.countAll<bigint>().filterWhere('account_id', '=', accountId).as('of_account'),
      fn.countAll<bigint>().filterWhere('host_id', '=', hostId).as('of_host'),
    ])
    .executeTakeFirstOrThrow();
  return { ofAccount: Number(row.of_account), ofHost: Number(row.of_host) };
}

/** Opens a stream. */
export async function insertStream(tx: Tx, row: NewStream): Promise<void> {
  await tx
    .insertInto('stream')
    .values({
      id: row.id,
      account_id: row.accountId,
      host_id: row.hostId,
      instance_id: row.instanceId,
      query: row.query && JSON.stringify(row.query),
      offered_at: null,
      expires_at: row.expiresAt,
    })
    .execute();
}

/** A host's streams of which nothing has come, and that it was not told of since `offeredBefore`. It counts as told now. */
export async function offerStreams(
  database: Database,
  hostId: string,
  now: Date,
  offeredBefore: Date,
): Promise<OfferedStream[]> {
  const rows = await database
    .updateTable('stream')
    .set({ offered_at: now })
    .where('host_id', '=', hostId)
    .where('received', '=', 0)
    .where('expires_at', '>', now)
    .where(({ or, eb }) => or([eb('offered_at', 'is', null), eb('offered_at', '<', offeredBefore)]))
    .returning(['id', 'instance_id', 'query'])
    .execute();
  return rows.flatMap(({ id, instance_id: instanceId, query }) => (query ? [{ id, instanceId, ...query }] : []));
}

/**
 * Adds a chunk to one of a host's streams.
 * @returns `unknown` when nobody reads the stream (any more), `full` when `unreadMax` chunks wait to be read, and otherwise
 * `accepted`, also for a chunk that came before
 */
export async function appendChunk(
  tx: Tx,
  hostId: string,
  streamId: string,
  chunk: Chunk,
  unreadMax: number,
  now: Date,
): Promise<'unknown' | 'full' | 'accepted'> {
  const stream = await tx
    .selectFrom('stream')
    .where('id', '=', streamId)
    .where('host_id', '=', hostId)
    .where('expires_at', '>', now)
    .select('received')
    .forUpdate()
    .executeTakeFirst();
  if (!stream) return 'unknown';
  if (chunk.sequence <= stream.received) return 'accepted';
  const unread = await tx
    .selectFrom('stream_chunk')
    .where('stream_id', '=', streamId)
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  if (Number(unread.count) >= unreadMax) return 'full';
  const { sequence, lines, ending } = chunk;
  await tx
    .insertInto('stream_chunk')
    .values({ stream_id: streamId, sequence, lines: JSON.stringify(lines), ending })
    .execute();
  await tx.updateTable('stream').set({ received: sequence }).where('id', '=', streamId).execute();
  return 'accepted';
}

/** Takes out what has come, in order. */
export async function takeChunks(database: Database, streamId: string): Promise<Chunk[]> {
  const rows = await database
    .deleteFrom('stream_chunk')
    .where('stream_id', '=', streamId)
    .returning(['sequence', 'lines', 'ending'])
    .execute();
  return rows.toSorted((one, other) => one.sequence - other.sequence);
}

/** Puts off a stream's end. @returns whether it was still there */
export async function renewStream(database: Database, streamId: string, now: Date, expiresAt: Date): Promise<boolean> {
  const result = await database
    .updateTable('stream')
    .set({ expires_at: expiresAt })
    .where('id', '=', streamId)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Closes a stream, with all that was not read of it. */
export async function closeStream(database: Database, streamId: string): Promise<void> {
  await database.deleteFrom('stream').where('id', '=', streamId).execute();
}

/** Forgets streams that nobody has closed. */
export async function forgetStreams(database: Database, now: Date): Promise<void> {
  await database.deleteFrom('stream').where('expires_at', '<', now).execute();
}
