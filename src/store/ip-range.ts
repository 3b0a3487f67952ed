// The ranges that addresses in groups' networks come from.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/** A range as it is written. */
export interface IpRangeRow {
  id: bigint;
  cidr: string;
  /** The network that it is of; null for all that have none of their own. */
  vlanNum: number | null;
  /** How many addresses of it are held. */
  used: bigint;
}

/** A list is cut off here rather than growing without end. */
const listMax = 10_000;

/** The ranges that there are, the oldest first: all, or those that are asked for. */
export async function listIpRanges(
  database: Database,
  filter: { id?: bigint; cidr?: string; vlanNums?: readonly number[] } = {},
): Promise<IpRangeRow[]> {
  let query = database
    .selectFrom('ip_range')
    .select([
      'id',
      'cidr',
      'vlan_num',
      sql<bigint>`(select count(*) from address where ip <<= ip_range.cidr::inet)`.as('used'),
    ])
    .orderBy('id')
    .limit(listMax);
  const { id, cidr, vlanNums } = filter;
  if (id !== undefined) query = query.where('id', '=', id);
  if (cidr !== undefined) query = query.where('cidr', '=', cidr);
  if (vlanNums !== undefined) query = query.where(sql<boolean>`vlan_num = any(${[...vlanNums]}::int[])`);
  const rows = await query.execute();
  return rows.map((row) => ({ id: row.id, cidr: row.cidr, vlanNum: row.vlan_num, used: row.used }));
}

/** What a group's addresses come from: the ranges of its own network, and those for all. */
export async function rangesOfGroup(database: Database, groupId: bigint): Promise<{ cidr: string; isOwn: boolean }[]> {
  const rows = await database
    .selectFrom('ip_range')
    .innerJoin('group', (join) =>
      join
        .on('group.id', '=', groupId)
        .on((eb) =>
          eb.or([eb('ip_range.vlan_num', 'is', null), eb('ip_range.vlan_num', '=', eb.ref('group.vlan_num'))]),
        ),
    )
    .select(['cidr', 'ip_range.vlan_num'])
    .orderBy('ip_range.id')
    .execute();
  return rows.map((row) => ({ cidr: row.cidr, isOwn: row.vlan_num !== null }));
}

/** Writes a range; the schema refuses one that overlaps another. */
export async function insertIpRange(tx: Tx, row: { cidr: string; vlanNum: number | null; now: Date }): Promise<bigint> {
  const { id } = await tx
    .insertInto('ip_range')
    .values({ cidr: row.cidr, vlan_num: row.vlanNum, created_at: row.now })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** A range that overlaps this one. */
export async function findOverlappingRange(database: Database, cidr: string): Promise<string | undefined> {
  const row = await database
    .selectFrom('ip_range')
    .where(sql<boolean>`cidr && ${cidr}::cidr`)
    .select('cidr')
    .executeTakeFirst();
  return row?.cidr;
}

/** Takes the ranges of a network away. */
export async function deleteIpRangesOf(tx: Tx, vlanNum: number): Promise<void> {
  await tx.deleteFrom('ip_range').where('vlan_num', '=', vlanNum).execute();
}
