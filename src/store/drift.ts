// Reads what the checker looks at, all from one moment.

import { sql } from 'kysely';
import type { Drift, Facts } from '../model/drift.ts';
import type { Database } from './database.ts';
import { listOrphans } from './orphan.ts';

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
        .leftJoin('disk', (join) => join.onRef('disk.instance_id', '=', 'instance.id').on('disk.boot', '=', true))
        .where((eb) => eb.or([eb('status', '!=', 'deleted'), eb('assignment.instance_id', 'is not', null)]))
        .select([
          'instance.id',
          'status',
          'status_reason',
          'name',
          'deployment_id',
          'instance.host_id',
          'vcpus',
          'memory_mib',
          'size_gib',
        ])
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
        .select(['instance_id', 'account_id', 'held_micro_usd'])
        .execute();
      const balances = await tx.selectFrom('account_balance').select(['account_id', 'held_micro_usd']).execute();
      return {
        bills: bills.map((row) => {
          return { instanceId: row.instance_id, accountId: row.account_id, heldMicroUsd: row.held_micro_usd };
        }),
        balances: balances.map((row) => ({ accountId: row.account_id, heldMicroUsd: row.held_micro_usd })),
        instances: instances.map((row) => ({
          id: row.id,
          status: row.status,
          statusReason: row.status_reason,
          name: row.name,
          deploymentId: row.deployment_id,
          hostId: row.host_id,
          vcpus: row.vcpus,
          memoryMib: row.memory_mib,
          diskGib: row.size_gib,
        })),
        assignments: assignments.map((row) => ({
          instanceId: row.instance_id,
          hostId: row.host_id,
          desired: row.desired,
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
        orphans: await listOrphans(tx),
        names: names.map((row) => ({ name: row.name, deploymentId: row.deployment_id })),
      };
    });
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
      select instance_id, sum(amount_micro_usd) as amount from charge group by instance_id
    ), refunded as (
      select instance_id, sum(amount_micro_usd) as amount
      from ledger_transaction join ledger_entry on transaction_id = ledger_transaction.id
      where kind = 'refund' and book = 'available' group by instance_id
    ), booked as (
      select instance_id, sum(amount_micro_usd) as amount
      from ledger_transaction join ledger_entry on transaction_id = ledger_transaction.id
      where kind = 'charge' and book = 'revenue' group by instance_id
    )
    select account_id::text as subject, format('has %s and holds %s by its balance, %s and %s by its entries',
      available_micro_usd, held_micro_usd, coalesce(available, 0), coalesce(held, 0)) as message
    from account_balance left join entries using (account_id)
    where available_micro_usd <> coalesce(available, 0) or held_micro_usd <> coalesce(held, 0)
    union all
    select instance_id, format('has spent %s by its bill, %s by its charges, %s by the ledger, %s of it refunded',
      spent_micro_usd, coalesce(charged.amount, 0), coalesce(booked.amount, 0), coalesce(refunded.amount, 0))
    from bill left join charged using (instance_id) left join refunded using (instance_id) left join booked using (instance_id)
    where spent_micro_usd <> coalesce(charged.amount, 0) - coalesce(refunded.amount, 0)
      or coalesce(charged.amount, 0) <> coalesce(booked.amount, 0)
    union all
    select transaction_id::text, 'does not sum to zero'
    from ledger_entry group by transaction_id having sum(amount_micro_usd) <> 0`.execute(database);
  return rows.map(({ subject, message }) => ({ kind: 'ledger', subject, message }));
}
