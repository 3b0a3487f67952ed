// Reads what the checker looks at, all from one moment.

import { sql } from 'kysely';
import type { Drift, Facts } from '../model/drift.ts';
import { paidForOf, priceOfVm } from '../model/price.ts';
import { defaultPoolLabel } from '../model/storage-pool.ts';
import type { Database, Tx } from './database.ts';
import { listOrphans } from './orphan.ts';
import { listBilledVms } from './vm-price.ts';

/** The facts of one moment. Deleted instances are left out, except those that something still refers to. */
export async function readFacts(database: Database): Promise<Facts> {
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const instances = await tx
        .selectFrom('instance')
        .leftJoin('assignment', 'assignment.instance_id', 'instance.id')
        .where((eb) => eb.or([eb('status', '!=', 'deleted'), eb('assignment.instance_id', 'is not', null)]))
        .select(['instance.id', 'status', 'status_reason', 'name', 'deployment_id', 'instance.host_id'])
        .execute();
      const assignments = await tx.selectFrom('assignment').selectAll().execute();
      const addresses = await tx.selectFrom('address').selectAll().execute();
      const hosts = await tx
        .selectFrom('host')
        .leftJoin('host_health', 'host_health.host_id', 'host.id')
        // An empty host is left out: there is nothing of it that could disagree.
        .where((eb) =>
          eb.or([
            ...(['vcpus_used', 'memory_mib_used', 'disk_gib_used'] as const).map((column) => eb(column, '!=', 0)),
            sql<boolean>`jsonb_array_length(strays) > 0`,
            eb.exists(eb.selectFrom('assignment').whereRef('assignment.host_id', '=', 'host.id').select('instance_id')),
          ]),
        )
        .select(['host.id', 'vcpus_used', 'memory_mib_used', 'disk_gib_used', 'strays'])
        .execute();
      const names = await tx.selectFrom('instance_name').select(['name', 'deployment_id']).execute();
      const bills = await tx
        .selectFrom('bill')
        .where('closed_at', 'is', null)
        .select(['instance_id', 'account_id', 'held_micro_usd', 'price_micro_usd'])
        .execute();
      const vms = await listBilledVms(tx);
      const balances = await tx.selectFrom('account_balance').select(['account_id', 'held_micro_usd']).execute();
      return {
        bills: bills.map((row) => {
          const { instance_id: instanceId, account_id: accountId } = row;
          return { instanceId, accountId, heldMicroUsd: row.held_micro_usd, priceMicroUsd: row.price_micro_usd };
        }),
        prices: vms.map(({ instanceId, status, rates, vm }) => {
          return { instanceId, priceMicroUsd: priceOfVm(rates, paidForOf(vm, status)) };
        }),
        balances: balances.map((row) => ({ accountId: row.account_id, heldMicroUsd: row.held_micro_usd })),
        instances: instances.map((row) => ({
          id: row.id,
          status: row.status,
          statusReason: row.status_reason,
          name: row.name,
          deploymentId: row.deployment_id,
          hostId: row.host_id,
        })),
        assignments: assignments.map((row) => ({
          instanceId: row.instance_id,
          hostId: row.host_id,
          desired: row.desired,
          vcpus: row.vcpus,
          memoryMib: row.memory_mib,
          diskGib: row.disk_gib,
          generation: row.generation,
          observedGeneration: row.observed_generation,
          observedState: row.observed_state,
        })),
        addresses: addresses.map((row) => ({ ip: row.ip, instanceId: row.instance_id, orphanId: row.orphan_id })),
        hosts: hosts.map((row) => ({
          id: row.id,
          vcpusUsed: row.vcpus_used,
          memoryMibUsed: row.memory_mib_used,
          diskGibUsed: row.disk_gib_used,
          strays: row.strays ?? [],
        })),
        rooms: await listRooms(tx),
        holds: await listHolds(tx),
        orphans: await listOrphans(tx),
        names: names.map((row) => ({ name: row.name, deploymentId: row.deployment_id })),
      };
    });
}

async function listHolds(tx: Tx): Promise<Facts['holds']> {
  const { rows } = await sql<Facts['holds'][number]>`
    select quote_id as "quoteId", host_id as "hostId", state = 'open' as "isOpen", held as "isHeld",
      quote_hold.count * quote_hold.vcpus as vcpus, quote_hold.count * quote_hold.memory_mib as "memoryMib",
      quote_hold.count * quote_hold.disk_gib as "diskGib"
    from quote_hold join quote on quote.id = quote_id where held or state = 'open'`.execute(tx);
  return rows;
}

async function listRooms(tx: Tx): Promise<Facts['rooms']> {
  const { rows } = await sql<Facts['rooms'][number]>`
    with taken as (
      select instance_id, pool_id, ceil(size_mib / 1024.0)::int as gib from disk
      union all select instance_id, pool_id, ceil(size_mib / 1024.0)::int + backup_gib from erasing_disk
      union all select instance_id, pool_id, disk_gib from backup join disk on disk.id = disk_id
    ), booked as (
      select instance_id, null::bigint as pool_id, disk_gib as gib
      from assignment
      union all select instance_id, pool_id, gib from assignment_pool
    ), summed as (
      select instance_id, pool_id, sum(booked)::int as "bookedGib", sum(taken)::int as "takenGib"
      from (select instance_id, pool_id, gib as booked, 0 as taken from booked
        union all select instance_id, pool_id, 0, gib from taken) as counted
      where instance_id in (select instance_id from assignment)
      group by instance_id, pool_id
    )
    select instance_id as "instanceId", coalesce(label, ${defaultPoolLabel}) as pool, "bookedGib", "takenGib"
    from summed left join storage_pool on storage_pool.id = pool_id
    where "bookedGib" <> "takenGib"`.execute(tx);
  return rows;
}

/**
 * Adds up the whole ledger and holds it against what is kept beside it: balances, what each instance was charged, and that
 * every transaction sums to zero, which the schema sees to. Takes as long as there are entries, so it runs seldom.
 */
export async function findLedgerDrift(database: Database): Promise<Drift[]> {
  const { rows } = await sql<{ subject: string; message: string }>`
    with entries as (
      select account_id, coalesce(sum(amount_micro_usd) filter (where book = 'available'), 0) as available,
        coalesce(sum(amount_micro_usd) filter (where book = 'held'), 0) as held
      from ledger_entry where account_id is not null group by account_id
    ), charged as (
      select charge.instance_id, account_id, sum(amount_micro_usd) as amount
      from charge join ledger_transaction on ledger_transaction.id = transaction_id group by charge.instance_id, account_id
    ), refunded as (
      select instance_id, ledger_transaction.account_id, sum(amount_micro_usd) as amount
      from ledger_transaction join ledger_entry on transaction_id = ledger_transaction.id
      where kind = 'refund' and book = 'available' group by instance_id, ledger_transaction.account_id
    ), booked as (
      select instance_id, ledger_transaction.account_id, sum(amount_micro_usd) as amount
      from ledger_transaction join ledger_entry on transaction_id = ledger_transaction.id
      where kind = 'charge' and book = 'revenue' group by instance_id, ledger_transaction.account_id
    )
    select account_id::text as subject, format('has %s and holds %s by its balance, %s and %s by its entries',
      available_micro_usd, held_micro_usd, coalesce(available, 0), coalesce(held, 0)) as message
    from account_balance left join entries using (account_id)
    where available_micro_usd <> coalesce(available, 0) or held_micro_usd <> coalesce(held, 0)
    union all
    select instance_id, format('has spent %s by its bill, %s by its charges, %s of it refunded', spent_micro_usd,
      coalesce(charged.amount, 0), coalesce(refunded.amount, 0))
    from bill left join charged using (instance_id, account_id) left join refunded using (instance_id, account_id)
    where spent_micro_usd <> coalesce(charged.amount, 0) - coalesce(refunded.amount, 0)
    union all
    select instance_id, format('was charged %s of account %s by its charges, %s by the ledger', coalesce(charged.amount, 0),
      account_id, coalesce(booked.amount, 0))
    from charged full join booked using (instance_id, account_id)
    where charged.amount is distinct from booked.amount
    union all
    select transaction_id::text, 'does not sum to zero'
    from ledger_entry group by transaction_id having sum(amount_micro_usd) <> 0`.execute(database);
  return rows.map(({ subject, message }) => ({ kind: 'ledger', subject, message }));
}
