// Accounts: who pays, and owns what is deployed.

import { sql } from 'kysely';
import { isUuid } from '../model/id.ts';
import type { Sight } from '../model/privilege.ts';
import type { Database, Tx } from './database.ts';

/** Makes sure of an account with this name. @returns its id, and whether it is new */
export async function ensureAccount(
  tx: Tx,
  row: { id: string; name: string; now: Date },
): Promise<{ id: string; isNew: boolean }> {
  const written = await tx
    .insertInto('account')
    .values({ id: row.id, name: row.name, created_at: row.now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (written) return { id: written.id, isNew: true };
  const found = await tx.selectFrom('account').where('name', '=', row.name).select('id').executeTakeFirstOrThrow();
  return { id: found.id, isNew: false };
}

/** Which account it is. */
export interface AccountHandle {
  id: string;
  number: bigint;
  name: string;
}

/** One account. */
export async function findAccount(
  database: Database,
  by: { id: string } | { number: bigint } | { name: string },
): Promise<AccountHandle | undefined> {
  const query = database.selectFrom('account').select(['id', 'number', 'name']);
  if ('id' in by) return query.where('id', '=', by.id).executeTakeFirst();
  if ('number' in by) return query.where('number', '=', by.number).executeTakeFirst();
  return query.where('name', '=', by.name).executeTakeFirst();
}

/** A list is cut off here rather than growing without end. */
const listMax = 10_000;

/** The accounts that are in sight, wholly or because something in them is; the oldest first. */
export async function listAccountsInSight(database: Database, sight: Sight): Promise<AccountHandle[]> {
  let query = database.selectFrom('account').select(['id', 'number', 'name']).orderBy('number').limit(listMax);
  if (sight !== 'everything') {
    const { accountIds, groupIds, instanceIds } = sight;
    query = query.where(
      sql<boolean>`(id = any(${accountIds}::uuid[])
        or id in (select account_id from "group" where id = any(${groupIds}::bigint[]))
        or id in (select account_id from instance where id = any(${instanceIds}::text[])))`,
    );
  }
  return query.execute();
}

/** An account with what it has, in micro-USD, and what it runs. */
export interface AccountRow {
  id: string;
  name: string;
  createdAt: Date;
  availableMicroUsd: bigint;
  heldMicroUsd: bigint;
  /** Instances that are neither gone nor on their way out. */
  instances: number;
}

/**
 * Accounts by their names.
 * @param only the name or the id of the one that is asked for
 */
export async function listAccounts(database: Database, only?: string): Promise<AccountRow[]> {
  let query = database.selectFrom('account').innerJoin('account_balance', 'account_id', 'account.id');
  if (only !== undefined) {
    query = query.where((eb) => eb.or([eb('name', '=', only), ...(isUuid(only) ? [eb('account.id', '=', only)] : [])]));
  }
  const rows = await query
    .select(['account.id', 'name', 'created_at', 'available_micro_usd', 'held_micro_usd'])
    .select(
      sql<bigint>`(select count(*) from instance where instance.account_id = account.id
        and status not in ('failed', 'terminated', 'deleting', 'deleted'))`.as('instances'),
    )
    .orderBy('name')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    availableMicroUsd: row.available_micro_usd,
    heldMicroUsd: row.held_micro_usd,
    instances: Number(row.instances),
  }));
}

/**
 * Removes an account that never had anything: no deployment, no money, no quote, no webhook.
 * @returns false when it has, and nothing was removed
 */
export async function deleteUnusedAccount(tx: Tx, id: string): Promise<boolean> {
  // Whoever would put something into it waits, and then finds no account.
  await tx.selectFrom('account').where('id', '=', id).select('id').forUpdate().execute();
  const { rows } = await sql<{ used: boolean }>`
    select exists (select from deployment where account_id = ${id}::uuid)
      or exists (select from instance where account_id = ${id}::uuid)
      or exists (select from ledger_transaction where account_id = ${id}::uuid)
      or exists (select from quote where account_id = ${id}::uuid)
      or exists (select from webhook where account_id = ${id}::uuid) as used`.execute(tx);
  if (rows[0]?.used !== false) return false;
  await sql`update event set account_id = null where account_id = ${id}::uuid`.execute(tx);
  for (const table of [
    'api_key',
    'idempotency_record',
    'ssh_key',
    'own_image',
    'vm_default',
    'account_balance',
  ] as const) {
    await tx.deleteFrom(table).where('account_id', '=', id).execute();
  }
  await tx.deleteFrom('account').where('id', '=', id).execute();
  return true;
}

/** Somebody who runs an account. */
export interface OwnerRow {
  accountId: string;
  number: bigint;
  username: string;
  email: string | null;
}

/** Of each of these accounts the user who has run it longest, where somebody does. */
export async function listOwners(database: Database, accountIds: readonly string[]): Promise<OwnerRow[]> {
  const rows = await database
    .selectFrom('privilege')
    .innerJoin('user', 'user.id', 'privilege.user_id')
    .where('level', '=', 'account_admin')
    .where('api_key_id', 'is', null)
    .where(sql<boolean>`privilege.account_id = any(${[...accountIds]}::uuid[])`)
    .distinctOn('privilege.account_id')
    .orderBy('privilege.account_id')
    .orderBy('privilege.id')
    .select(['privilege.account_id', 'user.number', 'username', 'email'])
    .execute();
  return rows.flatMap(({ account_id: accountId, ...user }) => (accountId === null ? [] : { accountId, ...user }));
}
