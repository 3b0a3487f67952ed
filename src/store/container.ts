// Containers: written when a slot is rented, and read as their owners see them.

import { sql } from 'kysely';
import type { BillingPeriod } from '../model/billing-period.ts';
import { mibPerGib } from '../model/configuration.ts';
import type { ContainerPort } from '../model/container.ts';
import type { StorageType } from '../model/hardware.ts';
import type { InstanceStatus } from '../model/instance.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Database, Tx } from './database.ts';
import { claimName } from './deployment.ts';
import { insertEvents } from './event.ts';
import { defaultGroupOf } from './group.ts';
import { insertTransactions } from './ledger.ts';

/** A container that is to be written. The caller holds the host's row with its share of the capacity taken. */
export interface NewContainer {
  id: string;
  deploymentId: string;
  diskId: string;
  depositId: string;
  accountId: string;
  actor: string;
  name: string;
  /** Null is the account's default group. */
  groupId: bigint | null;
  externalId: string | null;
  requestSha256: Uint8Array;
  hostId: string;
  revision: bigint;
  slotId: string;
  slotPriceId: string;
  priceMicroUsd: bigint;
  period: BillingPeriod;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  storageType: StorageType;
  image: string;
  ports: readonly ContainerPort[];
  /** What is open from outside on its address. */
  portRules: readonly PortRule[];
  environment: Readonly<Record<string, string>>;
  startupScript: string | null;
  metadata: Readonly<Record<string, string>>;
  sshKeys: readonly string[];
  registryAuth: Uint8Array | null;
  createdAt: Date;
}

/**
 * Writes a container with its disk, address, open ports, assignment, bill and first event. The schema refuses a second
 * container on the slot, a second use of the external id, and an account that has too little.
 * @returns its address; or that the name is taken in its group, or null when the host has no address left: then nothing may be kept
 */
export async function insertContainer(tx: Tx, row: NewContainer): Promise<string | 'name-taken' | null> {
  await tx
    .insertInto('deployment')
    .values({ id: row.deploymentId, account_id: row.accountId, created_at: row.createdAt })
    .execute();
  const groupId = row.groupId ?? (await defaultGroupOf(tx, row.accountId)).id;
  if (!(await claimName(tx, { groupId, name: row.name, deploymentId: row.deploymentId }))) return 'name-taken';
  await tx
    .insertInto('instance')
    .values({
      id: row.id,
      account_id: row.accountId,
      group_id: groupId,
      deployment_id: row.deploymentId,
      kind: 'container',
      name: row.name,
      hostname: row.name,
      status: 'launching',
      status_reason: null,
      status_changed_at: row.createdAt,
      host_id: row.hostId,
      vcpus: row.vcpus,
      memory_mib: row.memoryMib,
      image_url: row.image,
      ssh_keys: [...row.sshKeys],
      price_id: null,
      slot_id: row.slotId,
      slot_price_id: row.slotPriceId,
      price_micro_usd: row.priceMicroUsd,
      created_at: row.createdAt,
      activated_at: null,
      deleted_at: null,
    })
    .execute();
  await tx
    .insertInto('container')
    .values({
      instance_id: row.id,
      account_id: row.accountId,
      external_id: row.externalId,
      request_sha256: row.requestSha256,
      ports: JSON.stringify(row.ports),
      environment: JSON.stringify(row.environment),
      startup_script: row.startupScript,
      metadata: JSON.stringify(row.metadata),
      registry_auth: row.registryAuth,
    })
    .execute();
  await tx
    .insertInto('disk')
    .values({
      id: row.diskId,
      instance_id: row.id,
      size_mib: row.diskGib * mibPerGib,
      storage_type: row.storageType,
      created_at: row.createdAt,
    })
    .execute();
  await tx
    .insertInto('assignment')
    .values({
      instance_id: row.id,
      host_id: row.hostId,
      generation: 1,
      revision: row.revision,
      desired: 'running',
      vcpus: row.vcpus,
      memory_mib: row.memoryMib,
      disk_gib: row.diskGib,
      observed_state: null,
      observed_reason: null,
      observed_at: null,
      slot_id: row.slotId,
    })
    .execute();
  const address = await takeAddress(tx, row.hostId, row.id);
  if (address === null) return null;
  if (row.portRules.length > 0) {
    await tx
      .insertInto('port_rule')
      .values(row.portRules.map(({ protocol, port }) => ({ ip: address, protocol, port })))
      .execute();
  }
  await openBill(tx, row);
  await insertEvents(tx, [
    {
      accountId: row.accountId,
      instanceId: row.id,
      hostId: row.hostId,
      kind: 'instance.placed',
      message: `Accepted and placed; its address is ${address}.`,
      actor: row.actor,
      data: { address, slotId: row.slotId },
      createdAt: row.createdAt,
    },
  ]);
  return address;
}

/** Takes the next free address of a host's pools. The caller holds the host's row, so nobody else takes it. */
async function takeAddress(tx: Tx, hostId: string, instanceId: string): Promise<string | null> {
  const { rows } = await sql<{ ip: string }>`
    with pool as (
      update address_pool set next_offset = (next_offset + 1) % size where host_id = ${hostId}::uuid
      returning first_ip, size, ((next_offset - 1) % size + size) % size as begins_at
    )
    insert into address (ip, instance_id)
    select ip, ${instanceId} from (
      select first_ip + (begins_at + generate_series(0, size - 1)) % size as ip from pool
    ) as candidate
    where not exists (select 1 from address where address.ip = candidate.ip)
    limit 1
    returning ip`.execute(tx);
  return rows[0]?.ip ?? null;
}

/** A container is charged from when it runs on; until then only its deposit is held. */
async function openBill(tx: Tx, row: NewContainer): Promise<void> {
  const { id, accountId, hostId, priceMicroUsd, createdAt } = row;
  await tx
    .insertInto('bill')
    .values({
      instance_id: id,
      account_id: accountId,
      host_id: hostId,
      period: row.period,
      anchor_at: createdAt,
      price_micro_usd: priceMicroUsd,
      paid_until: createdAt,
      held_micro_usd: priceMicroUsd,
      ran_until: null,
      funds_changed_at: createdAt,
      created_at: createdAt,
      closed_at: null,
    })
    .execute();
  if (priceMicroUsd === 0n) return;
  await insertTransactions(tx, [
    {
      ...{ id: row.depositId, kind: 'deposit', accountId, instanceId: id, hostId: null, actor: row.actor, createdAt },
      reason: row.period === 'per-second' ? 'Deposit of one hour' : 'Deposit of one epoch',
      entries: [
        { book: 'available', amount: -priceMicroUsd },
        { book: 'held', amount: priceMicroUsd },
      ],
    },
  ]);
}

/** A container as its owner sees it. `address` is null once it holds none. */
export interface ContainerRow {
  deploymentId: string;
  instanceId: string;
  hostId: string;
  slotId: string;
  slotPriceId: string;
  externalId: string | null;
  status: InstanceStatus;
  statusReason: string | null;
  failureCode: string | null;
  metadata: Record<string, string>;
  ports: ContainerPort[];
  hasSshKeys: boolean;
  address: string | null;
  image: string;
  /** Where its host's HTTPS ports are reached; null where they can't be. */
  ingress: { domain: string; port: number } | null;
  createdAt: Date;
  activatedAt: Date | null;
  statusChangedAt: Date;
}

/** Which containers are asked for; what is undefined excludes none. */
export interface ContainerFilter {
  deploymentId?: string;
  externalId?: string;
  slotId?: string;
  statuses?: readonly InstanceStatus[];
}

/** An account's containers, those that are over included, oldest first; and how many there are in all. */
export async function listContainers(
  database: Database,
  accountId: string,
  filter: ContainerFilter,
  page: { limit: number; offset: number },
): Promise<{ total: number; rows: ContainerRow[] }> {
  let query = database
    .selectFrom('container')
    .innerJoin('instance', 'instance.id', 'container.instance_id')
    .where('container.account_id', '=', accountId);
  const { deploymentId, externalId, slotId, statuses } = filter;
  if (deploymentId !== undefined) query = query.where('deployment_id', '=', deploymentId);
  if (externalId !== undefined) query = query.where('external_id', '=', externalId);
  if (slotId !== undefined) query = query.where('instance.slot_id', '=', slotId);
  if (statuses !== undefined) query = query.where(sql<boolean>`status = any(${[...statuses]}::text[])`);
  const { total } = await query.select((eb) => eb.fn.countAll<bigint>().as('total')).executeTakeFirstOrThrow();
  const rows = await query
    .leftJoin('main_address', 'main_address.instance_id', 'container.instance_id')
    .leftJoin('host_health', 'host_health.host_id', 'instance.host_id')
    .select([
      'container.instance_id',
      'deployment_id',
      'instance.host_id',
      sql<string>`instance.slot_id`.as('slot_id'),
      sql<string>`slot_price_id`.as('slot_price_id'),
      'external_id',
      'status',
      'status_reason',
      'failure_code',
      'metadata',
      'ports',
      sql<boolean>`cardinality(ssh_keys) > 0`.as('has_ssh_keys'),
      'ip',
      'image_url',
      sql<ContainerRow['ingress']>`nullif(inventory -> 'ingress', 'null')`.as('ingress'),
      'instance.created_at',
      'activated_at',
      'status_changed_at',
    ])
    .orderBy('instance.created_at')
    .orderBy('container.instance_id')
    .limit(page.limit)
    .offset(page.offset)
    .execute();
  return {
    total: Number(total),
    rows: rows.map((row) => ({
      deploymentId: row.deployment_id,
      instanceId: row.instance_id,
      hostId: row.host_id,
      slotId: row.slot_id,
      slotPriceId: row.slot_price_id,
      externalId: row.external_id,
      status: row.status,
      statusReason: row.status_reason,
      failureCode: row.failure_code,
      metadata: row.metadata,
      ports: row.ports,
      hasSshKeys: row.has_ssh_keys,
      address: row.ip,
      image: row.image_url ?? '',
      ingress: row.ingress,
      createdAt: row.created_at,
      activatedAt: row.activated_at,
      statusChangedAt: row.status_changed_at,
    })),
  };
}

/** The request that used an external id first, by its hash, and what it made. */
export async function findByExternalId(
  database: Database,
  accountId: string,
  externalId: string,
): Promise<{ deploymentId: string; requestSha256: Uint8Array } | undefined> {
  const row = await database
    .selectFrom('container')
    .innerJoin('instance', 'instance.id', 'container.instance_id')
    .where('container.account_id', '=', accountId)
    .where('external_id', '=', externalId)
    .select(['deployment_id', 'request_sha256'])
    .executeTakeFirst();
  return row && { deploymentId: row.deployment_id, requestSha256: row.request_sha256 };
}

/** The sealed login of a container that is assigned to a host; undefined when there is no such container. */
export async function findRegistryAuth(
  database: Database,
  hostId: string,
  instanceId: string,
): Promise<Uint8Array | null | undefined> {
  const row = await database
    .selectFrom('container')
    .innerJoin('assignment', 'assignment.instance_id', 'container.instance_id')
    .where('container.instance_id', '=', instanceId)
    .where('host_id', '=', hostId)
    .select('registry_auth')
    .executeTakeFirst();
  return row?.registry_auth;
}

/** Containers that have not come up: ordered to run, never active, and either begun before `begunBefore` or on a host that is out of reach since before `lostBefore`. */
export async function listUnstarted(
  database: Database,
  { begunBefore, lostBefore, limit }: { begunBefore: Date; lostBefore: Date; limit: number },
): Promise<{ id: string; isHostLost: boolean }[]> {
  const { rows } = await sql<{ id: string; lost: boolean }>`
    select instance.id, not host.reachable and coalesce(reachable_changed_at, instance.created_at) < ${lostBefore}::timestamptz as lost
    from instance join assignment on assignment.instance_id = instance.id join host on host.id = instance.host_id
    where kind = 'container' and status = 'launching' and activated_at is null and desired = 'running'
      and (instance.created_at < ${begunBefore}::timestamptz
        or (not host.reachable and coalesce(reachable_changed_at, instance.created_at) < ${lostBefore}::timestamptz
          and instance.created_at < ${lostBefore}::timestamptz))
    order by instance.created_at limit ${limit}`.execute(database);
  return rows.map(({ id, lost }) => ({ id, isHostLost: lost }));
}
