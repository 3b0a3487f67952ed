// Answers already given to requests that carried an Idempotency-Key. Written in the transaction of what the request did,
// so that there is an answer exactly where there was an effect.

import type { Database, Tx } from './database.ts';

/** How long an answer is kept for repeats. */
export const idempotencyKeptMs = 24 * 60 * 60 * 1000;

/** An answer given before, and the hash of the request that it was given to. */
export interface KnownAnswer {
  requestSha256: Uint8Array;
  status: number;
  response: unknown;
}

/**
 * Claims a key for this transaction's request, with the answer that it will have given when it commits; waits while another transaction holds the same key uncommitted.
 * @returns the answer given before under this key, or undefined when the key is now this request's
 */
export async function claimIdempotencyKey(
  tx: Tx,
  row: { accountId: string; key: string; requestSha256: Uint8Array; status: number; response: unknown; now: Date },
): Promise<KnownAnswer | undefined> {
  const inserted = await tx
    .insertInto('idempotency_record')
    .values({
      account_id: row.accountId,
      key: row.key,
      request_sha256: row.requestSha256,
      status: row.status,
      response: JSON.stringify(row.response),
      created_at: row.now,
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst();
  return inserted ? undefined : findAnswer(tx, row.accountId, row.key);
}

/** The answer given before under a key, or undefined when there is none. */
export async function findAnswer(database: Database, accountId: string, key: string): Promise<KnownAnswer | undefined> {
  const known = await database
    .selectFrom('idempotency_record')
    .where('account_id', '=', accountId)
    .where('key', '=', key)
    .select(['request_sha256', 'status', 'response'])
    .executeTakeFirst();
  return known && { requestSha256: known.request_sha256, status: known.status, response: known.response };
}

/** Forgets answers given before `before`. @returns how many, at most `limit` */
export async function forgetAnswers(tx: Tx, before: Date, limit: number): Promise<number> {
  const result = await tx
    .deleteFrom('idempotency_record')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('account_id', 'key'),
        'in',
        selectFrom('idempotency_record')
          .where('created_at', '<', before)
          .limit(limit)
          .select(['account_id', 'key'])
          .$asTuple('account_id', 'key'),
      ),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
