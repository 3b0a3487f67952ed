// Groups: named sets of an account's instances.

import { sql } from 'kysely';
import type { Sight } from '../model/privilege.ts';
import type { Reference } from '../model/reference.ts';
import type { AccountHandle } from './account.ts';
import type { Database, Tx } from './database.ts';

/** The group that every account has. */
export const defaultGroup = 'default';

/** A group as it is written. */
export interface GroupRow {
  id: bigint;
  accountId: string;
  /** The account's number. */
  accountNumber: bigint;
  name: string;
}

/** An account's group called `default`. */
export async function defaultGroupOf(database: Database, accountId: string): Promise<GroupRow> {
  const group = await findGroup(database, { accountId, name: defaultGroup });
  if (!group) throw new Error(`Account ${accountId} has no group.`);
  return group;
}

/** One group: by its number, or by its account and name. */
export async function findGroup(
  database: Database,
  by: { id: bigint } | { accountId: string; name: string },
): Promise<GroupRow | undefined> {
  const query = database
    .selectFrom('group')
    .innerJoin('account', 'account.id', 'group.account_id')
    .select(['group.id', 'account_id', 'account.number as account_number', 'group.name']);
  const found =
    'id' in by
      ? query.where('group.id', '=', by.id)
      : query.where('account_id', '=', by.accountId).where('group.name', '=', by.name);
  const row = await found.executeTakeFirst();
  return row && toGroup(row);
}

/** One group of an account, with the account, both by number or name. */
export async function findGroupWithin(
  database: Database,
  account: Reference,
  group: Reference,
): Promise<{ account: AccountHandle; group: GroupRow } | undefined> {
  const row = await database
    .selectFrom('group')
    .innerJoin('account', 'account.id', 'group.account_id')
    .where(typeof account === 'bigint' ? 'account.number' : 'account.name', '=', account)
    .where(typeof group === 'bigint' ? 'group.id' : 'group.name', '=', group)
    .select([
      'group.id',
      'account_id',
      'account.number as account_number',
      'account.name as account_name',
      'group.name',
    ])
    .executeTakeFirst();
  if (!row) return undefined;
  return { account: { id: row.account_id, number: row.account_number, name: row.account_name }, group: toGroup(row) };
}

const toGroup = (row: { id: bigint; account_id: string; account_number: bigint; name: string }): GroupRow => ({
  id: row.id,
  accountId: row.account_id,
  accountNumber: row.account_number,
  name: row.name,
});

/** A list is cut off here rather than growing without end. */
const listMax = 10_000;

/** Which of the groups in sight are asked for; what is left out does not narrow. */
export interface GroupFilter {
  account?: Reference | undefined;
  group?: Reference | undefined;
}

/** The groups that are in sight, wholly or because a VM in them is; of each account the oldest first. */
export async function listGroups(database: Database, sight: Sight, filter: GroupFilter): Promise<GroupRow[]> {
  let query = database
    .selectFrom('group')
    .innerJoin('account', 'account.id', 'group.account_id')
    .select(['group.id', 'account_id', 'account.number as account_number', 'group.name'])
    .orderBy('account.number')
    .orderBy('group.id')
    .limit(listMax);
  const { account, group } = filter;
  if (account !== undefined) {
    query = query.where(typeof account === 'bigint' ? 'account.number' : 'account.name', '=', account);
  }
  if (group !== undefined) query = query.where(typeof group === 'bigint' ? 'group.id' : 'group.name', '=', group);
  if (sight !== 'everything') {
    const { accountIds, groupIds, instanceIds } = sight;
    query = query.where(
      sql<boolean>`("group".account_id = any(${accountIds}::uuid[]) or "group".id = any(${groupIds}::bigint[])
        or "group".id in (select group_id from instance where id = any(${instanceIds}::text[])))`,
    );
  }
  return (await query.execute()).map(toGroup);
}

/**
 * Writes a group.
 * @param vlanNumber of its network; undefined for a network of its own
 * @returns undefined when its account has a group of that name
 */
export async function insertGroup(
  tx: Tx,
  row: { accountId: string; name: string; vlanNumber?: number | undefined; now: Date },
): Promise<bigint | undefined> {
  const { accountId, name, vlanNumber, now } = row;
  const written = await tx
    .insertInto('group')
    .values({
      account_id: accountId,
      name,
      created_at: now,
      ...(vlanNumber === undefined ? {} : { vlan_num: vlanNumber }),
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'name']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return written?.id;
}

/** Keeps an account from getting more groups until the transaction ends. @returns how many it has */
export async function lockGroupsOf(tx: Tx, accountId: string): Promise<number> {
  await sql`select from account where id = ${accountId}::uuid for no key update`.execute(tx);
  const { count } = await tx
    .selectFrom('group')
    .where('account_id', '=', accountId)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Gives a group another name, which no other group of its account has. */
export async function renameGroup(tx: Tx, id: bigint, name: string): Promise<void> {
  await tx.updateTable('group').set({ name }).where('id', '=', id).execute();
}

/** Keeps everybody from putting instances into a group until the transaction ends. @returns how many are in it */
export async function lockGroup(tx: Tx, id: bigint): Promise<number> {
  await tx.selectFrom('group').where('id', '=', id).select('id').forUpdate().execute();
  const { count } = await tx
    .selectFrom('instance')
    .where('group_id', '=', id)
    .where('status', 'not in', ['deleting', 'deleted'])
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Removes a group that nothing is in; what was in it is remembered as its account's. */
export async function deleteGroup(tx: Tx, { id, accountId }: GroupRow): Promise<void> {
  await sql`
    update instance set group_id = "group".id from "group"
    where instance.group_id = ${id} and "group".account_id = ${accountId}::uuid and "group".name = ${defaultGroup}`.execute(
    tx,
  );
  await tx.deleteFrom('group').where('id', '=', id).execute();
}
