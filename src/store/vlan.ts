// Groups' networks by their numbers.

import type { Database, Tx } from './database.ts';

/** A network. */
export interface VlanRow {
  id: bigint;
  num: number;
  /** The group whose it is; null for one that has none any more, or not yet. */
  groupId: bigint | null;
}

/** A list is cut off here rather than growing without end. */
const listMax = 10_000;

/** The networks that there are, by their numbers: all, or the one that is asked for. */
export async function listVlans(database: Database, filter: { id?: bigint; num?: number } = {}): Promise<VlanRow[]> {
  let query = database
    .selectFrom('vlan')
    .leftJoin('group', 'group.vlan_num', 'vlan.num')
    .select(['vlan.id', 'vlan.num', 'group.id as group_id'])
    .orderBy('num')
    .limit(listMax);
  if (filter.id !== undefined) query = query.where('vlan.id', '=', filter.id);
  if (filter.num !== undefined) query = query.where('num', '=', filter.num);
  const rows = await query.execute();
  return rows.map((row) => ({ id: row.id, num: row.num, groupId: row.group_id }));
}

/** Makes sure of a network. */
export async function ensureVlan(tx: Tx, row: { num: number; now: Date }): Promise<void> {
  await tx
    .insertInto('vlan')
    .values({ num: row.num, created_at: row.now })
    .onConflict((conflict) => conflict.column('num').doNothing())
    .execute();
}

/** Takes a network's row until the transaction ends. @returns its number; undefined when there is none */
export async function lockVlan(tx: Tx, id: bigint): Promise<number | undefined> {
  const row = await tx.selectFrom('vlan').where('id', '=', id).select('num').forUpdate().executeTakeFirst();
  return row?.num;
}

/** Takes a network away that no group and no range is in. */
export async function deleteVlan(tx: Tx, id: bigint): Promise<void> {
  await tx.deleteFrom('vlan').where('id', '=', id).execute();
}
