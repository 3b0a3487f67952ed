// Datacenters as the operator keeps them. Every change makes the servers read the market anew.

import type { Selectable } from 'kysely';
import type { Datacenter } from '../model/datacenter.ts';
import { isUuid } from '../model/id.ts';
import type { Database, Tx } from './database.ts';
import type { Tables } from './tables.ts';

/** What stands in a datacenter's row beside its id. */
export type DatacenterTerms = Omit<Datacenter, 'id'>;

const columnsOf = (terms: DatacenterTerms) => ({
  slug: terms.slug,
  country_code: terms.countryCode,
  city_code: terms.cityCode,
  city_index: terms.cityIndex,
  tier: terms.tier,
  certifications: [...terms.certifications],
});

/** Writes a datacenter. @returns false when its name, or its place in its city, is taken */
export async function insertDatacenter(tx: Tx, row: Datacenter & { now: Date }): Promise<boolean> {
  const written = await tx
    .insertInto('datacenter')
    .values({ id: row.id, ...columnsOf(row), created_at: row.now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return written !== undefined;
}

/** A datacenter by its name or its id. @param lock takes its row, so that no host can be put there meanwhile */
export async function findDatacenter(
  database: Database,
  slugOrId: string,
  { lock }: { lock: boolean },
): Promise<Datacenter | undefined> {
  let query = database.selectFrom('datacenter').selectAll();
  query = isUuid(slugOrId) ? query.where('id', '=', slugOrId) : query.where('slug', '=', slugOrId);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  return row && toDatacenter(row);
}

/** Every datacenter, in the order of their names. */
export async function listDatacenters(database: Database): Promise<Datacenter[]> {
  return (await database.selectFrom('datacenter').selectAll().orderBy('slug').execute()).map(toDatacenter);
}

function toDatacenter(row: Selectable<Tables['datacenter']>): Datacenter {
  return {
    id: row.id,
    slug: row.slug,
    countryCode: row.country_code,
    cityCode: row.city_code,
    cityIndex: row.city_index,
    tier: row.tier,
    certifications: row.certifications,
  };
}

/** Another datacenter with this place in its city, if there is one. */
export async function findDatacenterAt(
  database: Database,
  { countryCode, cityCode, cityIndex }: Pick<Datacenter, 'countryCode' | 'cityCode' | 'cityIndex'>,
): Promise<{ id: string; slug: string } | undefined> {
  return database
    .selectFrom('datacenter')
    .where('country_code', '=', countryCode)
    .where('city_code', '=', cityCode)
    .where('city_index', '=', cityIndex)
    .select(['id', 'slug'])
    .executeTakeFirst();
}

/** Replaces what is said of a datacenter. */
export async function updateDatacenter(tx: Tx, id: string, terms: DatacenterTerms): Promise<void> {
  await tx.updateTable('datacenter').set(columnsOf(terms)).where('id', '=', id).execute();
}

/** Removes a datacenter in which no host stands. */
export async function deleteDatacenter(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('datacenter').where('id', '=', id).execute();
}

/** The names of the hosts that stand in a datacenter. */
export async function listHostsAt(database: Database, datacenterId: string): Promise<string[]> {
  const rows = await database
    .selectFrom('host')
    .where('datacenter_id', '=', datacenterId)
    .select('name')
    .orderBy('name')
    .execute();
  return rows.map(({ name }) => name);
}
