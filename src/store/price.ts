// Rate cards. A row never changes (the schema refuses it); a new card is a new row.

import { type RawBuilder, sql } from 'kysely';
import type { RateCard } from '../model/price.ts';
import type { Database, Tx } from './database.ts';

/** The columns of a rate card. */
export const rateColumns = sql`vcpu_micro_usd, memory_gib_micro_usd, storage_gib_micro_usd, grade_gib_micro_usd,
  public_ip_micro_usd`;

/** A rate card as {@link rateColumns} bring it. */
export interface RawRates {
  vcpu_micro_usd: bigint;
  memory_gib_micro_usd: bigint;
  storage_gib_micro_usd: bigint;
  grade_gib_micro_usd: Record<string, number>;
  public_ip_micro_usd: bigint;
}

/** A rate card out of its columns. */
export const toRates = (row: RawRates): RateCard => ({
  vcpuMicroUsd: row.vcpu_micro_usd,
  memoryGibMicroUsd: row.memory_gib_micro_usd,
  storageGibMicroUsd: row.storage_gib_micro_usd,
  gradeGibMicroUsd: toGradeRates(row.grade_gib_micro_usd),
  publicIpMicroUsd: row.public_ip_micro_usd,
});

/** Rates by grade out of their column. */
export function toGradeRates(column: Readonly<Record<string, number>>): RateCard['gradeGibMicroUsd'] {
  return Object.fromEntries(Object.entries(column).map(([grade, rate]) => [grade, BigInt(rate)]));
}

/** A rate card with its id. */
export interface PriceRow {
  id: string;
  rates: RateCard;
  createdAt: Date;
}

/** Rate cards, the newest first. @param after the last one of the page before */
export async function listPrices(
  database: Database,
  limit: number,
  after: { at: string; id: string } | null,
): Promise<PriceRow[]> {
  return readPrices(
    database,
    after ? sql`(created_at, id) < (${after.at}::timestamptz, ${after.id}::uuid)` : sql`true`,
    limit,
  );
}

/** A rate card. */
export async function findPrice(database: Database, id: string): Promise<PriceRow | undefined> {
  const [price] = await readPrices(database, sql`id = ${id}::uuid`, 1);
  return price;
}

async function readPrices(database: Database, which: RawBuilder<unknown>, limit: number): Promise<PriceRow[]> {
  const { rows } = await sql<RawRates & { id: string; createdAt: Date }>`
    select id, created_at as "createdAt", ${rateColumns} from price where ${which}
    order by created_at desc, id desc limit ${limit}::int`.execute(database);
  return rows.map((row) => ({ id: row.id, rates: toRates(row), createdAt: row.createdAt }));
}

/** The hosts that are pointed to a rate card, in id order. */
export async function listHostsAt(database: Database, priceId: string): Promise<string[]> {
  const rows = await database.selectFrom('host').where('price_id', '=', priceId).select('id').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

/** Makes sure of a row with exactly these rates. @returns its id; an equal older row is used again */
export async function ensurePrice(tx: Tx, row: { id: string; rates: RateCard; now: Date }): Promise<string> {
  const columns = {
    vcpu_micro_usd: row.rates.vcpuMicroUsd,
    memory_gib_micro_usd: row.rates.memoryGibMicroUsd,
    storage_gib_micro_usd: row.rates.storageGibMicroUsd,
    public_ip_micro_usd: row.rates.publicIpMicroUsd,
  };
  const grades = Object.entries(row.rates.gradeGibMicroUsd).map(([grade, rate]) => [grade, Number(rate)]);
  const gradeRates = JSON.stringify(Object.fromEntries(grades));
  const known = await tx
    .selectFrom('price')
    .where((eb) => eb.and(columns))
    .where(sql<boolean>`grade_gib_micro_usd = ${gradeRates}::jsonb`)
    .select('id')
    .executeTakeFirst();
  if (known) return known.id;
  await tx
    .insertInto('price')
    .values({ id: row.id, ...columns, grade_gib_micro_usd: gradeRates, created_at: row.now })
    .execute();
  return row.id;
}
