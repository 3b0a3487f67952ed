// Which key the secrets in this database are sealed with. The key itself is never here.

import type { Database, Tx } from './database.ts';

/** Notes the key's fingerprint where none is noted yet. @returns the one that is noted */
export async function ensureSealingKey(tx: Tx, fingerprint: Uint8Array, now: Date): Promise<Uint8Array> {
  await tx
    .insertInto('sealing_key')
    .values({ fingerprint, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const row = await tx.selectFrom('sealing_key').select('fingerprint').executeTakeFirstOrThrow();
  return row.fingerprint;
}

/** The fingerprint that is noted. */
export async function findSealingKey(database: Database): Promise<Uint8Array | undefined> {
  return (await database.selectFrom('sealing_key').select('fingerprint').executeTakeFirst())?.fingerprint;
}
