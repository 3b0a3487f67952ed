// Answers of Berth's own API, kept for repeats of their requests.

import type { Database, Tx } from './database.ts';

/** An answer as it was kept: as JSON, or sealed. */
export interface KeptAnswer {
  requestSha256: Uint8Array;
  answer: unknown;
  sealedAnswer: Uint8Array | null;
}

/** Whose request it is, and what it goes by. */
export interface AnswerKey {
  caller: string;
  key: string;
}

/**
 * Claims a key for this transaction's request; waits while another transaction holds it uncommitted.
 * @returns whether it is this request's now
 */
export async function claimAnswer(
  tx: Tx,
  { caller, key, requestSha256, now }: AnswerKey & { requestSha256: Uint8Array; now: Date },
): Promise<boolean> {
  const row = { caller, key, request_sha256: requestSha256, answer: null, sealed_answer: null, created_at: now };
  const written = await tx
    .insertInto('kept_answer')
    .values(row)
    .onConflict((conflict) => conflict.columns(['caller', 'key']).doNothing())
    .returning('key')
    .executeTakeFirst();
  return written !== undefined;
}

/** Keeps what a request that has claimed its key is answered with. */
export async function keepAnswer(
  tx: Tx,
  { caller, key }: AnswerKey,
  kept: { answer: string | null; sealedAnswer: Uint8Array | null },
): Promise<void> {
  await tx
    .updateTable('kept_answer')
    .set({ answer: kept.answer, sealed_answer: kept.sealedAnswer })
    .where('caller', '=', caller)
    .where('key', '=', key)
    .execute();
}

/** What was answered before under a key. */
export async function findKeptAnswer(database: Database, { caller, key }: AnswerKey): Promise<KeptAnswer | undefined> {
  const row = await database
    .selectFrom('kept_answer')
    .where('caller', '=', caller)
    .where('key', '=', key)
    .select(['request_sha256', 'answer', 'sealed_answer'])
    .executeTakeFirst();
  return row && { requestSha256: row.request_sha256, answer: row.answer, sealedAnswer: row.sealed_answer };
}

/** Forgets answers given before `before`. @returns how many, at most `limit` */
export async function forgetKeptAnswers(tx: Tx, before: Date, limit: number): Promise<number> {
  const result = await tx
    .deleteFrom('kept_answer')
    .where(({ eb, refTuple, selectFrom }) =>
      eb(
        refTuple('caller', 'key'),
        'in',
        selectFrom('kept_answer')
          .where('created_at', '<', before)
          .limit(limit)
          .select(['caller', 'key'])
          .$asTuple('caller', 'key'),
      ),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
