// Instances of every kind with all that belongs to them, for whoever may see them: a page of them is one query that finds which
// they are, by an index in the order of the list, and one that reads them.

import { type RawBuilder, sql } from 'kysely';
import type { Funds } from '../model/bill.ts';
import type { BillingPeriod } from '../model/billing-period.ts';
import type { ContainerPort } from '../model/container.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { IngressPlace } from '../model/ingress.ts';
import type { InstanceKind, InstanceStatus } from '../model/instance.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Sight } from '../model/privilege.ts';
import type { Database } from './database.ts';
import { datacenterJson } from './instance.ts';

/** Which instance it is and where it stands. */
export interface InstancePlace {
  id: string;
  number: bigint;
  kind: InstanceKind;
  accountId: string;
  groupId: bigint;
  deploymentId: string;
  hostId: string;
  name: string;
  status: InstanceStatus;
}

/**
 * One instance that is not gone; one that is being deleted is there until its host has let go of it.
 * @param options with `orDeleted`, also one that is gone
 */
export async function findInstancePlace(
  database: Database,
  id: string,
  { orDeleted = false }: { orDeleted?: boolean } = {},
): Promise<InstancePlace | undefined> {
  let query = database.selectFrom('instance').where('id', '=', id);
  if (!orDeleted) query = query.where('status', '<>', 'deleted');
  const row = await query
    .select(['id', 'number', 'kind', 'account_id', 'group_id', 'deployment_id', 'host_id', 'name', 'status'])
    .executeTakeFirst();
  return (
    row && {
      ...{ id: row.id, number: row.number, kind: row.kind, name: row.name, status: row.status },
      ...{ accountId: row.account_id, groupId: row.group_id, deploymentId: row.deployment_id, hostId: row.host_id },
    }
  );
}

/** Which of the instances in sight are asked for; what is left out does not narrow. */
export interface InstanceFilter {
  accountId?: string | undefined;
  groupId?: bigint | undefined;
  deploymentId?: string | undefined;
  kind?: InstanceKind | undefined;
  statuses: readonly InstanceStatus[];
  name?: string | undefined;
  /** A part of its name, its host name or one of its addresses, in small or capital letters. */
  search?: string | undefined;
  /** The id or the slug of one. */
  datacenter?: { id: string } | { slug: string } | undefined;
  hostId?: string | undefined;
  /** The first moment that counts, and the first that does not any more. */
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
}

/** What addresses are written with; a search for anything else need not look at them. */
const addressLetters = /^[\d.:a-f]+$/i;

/** Rows of a list: at most `limit`, from after the one with this moment and id. */
export interface InstanceWindow {
  limit: number;
  after: { at: string; id: string } | null;
}

/** The ids of the instances in sight that are asked for, the oldest first. */
export async function listInstanceIds(
  database: Database,
  sight: Sight,
  filter: InstanceFilter,
  { limit, after }: InstanceWindow,
): Promise<string[]> {
  let query = database
    .selectFrom('instance')
    // What the indexes are made for; said although the statuses say as much.
    .where('status', '<>', 'deleted')
    .where(sql<boolean>`instance.status = any(${[...filter.statuses]}::text[])`)
    .select('instance.id')
    .orderBy('instance.created_at')
    .orderBy('instance.id')
    .limit(limit);
  const { accountId, groupId, deploymentId, kind, name, search, datacenter, hostId } = filter;
  const { createdAfter, createdBefore } = filter;
  if (hostId !== undefined) query = query.where('host_id', '=', hostId);
  if (createdAfter !== undefined) query = query.where('instance.created_at', '>=', createdAfter);
  if (createdBefore !== undefined) query = query.where('instance.created_at', '<', createdBefore);
  if (accountId !== undefined) query = query.where('instance.account_id', '=', accountId);
  if (groupId !== undefined) query = query.where('instance.group_id', '=', groupId);
  if (deploymentId !== undefined) query = query.where('deployment_id', '=', deploymentId);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (name !== undefined) query = query.where('instance.name', '=', name);
  if (search !== undefined) query = query.where(isFoundBy(search));
  if (datacenter !== undefined) {
    const [column, value] =
      'id' in datacenter ? (['id', datacenter.id] as const) : (['slug', datacenter.slug] as const);
    query = query.where('host_id', 'in', (eb) =>
      eb
        .selectFrom('host')
        .innerJoin('datacenter', 'datacenter.id', 'host.datacenter_id')
        .where(`datacenter.${column}`, '=', value)
        .select('host.id'),
    );
  }
  if (after) {
    query = query.where(
      sql<boolean>`(instance.created_at, instance.id) > (${after.at}::timestamptz, ${after.id}::text)`,
    );
  }
  const seen = inSight(sight);
  if (seen) query = query.where(seen);
  return (await query.execute()).map(({ id }) => id);
}

/** Whether an instance is in sight; null where all of them are. */
function inSight(sight: Sight): RawBuilder<boolean> | null {
  if (sight === 'everything') return null;
  const { accountIds, groupIds, instanceIds } = sight;
  const [only, ...others] = accountIds;
  const isOneAccount = only !== undefined && [others, groupIds, instanceIds].every(({ length }) => length === 0);
  if (isOneAccount) return sql<boolean>`instance.account_id = ${only}::uuid`;
  return sql<boolean>`(instance.account_id = any(${accountIds}::uuid[]) or instance.group_id = any(${groupIds}::bigint[])
    or instance.id = any(${instanceIds}::text[]))`;
}

/** How many instances of a kind have a status. */
export interface InstanceCount {
  kind: InstanceKind;
  status: InstanceStatus;
  count: number;
}

/** Counts the instances in sight, of one account where one is named; those that are gone are not among them. */
export async function countInstances(
  database: Database,
  sight: Sight,
  accountId: string | undefined,
): Promise<InstanceCount[]> {
  const seen = inSight(sight);
  let query = database
    .selectFrom('instance')
    .where('status', '<>', 'deleted')
    .groupBy(['kind', 'status'])
    .orderBy('kind')
    .orderBy('status')
    .select(['kind', 'status', sql<number>`count(*)::int`.as('count')]);
  if (accountId !== undefined) query = query.where('instance.account_id', '=', accountId);
  if (seen) query = query.where(seen);
  return query.execute();
}

/**
 * Whether an instance is what somebody looks for. All in sight are gone through, which with 10,000 of them takes 10 ms: an index of
 * parts of words would be an extension of PostgreSQL's, and would cost every insert.
 */
function isFoundBy(text: string) {
  const has = (value: ReturnType<typeof sql>) => sql<boolean>`strpos(lower(${value}), ${text.toLowerCase()}) > 0`;
  const ofName = sql<boolean>`(${has(sql`instance.name`)} or ${has(sql`instance.hostname`)})`;
  if (!addressLetters.test(text)) return ofName;
  return sql<boolean>`(${ofName} or instance.id in (select address.instance_id from address where ${has(sql`host(address.ip)`)}))`;
}

/** An instance with all that belongs to it. */
export interface InstanceDetail {
  id: string;
  kind: InstanceKind;
  accountId: string;
  groupId: bigint;
  deploymentId: string;
  name: string;
  hostname: string;
  status: InstanceStatus;
  statusReason: string | null;
  statusChangedAt: Date;
  /** Why it failed, for programs. */
  failureCode: string | null;
  /** How its bill stood when it was last settled. */
  funds: Funds;
  vcpus: number;
  memoryMib: number;
  /** What its disks take of its host. */
  diskGib: number;
  imageUrl: string | null;
  /** Its main IPv4 address. */
  address: string | null;
  addresses: { ip: string; family: 4 | 6; additional: boolean }[];
  ports: PortRule[];
  datacenter: Datacenter | null;
  priceMicroUsd: bigint;
  heldMicroUsd: bigint;
  spentMicroUsd: bigint;
  paidUntil: Date | null;
  period: BillingPeriod;
  anchorAt: Date;
  createdAt: Date;
  activatedAt: Date | null;
  /** What only a VM has; null for a container. */
  vm: {
    hardwareProfile: string;
    hardwareProfileLocked: boolean;
    autoreboot: boolean;
    cdromUrl: string | null;
    keymap: string | null;
    lastImagedWith: string | null;
    allPortsOpen: boolean;
    managementAddress: string | null;
  } | null;
  /** What only a container has; null for a VM. */
  container: {
    slotId: string | null;
    externalId: string | null;
    metadata: Record<string, string>;
    ports: ContainerPort[];
    hasSshKeys: boolean;
    ingress: IngressPlace | null;
  } | null;
}

const detailsOf = (database: Database, ids: readonly string[]) =>
  database
    .selectFrom('instance')
    .innerJoin('host', 'host.id', 'instance.host_id')
    .leftJoin('bill', 'bill.instance_id', 'instance.id')
    .leftJoin('vm', 'vm.instance_id', 'instance.id')
    .leftJoin('management_address', 'management_address.instance_id', 'instance.id')
    .leftJoin('container', 'container.instance_id', 'instance.id')
    .where(sql<boolean>`instance.id = any(${[...ids]}::text[])`)
    .select([
      ...(['instance.id', 'kind', 'instance.account_id', 'group_id', 'deployment_id', 'instance.name'] as const),
      ...(['hostname', 'status', 'status_reason', 'status_changed_at', 'failure_code', 'vcpus'] as const),
      ...(['memory_mib', 'image_url', 'instance.price_micro_usd', 'instance.created_at', 'activated_at'] as const),
      ...(['bill.funds', 'bill.held_micro_usd', 'bill.spent_micro_usd', 'bill.paid_until', 'bill.period'] as const),
      ...(['bill.anchor_at', 'bill.closed_at', 'hardware_profile', 'hardware_profile_locked'] as const),
      ...(['autoreboot', 'cdrom_url', 'keymap', 'last_imaged_with', 'all_ports_open'] as const),
      ...(['management_address.ip as management_address', 'instance.slot_id', 'external_id', 'metadata'] as const),
      'container.ports as container_ports',
      sql<number>`(select coalesce(sum(ceil(size_mib / 1024.0)), 0)::int from disk where disk.instance_id = instance.id)`.as(
        'disk_gib',
      ),
      sql<
        InstanceDetail['addresses']
      >`(select coalesce(jsonb_agg(jsonb_build_object('ip', host(ip), 'family', family(ip),
        'additional', additional) order by additional, family(ip), ip), '[]') from address
        where address.instance_id = instance.id)`.as('addresses'),
      sql<
        PortRule[]
      >`(select coalesce(jsonb_agg(jsonb_build_object('port', port, 'protocol', protocol) order by port, protocol),
        '[]') from main_address join port_rule on port_rule.ip = main_address.ip
        where main_address.instance_id = instance.id)`.as('ports'),
      sql<Datacenter | null>`(select ${datacenterJson} from datacenter where datacenter.id = host.datacenter_id)`.as(
        'datacenter',
      ),
      sql<boolean>`cardinality(instance.ssh_keys) > 0`.as('has_ssh_keys'),
      // Where a host takes HTTPS for its containers is told with what else it has, which is long.
      sql<IngressPlace | null>`case when kind = 'container' then
        (select nullif(inventory -> 'ingress', 'null') from host_health where host_health.host_id = instance.host_id) end`.as(
        'ingress',
      ),
    ]);

/** These instances, in the order of their ids' list; what is not there is left out. */
export async function readInstanceDetails(database: Database, ids: readonly string[]): Promise<InstanceDetail[]> {
  if (ids.length === 0) return [];
  const rows = new Map((await detailsOf(database, ids).execute()).map((row) => [row.id, toDetail(row)]));
  return ids.flatMap((id) => rows.get(id) ?? []);
}

type Row = Awaited<ReturnType<ReturnType<typeof detailsOf>['executeTakeFirstOrThrow']>>;

function toDetail(row: Row): InstanceDetail {
  return {
    ...{ id: row.id, kind: row.kind, accountId: row.account_id, groupId: row.group_id, name: row.name },
    ...{ deploymentId: row.deployment_id, hostname: row.hostname, status: row.status, failureCode: row.failure_code },
    ...{ statusReason: row.status_reason, statusChangedAt: row.status_changed_at, funds: row.funds ?? 'enough' },
    ...{ vcpus: row.vcpus, memoryMib: row.memory_mib, diskGib: row.disk_gib, imageUrl: row.image_url },
    address: row.addresses.find(({ family, additional }) => family === 4 && !additional)?.ip ?? null,
    ...{ addresses: row.addresses, ports: row.ports, datacenter: row.datacenter },
    priceMicroUsd: row.price_micro_usd,
    heldMicroUsd: row.held_micro_usd ?? 0n,
    spentMicroUsd: row.spent_micro_usd ?? 0n,
    paidUntil: row.closed_at ? null : row.paid_until,
    period: row.period ?? 'global-daily',
    anchorAt: row.anchor_at ?? row.created_at,
    ...{ createdAt: row.created_at, activatedAt: row.activated_at, vm: vmOf(row) },
    container: row.container_ports && {
      ...{ slotId: row.slot_id, externalId: row.external_id, metadata: row.metadata ?? {} },
      ...{ ports: row.container_ports, hasSshKeys: row.has_ssh_keys, ingress: row.ingress },
    },
  };
}

function vmOf(row: Row): InstanceDetail['vm'] {
  if (row.hardware_profile === null) return null;
  return {
    hardwareProfile: row.hardware_profile,
    hardwareProfileLocked: row.hardware_profile_locked ?? false,
    autoreboot: row.autoreboot ?? false,
    ...{ cdromUrl: row.cdrom_url, keymap: row.keymap, lastImagedWith: row.last_imaged_with },
    allPortsOpen: row.all_ports_open ?? false,
    managementAddress: row.management_address,
  };
}
