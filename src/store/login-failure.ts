// Failed logins by where they come from, given as a SHA-256.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/**
 * Counts one failure more, beginning anew where the last one is from before `keptSince`. The row stays locked.
 * @returns how many there are now, and until when the source was blocked before this one
 */
export async function countFailure(
  tx: Tx,
  sourceSha256: Uint8Array,
  now: Date,
  keptSince: Date,
): Promise<{ count: number; blockedUntil: Date | null }> {
  const row = await tx
    .insertInto('login_failure')
    .values({ source_sha256: sourceSha256, count: 1, blocked_until: null, failed_at: now })
    .onConflict((conflict) =>
      conflict.column('source_sha256').doUpdateSet({
        count: sql<number>`case when login_failure.failed_at < ${keptSince} then 1 else login_failure.count + 1 end`,
        failed_at: now,
      }),
    )
    .returning(['count', 'blocked_until'])
    .executeTakeFirstOrThrow();
  return { count: row.count, blockedUntil: row.blocked_until };
}

/** Blocks a source until a moment, or not at all. */
export async function blockSource(tx: Tx, sourceSha256: Uint8Array, until: Date | null): Promise<void> {
  await tx
    .updateTable('login_failure')
    .set({ blocked_until: until })
    .where('source_sha256', '=', sourceSha256)
    .execute();
}

/**
 * Takes one failure back, and the wait that it began, unless another one has begun since.
 * @param waitsUntil the end of that wait; null where it began none
 * @returns how many are left, or undefined where none is noted any more
 */
export async function takeFailureBack(
  tx: Tx,
  sourceSha256: Uint8Array,
  waitsUntil: Date | null,
): Promise<number | undefined> {
  const row = await tx
    .updateTable('login_failure')
    .set({
      count: sql<number>`greatest(count - 1, 0)`,
      blocked_until: sql<Date | null>`nullif(blocked_until, ${waitsUntil}::timestamptz)`,
    })
    .where('source_sha256', '=', sourceSha256)
    .returning('count')
    .executeTakeFirst();
  return row?.count;
}

/**
 * Remembers a place where somebody has logged in. It is a source that has failed no time, dated ahead to when it is forgotten as
 * all of them are.
 */
export async function rememberPlace(database: Database, sha256: Uint8Array, until: Date): Promise<void> {
  await database
    .insertInto('login_failure')
    .values({ source_sha256: sha256, count: 0, blocked_until: null, failed_at: until })
    .onConflict((conflict) => conflict.column('source_sha256').doUpdateSet({ failed_at: until }))
    .execute();
}

/** Whether a place is remembered. */
export async function isKnownPlace(database: Database, sha256: Uint8Array, now: Date): Promise<boolean> {
  const row = await database
    .selectFrom('login_failure')
    .where('source_sha256', '=', sha256)
    .where('count', '=', 0)
    .where('failed_at', '>', now)
    .select('count')
    .executeTakeFirst();
  return row !== undefined;
}

/** Forgets all failures of a source. */
export async function clearFailures(tx: Tx, sourceSha256: Uint8Array): Promise<void> {
  await tx.deleteFrom('login_failure').where('source_sha256', '=', sourceSha256).execute();
}

/** Forgets the sources that have not failed since. */
export async function forgetFailures(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('login_failure').where('failed_at', '<', before).execute();
}
