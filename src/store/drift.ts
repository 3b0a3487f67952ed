// Reads what the checker looks at, all from one moment.

import { sql } from 'kysely';
import type { Drift, Facts } from '../model/drift.ts';
import { paidForOf, priceOfVm } from '../model/price.ts';
import { defaultPoolLabel } from '../model/storage-pool.ts';
import type { Database, Tx } from './database.ts';
import { listOrphans } from './orphan.ts';
import { listBilledVms } from './vm-price.ts';

/** Rows of one answer: while a long one is taken apart, nobody else is served. */
const pageMax = 250;

/** Waits between two answers, so that others have their turn. */
export type Breathe = () => Promise<void>;

/**
 * The facts of one moment. Deleted instances are left out, except those that something still refers to.
 * @throws what `breathe` throws
 */
export async function readFacts(database: Database, breathe: Breathe = async () => {}): Promise<Facts> {
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const inPages = <Row>(read: (tx: Tx, last: Row | undefined) => Promise<Row[]>) => allPages(tx, read, breathe);
      const bills = await inPages(listBills);
      const prices: Facts['prices'] = [];
      for (let first = 0; first < bills.length; first += pageMax) {
        const ids = bills.slice(first, first + pageMax).map(({ instanceId }) => instanceId);
        for (const { instanceId, status, rates, vm } of await listBilledVms(tx, ids)) {
          prices.push({ instanceId, priceMicroUsd: priceOfVm(rates, paidForOf(vm, status)) });
        }
        await breathe();
      }
      return {
        bills,
        prices,
        balances: await listBalances(tx),
        instances: await inPages(listInstances),
        assignments: await inPages(listAssignments),
        addresses: await inPages(listAddresses),
        hosts: await inPages(listHosts),
        rooms: await listRooms(tx),
        holds: await listHolds(tx),
        orphans: await listOrphans(tx),
        names: await inPages(listNames),
      };
    });
}

/** All rows of a list that is read a page at a time. @param read the rows after the last one, {@link pageMax} of them */
async function allPages<Row>(
  tx: Tx,
  read: (tx: Tx, last: Row | undefined) => Promise<Row[]>,
  breathe: Breathe,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (;;) {
    const page = await read(tx, rows.at(-1));
    rows.push(...page);
    await breathe();
    if (page.length < pageMax) return rows;
  }
}

type One<Noun extends keyof Facts> = Facts[Noun][number];

async function listBills(tx: Tx, last: One<'bills'> | undefined): Promise<Facts['bills']> {
  const { rows } = await sql<One<'bills'>>`
    select instance_id as "instanceId", account_id as "accountId", held_micro_usd as "heldMicroUsd",
      price_micro_usd as "priceMicroUsd"
    from bill where closed_at is null and instance_id > ${last?.instanceId ?? ''}
    order by instance_id limit ${pageMax}`.execute(tx);
  return rows;
}

async function listBalances(tx: Tx): Promise<Facts['balances']> {
  const { rows } = await sql<One<'balances'>>`
    select account_id as "accountId", held_micro_usd as "heldMicroUsd" from account_balance`.execute(tx);
  return rows;
}

async function listInstances(tx: Tx, last: One<'instances'> | undefined): Promise<Facts['instances']> {
  const { rows } = await sql<One<'instances'>>`
    select id, status, status_reason as "statusReason", name, deployment_id as "deploymentId", instance.host_id as "hostId"
    from instance left join assignment on assignment.instance_id = id
    where (status <> 'deleted' or assignment.instance_id is not null) and id > ${last?.id ?? ''}
    order by id limit ${pageMax}`.execute(tx);
  return rows;
}

async function listAssignments(tx: Tx, last: One<'assignments'> | undefined): Promise<Facts['assignments']> {
  const { rows } = await sql<One<'assignments'>>`
    select instance_id as "instanceId", host_id as "hostId", desired, vcpus, memory_mib as "memoryMib", disk_gib as "diskGib",
      generation, observed_generation as "observedGeneration", observed_state as "observedState"
    from assignment where instance_id > ${last?.instanceId ?? ''}
    order by instance_id limit ${pageMax}`.execute(tx);
  return rows;
}

async function listAddresses(tx: Tx, last: One<'addresses'> | undefined): Promise<Facts['addresses']> {
  // The network of everything comes before every address.
  const { rows } = await sql<One<'addresses'>>`
    select ip, instance_id as "instanceId", orphan_id as "orphanId" from address where ip > ${last?.ip ?? '0.0.0.0/0'}::inet
    order by ip limit ${pageMax}`.execute(tx);
  return rows;
}

/** An empty host is left out: there is nothing of it that could disagree. */
async function listHosts(tx: Tx, last: One<'hosts'> | undefined): Promise<Facts['hosts']> {
  const { rows } = await sql<One<'hosts'>>`
    select id, vcpus_used as "vcpusUsed", memory_mib_used as "memoryMibUsed", disk_gib_used as "diskGibUsed",
      coalesce(strays, '[]') as strays
    from host left join host_health on host_id = id
    where (vcpus_used <> 0 or memory_mib_used <> 0 or disk_gib_used <> 0 or jsonb_array_length(strays) > 0
      or exists (select from assignment where assignment.host_id = id))
      and (${last?.id ?? null}::uuid is null or id > ${last?.id ?? null}::uuid)
    order by id limit ${pageMax}`.execute(tx);
  return rows;
}

/** What is given away, with where it stands in its list. */
type GivenName = One<'names'> & { groupId: bigint };

async function listNames(tx: Tx, last: GivenName | undefined): Promise<GivenName[]> {
  const { rows } = await sql<GivenName>`
    select name, deployment_id as "deploymentId", group_id as "groupId" from instance_name
    where (group_id, name) > (${last?.groupId ?? 0n}::bigint, ${last?.name ?? ''})
    order by group_id, name limit ${pageMax}`.execute(tx);
  return rows;
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
