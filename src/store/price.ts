// Rate cards. A row never changes (the schema refuses it); a new card is a new row.

import type { RateCard } from '../model/price.ts';
import type { Tx } from './database.ts';

/** Makes sure of a row with exactly these rates. @returns its id; an equal older row is used again */
export async function ensurePrice(tx: Tx, row: { id: string; rates: RateCard; now: Date }): Promise<string> {
  const columns = {
    vcpu_micro_usd: row.rates.vcpuMicroUsd,
    memory_gib_micro_usd: row.rates.memoryGibMicroUsd,
    storage_gib_micro_usd: row.rates.storageGibMicroUsd,
    public_ip_micro_usd: row.rates.publicIpMicroUsd,
  };
  const known = await tx
    .selectFrom('price')
    .where((eb) => eb.and(columns))
    .select('id')
    .executeTakeFirst();
  if (known) return known.id;
  await tx
    .insertInto('price')
    .values({ id: row.id, ...columns, created_at: row.now })
    .execute();
  return row.id;
}
