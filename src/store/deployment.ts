// Writes a whole deployment in one statement: between taking the host's row and committing, every round trip is time in
// which no other deployment on that host can go on.

import { sql } from 'kysely';
import type { BillingPeriod } from '../model/billing-period.ts';
import { spanInWords } from '../model/calendar.ts';
import { gibTaken } from '../model/configuration.ts';
import { hardwareSuffix } from '../model/ip-range.ts';
import { macAddressOf } from '../model/mac-address.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Tx } from './database.ts';
import { defaultGroup } from './group.ts';

/** What is the same for every instance of a deployment. */
export interface NewDeployment {
  id: string;
  accountId: string;
  /** Null is the account's default group. */
  groupId: bigint | null;
  actor: string;
  name: string;
  hostname: string;
  vcpus: number;
  memoryMib: number;
  /** In the order in which the guest sees them. */
  disks: readonly { label: string; grade: string; sizeMib: number }[];
  vm: NewVm;
  imageUrl: string | null;
  /** What the image's file has to hash to; left out where nobody said. */
  imageSha256?: string | null;
  sshKeys: readonly string[];
  portRules: readonly PortRule[];
  /** Addresses in the group's own network that its one instance is to have; the others are chosen for it. */
  addresses?: { ipv4: string | null; ipv6: string | null };
  createdAt: Date;
  bill: { period: BillingPeriod; paidUntil: Date; inAdvance: boolean };
}

/** What only a VM has. */
export interface NewVm {
  /** Whether its host switches it on. */
  desired: 'running' | 'off';
  hardwareProfile: string;
  hardwareProfileLocked: boolean;
  autoreboot: boolean;
  cdromUrl: string | null;
  keymap: string | null;
  /** Whether every port of it is open where its host can hold one VM's ports apart from another's. */
  allPortsOpen: boolean;
  /** What its first disk is made from, and what only that imaging may know. */
  distribution: string | null;
  sealedSecrets: Uint8Array | null;
}

/** The share of a deployment that goes to one host. */
export interface HostShare {
  hostId: string;
  storageType: 'HDD' | 'SSD' | 'NVMe';
  priceId: string;
  /** For each instance an epoch. */
  priceMicroUsd: bigint;
  /** Whether that holds although the host is sold at another price by now. */
  isPriceLocked?: boolean;
  /** Grades of disks that are written without room being taken for them: it is of pools of their own. */
  apartGrades: readonly string[];
  /** With an id for each disk, and the ids of the ledger's transactions. */
  instances: readonly { id: string; diskIds: readonly string[]; chargeId: string; depositId: string }[];
}

/** What was written of a deployment on one host. */
export interface Written {
  /** Instances. */
  count: number;
  hostName: string;
  /** Of the instances and their disks, by their ids. */
  numbers: ReadonlyMap<string, bigint>;
}

interface Numbered {
  id: string;
  number: number;
}

/**
 * Gives a group's name to a deployment.
 * @returns false when another deployment has it
 */
export async function claimName(
  tx: Tx,
  row: { groupId: bigint; name: string; deploymentId: string },
): Promise<boolean> {
  // The update changes nothing; it makes the row visible when the deployment has the name already, as with a second VM.
  const claimed = await sql`
    insert into instance_name (group_id, name, deployment_id)
    values (${row.groupId}, ${row.name}, ${row.deploymentId})
    on conflict (group_id, name) do update set name = excluded.name
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
        and instance.group_id = instance_name.group_id and status not in ('failed', 'terminated', 'deleting', 'deleted'))`.execute(
    tx,
  );
}

/** The group that a deployment goes to. */
const groupOf = ({ accountId, groupId }: { accountId: string; groupId: bigint | null }) =>
  groupId === null
    ? sql`(select id from "group" where account_id = ${accountId}::uuid and name = ${defaultGroup})`
    : sql`${groupId}::bigint`;

/**
 * Writes the deployment's row, and gives it its name in its group.
 * @returns false when another deployment has the name
 */
export async function insertDeployment(
  tx: Tx,
  row: { id: string; accountId: string; groupId: bigint | null; name: string; now: Date },
): Promise<boolean> {
  const claimed = await sql`
    with new_deployment as (
      insert into deployment (id, account_id, created_at)
      values (${row.id}, ${row.accountId}, ${row.now}::timestamptz)
    )
    insert into instance_name (group_id, name, deployment_id)
    values (${groupOf(row)}, ${row.name}, ${row.id})
    on conflict (group_id, name) do nothing
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
 * IPv4 addresses come from the ranges of the group's own network, where it has any, and from the host's pools otherwise;
 * IPv6 addresses from its network's range or the one for all, where the host connects its VMs to networks.
 * @returns what was written, of all instances or of fewer when the host has no more addresses; or that they no longer fit, or that
 *   the operator has closed the host or changed its price meanwhile; or that the group's own network has no more addresses
 */
export async function insertInstances(
  tx: Tx,
  deployment: NewDeployment,
  share: HostShare,
): Promise<Written | 'no-room' | 'network-full'> {
  const count = share.instances.length;
  const { id, accountId, actor, name, hostname, createdAt, vcpus, memoryMib, disks, vm, bill } = deployment;
  const inDefaultPool = disks.filter(({ grade }) => !share.apartGrades.includes(grade));
  const diskGib = gibTaken(inDefaultPool.map(({ sizeMib }) => sizeMib));
  const diskRows = share.instances.flatMap(({ id: instanceId, diskIds }) =>
    disks.map((disk, index) => ({ ...disk, id: diskIds[index], instanceId, position: index + 1 })),
  );
  const price = share.priceMicroUsd;
  const charged = bill.inAdvance ? price : 0n;
  const chosen = deployment.addresses ?? { ipv4: null, ipv6: null };
  const suffixes = share.instances.map((instance) => hardwareSuffix(macAddressOf(instance.id)));
  const firstEpoch = spanInWords(createdAt, bill.paidUntil);
  const written = await sql<{ written: bigint; host: string | null; numbers: Numbered[]; full: boolean }>`
    with host_taken as (
      update host set revision = revision + 1, vcpus_used = vcpus_used + ${vcpus * count}::int,
        memory_mib_used = memory_mib_used + ${memoryMib * count}::int, disk_gib_used = disk_gib_used + ${diskGib * count}::int
      where id = ${share.hostId}::uuid and state = 'open' and (price_id = ${share.priceId}::uuid or ${share.isPriceLocked ?? false})
        and vcpus_used + ${vcpus * count}::int <= vcpus_limit
        and memory_mib_used + ${memoryMib * count}::int <= memory_mib_limit
        and disk_gib_used + ${diskGib * count}::int <= disk_gib_limit
      returning id, name, revision, network
    ), own_network as (
      select id, vlan_num, cidr, 2 ^ (32 - masklen(cidr)) - 3 as size from ip_range
      where vlan_num = (select vlan_num from "group" where id = ${groupOf(deployment)})
    ), own_pool as (
      update ip_range set next_offset = (next_offset + ${count}::int) % own_network.size::bigint
      from own_network, host_taken where ip_range.id = own_network.id and family(own_network.cidr) = 4
      returning set_masklen(ip_range.cidr::inet, 32) + 2 as first_ip, own_network.size::bigint as size,
        ((next_offset - ${count}::int) % own_network.size::bigint + own_network.size::bigint) % own_network.size::bigint as begins_at
    ), pool as (
      update address_pool set next_offset = (next_offset + ${count}::int) % size
      from host_taken where host_id = host_taken.id and not exists (select from own_network where family(cidr) = 4)
      returning first_ip, size, ((next_offset - ${count}::int) % size + size) % size as begins_at
    ), picked as (
      select ip, row_number() over () as ordinal from (
        select ip from (
          select first_ip + (begins_at + generate_series(0, size - 1)) % size as ip
          from (select * from own_pool union all select * from pool) as source
          where ${chosen.ipv4}::inet is null
          union all select ${chosen.ipv4}::inet where ${chosen.ipv4}::inet is not null
        ) as candidate
        where not exists (select 1 from address where address.ip = candidate.ip)
        limit ${count}
      ) as free
    ), range6 as (
      select set_masklen(cidr::inet, 128) as first_ip from ip_range, host_taken
      where family(cidr) = 6 and network = 'bridge' and (ip_range.id in (select id from own_network) or vlan_num is null)
      order by vlan_num nulls last, ip_range.id limit 1
    ), row as materialized (
      select given.id, charge_id, deposit_id, host_taken.id as host_id, revision, ip,
        (select coalesce(${chosen.ipv6}::inet, first_ip + suffix) from range6) as ip6
      from rows from (unnest(${share.instances.map((instance) => instance.id)}::text[]),
        unnest(${share.instances.map((instance) => instance.chargeId)}::uuid[]),
        unnest(${share.instances.map((instance) => instance.depositId)}::uuid[]),
        unnest(${suffixes}::bigint[]))
        with ordinality as given (id, charge_id, deposit_id, suffix, ordinal)
      join picked using (ordinal) cross join host_taken
      where ${chosen.ipv6}::inet is null or exists (select from range6)
    ), new_instance as (
      insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id, vcpus,
        memory_mib, image_url, image_sha256, ssh_keys, price_id, price_micro_usd, created_at)
      select id, ${accountId}::uuid, ${groupOf(deployment)}, ${id}::uuid, 'vm', ${name}, ${hostname},
        ${vm.desired === 'running' ? 'launching' : 'stopped'}, ${createdAt}::timestamptz,
        host_id, ${vcpus}::int, ${memoryMib}::int, ${deployment.imageUrl}, ${deployment.imageSha256 ?? null}, ${[...deployment.sshKeys]}::text[],
        ${share.priceId}::uuid, ${share.priceMicroUsd}::bigint, ${createdAt}::timestamptz
      from row returning id, number
    ), new_vm as (
      insert into vm (instance_id, hardware_profile, hardware_profile_locked, autoreboot, cdrom_url, keymap, all_ports_open,
        imaging, last_imaged_with)
      select id, ${vm.hardwareProfile}, ${vm.hardwareProfileLocked}::boolean, ${vm.autoreboot}::boolean, ${vm.cdromUrl}, ${vm.keymap},
        ${vm.allPortsOpen}::boolean, ${deployment.imageUrl === null ? 0 : 1}::int, ${vm.distribution}
      from row
    ), new_secret as (
      insert into imaging_secret (instance_id, imaging, sealed)
      select id, 1, ${vm.sealedSecrets}::bytea from row where ${vm.sealedSecrets !== null}
    ), new_disk as (
      insert into disk (id, instance_id, label, position, grade, size_mib, storage_type, created_at)
      select disk.id, row.id, label, position, grade, "sizeMib", ${share.storageType}, ${createdAt}::timestamptz
      from row join jsonb_to_recordset(${JSON.stringify(diskRows)}::jsonb) as disk (id uuid, "instanceId" text, label text,
        position int, grade text, "sizeMib" int) on disk."instanceId" = row.id
      returning disk.id::text, number
    ), new_assignment as (
      insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
      select id, host_id, 1, revision, ${vm.desired}, ${vcpus}::int, ${memoryMib}::int, ${diskGib}::int from row
    ), new_address as (
      insert into address (ip, instance_id)
      select ip, id from row union all select ip6, id from row where ip6 is not null
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
    select (select count(*) from row) as written, (select name from host_taken) as host, (
        select coalesce(jsonb_agg(numbered), '[]') from (select * from new_instance union all select * from new_disk) as numbered
      ) as numbers,
      exists (select from own_pool) and ${chosen.ipv4}::inet is null and (select count(*) from picked) < ${count} as full`.execute(
    tx,
  );
  const [outcome] = written.rows;
  if (!outcome || outcome.host === null) return 'no-room';
  if (outcome.full) return 'network-full';
  const numbers = new Map(outcome.numbers.map((one) => [one.id, BigInt(one.number)]));
  return { count: Number(outcome.written), hostName: outcome.host, numbers };
}
