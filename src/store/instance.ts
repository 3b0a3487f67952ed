// Instances as their owners see them. What one host should do about one is in `assignment.ts`.

import { sql } from 'kysely';
import type { BillingPeriod } from '../model/billing-period.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { Hardware, StorageType } from '../model/hardware.ts';
import type { InstanceKind, InstanceStatus } from '../model/instance.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Database, Tx } from './database.ts';

/** An instance with all that belongs to it. `address` is null once it holds none. */
export interface InstanceRow {
  id: string;
  kind: InstanceKind;
  name: string;
  hostname: string;
  status: InstanceStatus;
  statusReason: string | null;
  statusChangedAt: Date;
  vcpus: number;
  memoryMib: number;
  /** What its disks take of its host. */
  diskGib: number;
  /** What its first disk lies on; null without disks. */
  storageType: StorageType | null;
  cpuModel: string | null;
  /** Of a VM the URL of its disk image, of a container its reference; null where a VM was made without one. */
  imageUrl: string | null;
  /** Its host's; parts are missing as long as the host has not told of them. */
  hardware: Partial<Hardware>;
  datacenter: Datacenter | null;
  priceMicroUsd: bigint;
  address: string | null;
  /** IPv4 addresses that it holds, `address` among them. */
  addressCount: number;
  portRules: PortRule[];
  createdAt: Date;
  heldMicroUsd: bigint;
  spentMicroUsd: bigint;
  /** Up to when it is paid; null once nothing is billed any more. */
  paidUntil: Date | null;
  /** How its periods are cut, and from where its own are counted. */
  period: BillingPeriod;
  anchorAt: Date;
  /** The last change of how its bill stands. */
  fundsChangedAt: Date;
}

/** A row of `datacenter` as JSON of its shape in the model. */
export const datacenterJson = sql`jsonb_build_object('id', id, 'slug', slug, 'countryCode', country_code, 'cityCode', city_code,
  'cityIndex', city_index, 'tier', tier, 'certifications', certifications)`;

/** An account's instances, oldest first, without deleted ones and those being deleted. */
export async function listInstances(
  database: Database,
  accountId: string,
  page?: { limit: number; offset: number },
): Promise<InstanceRow[]> {
  let query = database
    .selectFrom('instance')
    .leftJoin('main_address', 'main_address.instance_id', 'instance.id')
    .innerJoin('host', 'host.id', 'instance.host_id')
    .leftJoin('host_health', 'host_health.host_id', 'instance.host_id')
    .leftJoin('bill', 'bill.instance_id', 'instance.id')
    .where('instance.account_id', '=', accountId)
    .where('status', 'not in', ['soft-deleted', 'deleting', 'deleted'])
    .select([
      'instance.id',
      'kind',
      'instance.name',
      'hostname',
      'status',
      'status_reason',
      'status_changed_at',
      'vcpus',
      'memory_mib',
      sql<number>`(select coalesce(sum(ceil(size_mib / 1024.0)), 0)::int from disk where disk.instance_id = instance.id)`.as(
        'disk_gib',
      ),
      sql<StorageType | null>`(select storage_type from disk where disk.instance_id = instance.id order by position limit 1)`.as(
        'storage_type',
      ),
      sql<number>`(select count(*)::int from address where address.instance_id = instance.id and family(address.ip) = 4)`.as(
        'address_count',
      ),
      'image_url',
      'instance.price_micro_usd',
      'bill.held_micro_usd',
      'bill.spent_micro_usd',
      'bill.paid_until',
      'bill.period',
      'bill.anchor_at',
      'bill.closed_at',
      'bill.funds_changed_at',
      'ip',
      'instance.created_at',
      'hardware',
      sql<Datacenter | null>`(select ${datacenterJson} from datacenter where datacenter.id = host.datacenter_id)`.as(
        'datacenter',
      ),
      sql<string | null>`host_health.inventory ->> 'cpuModel'`.as('cpu_model'),
      sql<PortRule[]>`coalesce((
        select jsonb_agg(jsonb_build_object('port', port, 'protocol', protocol) order by port, protocol)
        from port_rule where port_rule.ip = main_address.ip), '[]')`.as('port_rules'),
    ])
    .orderBy('instance.created_at')
    .orderBy('instance.id');
  if (page) query = query.limit(page.limit).offset(page.offset);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    name: row.name,
    hostname: row.hostname,
    status: row.status,
    statusReason: row.status_reason,
    statusChangedAt: row.status_changed_at,
    vcpus: row.vcpus,
    memoryMib: row.memory_mib,
    diskGib: row.disk_gib,
    storageType: row.storage_type,
    cpuModel: row.cpu_model,
    hardware: row.hardware,
    datacenter: row.datacenter,
    imageUrl: row.image_url,
    priceMicroUsd: row.price_micro_usd,
    address: row.ip,
    addressCount: row.address_count,
    portRules: row.port_rules,
    createdAt: row.created_at,
    heldMicroUsd: row.held_micro_usd ?? 0n,
    spentMicroUsd: row.spent_micro_usd ?? 0n,
    paidUntil: row.closed_at ? null : row.paid_until,
    period: row.period ?? 'global-daily',
    anchorAt: row.anchor_at ?? row.created_at,
    fundsChangedAt: row.funds_changed_at ?? row.created_at,
  }));
}

/** The part of an instance that a poll asks for. */
export interface InstanceStatusRow {
  id: string;
  status: InstanceStatus;
  statusChangedAt: Date;
  /** The last change of how its bill stands. */
  fundsChangedAt: Date;
  address: string | null;
}

/** Status of those of the given instances that are the account's and not deleted. */
export async function listInstanceStatuses(
  database: Database,
  accountId: string,
  ids: readonly string[],
): Promise<InstanceStatusRow[]> {
  if (ids.length === 0) return [];
  const rows = await database
    .selectFrom('instance')
    .leftJoin('main_address', 'main_address.instance_id', 'instance.id')
    .leftJoin('bill', 'bill.instance_id', 'instance.id')
    .where('instance.account_id', '=', accountId)
    .where('status', 'not in', ['soft-deleted', 'deleting', 'deleted'])
    .where('id', 'in', ids)
    .select(['id', 'status', 'status_changed_at', 'funds_changed_at', 'instance.created_at', 'ip'])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    status: row.status,
    statusChangedAt: row.status_changed_at,
    fundsChangedAt: row.funds_changed_at ?? row.created_at,
    address: row.ip,
  }));
}

/** What a change of an instance needs to know of it. */
export interface InstanceHandle {
  id: string;
  kind: InstanceKind;
  accountId: string;
  hostId: string;
  deploymentId: string;
  groupId: bigint;
  name: string;
  status: InstanceStatus;
  /** Its host has let go of it: it has no address and takes no capacity. */
  released: boolean;
}

/**
 * Those of the given instances that are the account's and not deleted, in id order.
 * @param accountId null for what Berth does of itself, to instances of any account
 * @param options with `lock`, the rows are locked for the transaction; the caller holds the hosts' rows already
 */
export async function findInstances(
  database: Database,
  accountId: string | null,
  ids: readonly string[],
  options: { lock: boolean },
): Promise<InstanceHandle[]> {
  if (ids.length === 0) return [];
  let query = database
    .selectFrom('instance')
    .leftJoin('assignment', 'assignment.instance_id', 'instance.id')
    .where('status', '!=', 'deleted')
    .where('id', 'in', ids)
    .select([
      'id',
      'kind',
      'account_id',
      'instance.host_id',
      'deployment_id',
      'group_id',
      'name',
      'status',
      'assignment.instance_id as assigned',
    ])
    .orderBy('id');
  if (accountId !== null) query = query.where('account_id', '=', accountId);
  if (options.lock) query = query.forNoKeyUpdate('instance');
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    accountId: row.account_id,
    hostId: row.host_id,
    deploymentId: row.deployment_id,
    groupId: row.group_id,
    name: row.name,
    status: row.status,
    released: row.assigned === null,
  }));
}

/** Gives an instance another name; the caller has claimed it. */
export async function renameInstance(tx: Tx, id: string, name: string): Promise<void> {
  await tx.updateTable('instance').set({ name }).where('id', '=', id).execute();
}

/** A change of an instance's status. */
export interface StatusChange {
  id: string;
  status: InstanceStatus;
  reason: string | null;
  /** Why it failed, for programs. */
  failureCode?: string | null;
}

/** Writes new statuses; a repeated one keeps its time of change. */
export async function writeStatuses(tx: Tx, changes: readonly StatusChange[], now: Date): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    update instance set status = change.status, status_reason = change.reason,
      failure_code = coalesce(change."failureCode", failure_code),
      status_changed_at = case when instance.status = change.status then status_changed_at else ${now}::timestamptz end,
      activated_at = case when change.status = 'active' then coalesce(activated_at, ${now}::timestamptz) else activated_at end,
      deleted_at = case when change.status = 'deleted' then ${now}::timestamptz else deleted_at end
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as change (id text, status text, reason text,
      "failureCode" text)
    where instance.id = change.id`.execute(tx);
}

/** How many instances there are in each status, over all accounts. */
export async function countInstancesByStatus(database: Database): Promise<Map<InstanceStatus, number>> {
  const rows = await database
    .selectFrom('instance')
    .where('status', '!=', 'deleted')
    .groupBy('status')
    .select(['status', (eb) => eb.fn.countAll<bigint>().as('count')])
    .execute();
  return new Map(rows.map((row) => [row.status, Number(row.count)]));
}
