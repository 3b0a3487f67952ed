// Management addresses: where VMs' consoles are reached, and what SSH there is known by.

import { sql } from 'kysely';
import type { InstanceStatus } from '../model/instance.ts';
import type { Database, Tx } from './database.ts';

/** A VM in one of these has no console: there is nothing of it, or nobody is to see it. */
const withoutConsole: readonly InstanceStatus[] = ['soft-deleted', 'deleting', 'deleted'];

/** A VM as its console's door needs to know it. */
export interface ManagedVm {
  instanceId: string;
  /** As Bytemark's tools name it. */
  name: string;
  groupId: bigint;
  groupName: string;
  accountId: string;
  accountName: string;
  hostId: string;
  status: InstanceStatus;
}

/** Sets the range that addresses are given out of from now on; what was given stays. */
export async function writeConsolePool(tx: Tx, pool: string): Promise<void> {
  await tx
    .insertInto('console_front')
    .values({ pool })
    .onConflict((conflict) => conflict.column('only_one').doUpdateSet({ pool }))
    .execute();
}

/** The range that addresses are given out of; undefined where none was ever set. */
export async function readConsolePool(database: Database): Promise<string | undefined> {
  return (await database.selectFrom('console_front').select('pool').executeTakeFirst())?.pool;
}

/** The range that addresses are given out of, where it overlaps another one. */
export async function findOverlappingConsolePool(database: Database, cidr: string): Promise<string | undefined> {
  const query = database.selectFrom('console_front').where(sql<boolean>`pool && ${cidr}::cidr`).select('pool');
  return (await query.executeTakeFirst())?.pool;
}

/** Keeps a sealed key where there is none. @returns the one that is kept; undefined where no pool was ever set */
export async function ensureConsoleHostKey(tx: Tx, sealed: Uint8Array): Promise<Uint8Array | undefined> {
  await tx.updateTable('console_front').set({ host_key: sealed }).where('host_key', 'is', null).execute();
  return (await tx.selectFrom('console_front').select('host_key').executeTakeFirst())?.host_key ?? undefined;
}

/** Gives addresses to VMs that have none, to so many at a time, as far as there are any. */
export async function giveManagementAddresses(database: Database, stepMax: number): Promise<void> {
  await sql`
    select give_management_address(instance_id) from vm join assignment using (instance_id)
    where not exists (select from management_address where management_address.instance_id = vm.instance_id)
    limit ${stepMax}`.execute(database);
}

/** The address of a VM's consoles; null where it has none. */
export async function readManagementAddress(database: Database, instanceId: string): Promise<string | null> {
  const query = database.selectFrom('management_address').where('instance_id', '=', instanceId).select('ip');
  return (await query.executeTakeFirst())?.ip ?? null;
}

/** The addresses at which somebody may look for a console now, with the VMs that have them. */
export async function listManagementAddresses(database: Database): Promise<{ ip: string; instanceId: string }[]> {
  const rows = await database
    .selectFrom('management_address')
    .innerJoin('instance', 'instance.id', 'management_address.instance_id')
    .where('instance.status', 'not in', withoutConsole)
    .select(['ip', 'instance_id'])
    .execute();
  return rows.map(({ ip, instance_id }) => ({ ip, instanceId: instance_id }));
}

/** The VM whose consoles are reached at an address, if they may be. */
export async function findManagedVm(database: Database, ip: string): Promise<ManagedVm | undefined> {
  const row = await database
    .selectFrom('management_address')
    .innerJoin('instance', 'instance.id', 'management_address.instance_id')
    .innerJoin('group', 'group.id', 'instance.group_id')
    .innerJoin('account', 'account.id', 'instance.account_id')
    .where('ip', '=', ip)
    .where('instance.status', 'not in', withoutConsole)
    .select(['instance.id', 'instance.name', 'group_id', 'group.name as group_name', 'host_id', 'status'])
    .select(['instance.account_id', 'account.name as account_name'])
    .executeTakeFirst();
  return (
    row && {
      instanceId: row.id,
      name: row.name,
      groupId: row.group_id,
      groupName: row.group_name,
      accountId: row.account_id,
      accountName: row.account_name,
      hostId: row.host_id,
      status: row.status,
    }
  );
}
