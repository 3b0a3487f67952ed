// Accounts: who pays, and owns what is deployed.

import { sql } from 'kysely';
import { isUuid } from '../model/id.ts';
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
