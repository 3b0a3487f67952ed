// The ranges out of which hosts hand out addresses. An address may be held by one instance only, wherever it runs, so no
// two ranges overlap.

import { sql } from 'kysely';
import type { Ipv4Range } from '../model/cidr.ts';
import { formatIpv4 } from '../model/cidr.ts';
import type { Database, Tx } from './database.ts';

/** Any number does that no other lock has. */
const poolLock = 4_242_002;

/** Keeps everybody else from adding ranges until the transaction ends. */
export async function lockAddressPools(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${poolLock})`.execute(tx);
}

/** Writes a range that a host hands out addresses of. Network and broadcast addresses are left out where it has them. */
export async function insertAddressPool(
  tx: Tx,
  row: { id: string; hostId: string; cidr: string; range: Ipv4Range },
): Promise<void> {
  const spare = row.range.prefix < 31 ? 1 : 0;
  await tx
    .insertInto('address_pool')
    .values({
      id: row.id,
      host_id: row.hostId,
      cidr: row.cidr,
      first_ip: formatIpv4(row.range.first + spare),
      size: BigInt(row.range.count - 2 * spare),
    })
    .execute();
}

/** A range that overlaps this one, and whose it is; undefined when there is none. */
export async function findOverlappingPool(
  database: Database,
  cidr: string,
): Promise<{ cidr: string; hostName: string } | undefined> {
  const row = await database
    .selectFrom('address_pool')
    .innerJoin('host', 'host.id', 'address_pool.host_id')
    .where(sql<boolean>`cidr && ${cidr}::cidr`)
    .select(['cidr', 'host.name'])
    .executeTakeFirst();
  return row && { cidr: row.cidr, hostName: row.name };
}

/** A host's range, with how many addresses it gives out and how many of them are held. */
export interface AddressPoolRow {
  id: string;
  cidr: string;
  size: number;
  used: number;
}

/** A host's ranges. */
export async function listAddressPools(database: Database, hostId: string): Promise<AddressPoolRow[]> {
  const rows = await database
    .selectFrom('address_pool')
    .where('host_id', '=', hostId)
    .select(['id', 'cidr', 'size', sql<bigint>`(select count(*) from address where ip <<= cidr)`.as('used')])
    .orderBy('cidr')
    .execute();
  return rows.map((row) => ({ id: row.id, cidr: row.cidr, size: Number(row.size), used: Number(row.used) }));
}

/** Takes a range from a host; addresses of it that are held stay held. @returns false when the host has no such range */
export async function deleteAddressPool(tx: Tx, hostId: string, cidr: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('address_pool')
    .where('host_id', '=', hostId)
    .where('cidr', '=', cidr)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}
