// Writes a whole deployment in one statement: between taking the host's row and committing, every round trip is time in
// which no other deployment on that host can go on.

import { sql } from 'kysely';
import type { BillingPeriod } from '../model/billing-period.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Tx } from './database.ts';

/** What is the same for every instance of a deployment. */
export interface NewDeployment {
  id: string;
  accountId: string;
  actor: string;
  name: string;
  hostname: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  imageUrl: string;
  sshKeys: readonly string[];
  portRules: readonly PortRule[];
  createdAt: Date;
  bill: { period: BillingPeriod; paidUntil: Date; inAdvance: boolean };
}

/** The share of a deployment that goes to one host. */
export interface HostShare {
  hostId: string;
  storageType: 'HDD' | 'SSD' | 'NVMe';
  priceId: string;
  /** For each instance an epoch. */
  priceMicroUsd: bigint;
  /** With the ids of the ledger's transactions. */
  instances: readonly { id: string; diskId: string; chargeId: string; depositId: string }[];
}

/**
 * Gives an account's name to a deployment.
 * @returns false when another deployment has it
 */
export async function claimName(
  tx: Tx,
  row: { accountId: string; name: string; deploymentId: string },
): Promise<boolean> {
  // The update changes nothing; it makes the row visible when the deployment has the name already, as with a second VM.
  const claimed = await sql`
    insert into instance_name (account_id, name, deployment_id)
    values (${row.accountId}, ${row.name}, ${row.deploymentId})
    on conflict (account_id, name) do update set name = excluded.name
    where instance_name.deployment_id = excluded.deployment_id
    returning name`.execute(tx);
  return claimed.rows.length > 0;
}

/** Takes back the names that no live instance of these deployments bears any more. */
export async function releaseUnusedNames(tx: Tx, deploymentIds: readonly string[]): Promise<void> {
  if (deploymentIds.length === 0) return;
  await sql`
    delete from instance_name where deployment_id = any(${[...deploymentIds]}::uuid[]) and not exists (
      select 1 from instance
      where instance.deployment_id = instance_name.deployment_id and instance.name = instance_name.name
        and instance.account_id = instance_name.account_id and status not in ('failed', 'terminated', 'deleting', 'deleted'))`.execute(
    tx,
  );
}

/**
 * Writes the deployment's row, and gives it its name.
 * @returns false when another deployment has the name
 */
export async function insertDeployment(
  tx: Tx,
  row: { id: string; accountId: string; name: string; now: Date },
): Promise<boolean> {
  const claimed = await sql`
    with new_deployment as (
      insert into deployment (id, account_id, created_at)
      values (${row.id}, ${row.accountId}, ${row.now}::timestamptz)
    )
    insert into instance_name (account_id, name, deployment_id) values (${row.accountId}, ${row.name}, ${row.id})
    on conflict (account_id, name) do nothing
    returning name`.execute(tx);
  return claimed.rows.length > 0;
}

/**
 * Takes hosts' rows in id order, so that what a later statement reads is what is there until the transaction ends. Like
 * every lock on a row that the ledger refers to, it leaves the key alone: who writes an entry of that host must not wait.
 */
export async function lockHosts(tx: Tx, hostIds: readonly string[]): Promise<void> {
  await sql`select from host where id = any(${[...hostIds]}::uuid[]) order by id for no key update`.execute(tx);
}

/**
 * Takes capacity and addresses on one host and writes the instances with their disks, assignments, open ports, bills, the
 * ledger's transactions and first events. Capacity and the pool's cursor are read under the host's lock; which addresses are free is read as of the
 * statement's begin, so a concurrent deployment may have taken one: the schema then refuses it (23505 on `address`), and
 * the caller tries again with {@link lockHosts} first. An account that has too little is refused by the schema (23514).
 * @returns how many instances were written, all or fewer when the pool has no more addresses; or that they no longer fit, or that
 *   the operator has closed the host or changed its price meanwhile
 */
export async function insertInstances(
  tx: Tx,
  deployment: NewDeployment,
  share: HostShare,
): Promise<number | 'no-room'> {
  const count = share.instances.length;
  const { id, accountId, actor, name, hostname, createdAt, vcpus, memoryMib, diskGib, bill } = deployment;
  const price = share.priceMicroUsd;
  const charged = bill.inAdvance ? price : 0n;
  const firstEpoch = `${createdAt.toISOString()} to ${bill.paidUntil.toISOString()}`;
  const written = await sql<{ written: bigint; fits: boolean }>`
    with host_taken as (
      update host set revision = revision + 1, vcpus_used = vcpus_used + ${vcpus * count}::int,
        memory_mib_used = memory_mib_used + ${memoryMib * count}::int, disk_gib_used = disk_gib_used + ${diskGib * count}::int
      where id = ${share.hostId}::uuid and state = 'open' and price_id = ${share.priceId}::uuid
        and vcpus_used + ${vcpus * count}::int <= vcpus_limit
        and memory_mib_used + ${memoryMib * count}::int <= memory_mib_limit
        and disk_gib_used + ${diskGib * count}::int <= disk_gib_limit
      returning id, revision
    ), pool as (
      update address_pool set next_offset = (next_offset + ${count}::int) % size
      from host_taken where host_id = host_taken.id
      returning first_ip, size, ((next_offset - ${count}::int) % size + size) % size as begins_at
    ), picked as (
      select ip, row_number() over () as ordinal from (
        select ip from (
          select first_ip + (begins_at + generate_series(0, size - 1)) % size as ip from pool
        ) as candidate
        where not exists (select 1 from address where address.ip = candidate.ip)
        limit ${count}
      ) as free
    ), row as materialized (
      select given.id, given.disk_id, charge_id, deposit_id, host_taken.id as host_id, revision, ip
      from rows from (unnest(${share.instances.map((instance) => instance.id)}::text[]),
        unnest(${share.instances.map((instance) => instance.diskId)}::uuid[]),
        unnest(${share.instances.map((instance) => instance.chargeId)}::uuid[]),
        unnest(${share.instances.map((instance) => instance.depositId)}::uuid[]))
        with ordinality as given (id, disk_id, charge_id, deposit_id, ordinal)
      join picked using (ordinal) cross join host_taken
    ), new_instance as (
      insert into instance (id, account_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id, vcpus,
        memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at)
      select id, ${accountId}::uuid, ${id}::uuid, 'vm', ${name}, ${hostname}, 'launching', ${createdAt}::timestamptz,
        host_id, ${vcpus}::int, ${memoryMib}::int, ${deployment.imageUrl}, ${[...deployment.sshKeys]}::text[],
        ${share.priceId}::uuid, ${share.priceMicroUsd}::bigint, ${createdAt}::timestamptz
      from row
    ), new_disk as (
      insert into disk (id, instance_id, boot, size_gib, storage_type)
      select disk_id, id, true, ${diskGib}::int, ${share.storageType} from row
    ), new_assignment as (
      insert into assignment (instance_id, host_id, generation, revision, desired)
      select id, host_id, 1, revision, 'running' from row
    ), new_address as (
      insert into address (ip, instance_id) select ip, id from row
    ), new_port_rule as (
      insert into port_rule (ip, protocol, port)
      select ip, rule.protocol, rule.port from row
      cross join jsonb_to_recordset(${JSON.stringify(deployment.portRules)}::jsonb) as rule (protocol text, port int)
    ), new_bill as (
      insert into bill (instance_id, account_id, host_id, period, anchor_at, price_micro_usd, paid_until, held_micro_usd,
        spent_micro_usd, funds_changed_at, created_at)
      select id, ${accountId}::uuid, host_id, ${bill.period}, ${createdAt}::timestamptz, ${price}::bigint,
        ${bill.paidUntil}::timestamptz, ${price}::bigint, ${charged}::bigint, ${createdAt}::timestamptz, ${createdAt}::timestamptz
      from row
    ), new_transaction as (
      insert into ledger_transaction (id, kind, account_id, instance_id, reason, actor, created_at)
      select transaction.id, kind, ${accountId}::uuid, row.id, reason, ${actor}, ${createdAt}::timestamptz
      from row cross join lateral (values
        (charge_id, 'charge', ${firstEpoch}, ${charged}::bigint),
        (deposit_id, 'deposit', 'Deposit of one epoch', ${price}::bigint)
      ) as transaction (id, kind, reason, amount) where amount > 0
    ), new_entry as (
      insert into ledger_entry (transaction_id, book, account_id, host_id, amount_micro_usd)
      select transaction_id, book, case when book <> 'revenue' then ${accountId}::uuid end,
        case when book = 'revenue' then host_id end, amount
      from row cross join lateral (values
        (charge_id, 'available', -${charged}::bigint), (charge_id, 'revenue', ${charged}::bigint),
        (deposit_id, 'available', -${price}::bigint), (deposit_id, 'held', ${price}::bigint)
      ) as entry (transaction_id, book, amount) where amount <> 0
    ), new_charge as (
      insert into charge (instance_id, period_begins_at, period_ends_at, amount_micro_usd, transaction_id)
      select id, ${createdAt}::timestamptz, ${bill.paidUntil}::timestamptz, ${charged}::bigint,
        case when ${charged}::bigint > 0 then charge_id end
      from row where ${bill.inAdvance}
    ), new_event as (
      insert into event (account_id, instance_id, host_id, kind, message, actor, data, created_at)
      select ${accountId}::uuid, id, host_id, 'instance.placed', 'Accepted and placed; its address is ' || host(ip) || '.',
        ${actor}, jsonb_build_object('address', host(ip)), ${createdAt}::timestamptz
      from row
    )
    select (select count(*) from row) as written, exists (select 1 from host_taken) as fits`.execute(tx);
  const [outcome] = written.rows;
  return outcome?.fits ? Number(outcome.written) : 'no-room';
}
