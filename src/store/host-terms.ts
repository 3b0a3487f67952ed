// The operator's side of hosts: how they stand in the market, what is sold of them, and on which terms. What a host's own
// reports change stands in host.ts.

import { type RawBuilder, sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { Hardware, HardwareOverrides } from '../model/hardware.ts';
import type { HostState, Overcommit } from '../model/host.ts';
import { isUuid } from '../model/id.ts';
import type { NetworkMode } from '../model/network.ts';
import type { RateCard } from '../model/price.ts';
import type { Database, Tx } from './database.ts';
import { type RawRates, rateColumns, toRates } from './price.ts';

/** What a host begins with. */
export interface NewHost {
  id: string;
  name: string;
  priceId: string;
  overcommit: Overcommit;
  datacenterId?: string | null;
  now: Date;
}

/** Makes sure of a host with this name; one that is there keeps its terms. @returns its id, and whether it is new */
export async function ensureHost(tx: Tx, row: NewHost): Promise<{ id: string; isNew: boolean }> {
  const written = await tx
    .insertInto('host')
    .values({
      id: row.id,
      name: row.name,
      credential_sha256: null,
      price_id: row.priceId,
      vcpu_overcommit: row.overcommit.cpu,
      memory_overcommit: row.overcommit.memory,
      disk_overcommit: row.overcommit.disk,
      datacenter_id: row.datacenterId ?? null,
      created_at: row.now,
    })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('id')
    .executeTakeFirst();
  if (written) return { id: written.id, isNew: true };
  const found = await tx.selectFrom('host').where('name', '=', row.name).select('id').executeTakeFirstOrThrow();
  return { id: found.id, isNew: false };
}

/** A host's row, as far as its terms go. */
export interface HostTerms {
  id: string;
  name: string;
  state: HostState;
  overcommit: Overcommit;
  hardwareOverrides: HardwareOverrides;
  priceId: string;
  rates: RateCard;
}

/**
 * A host by its name or its id.
 * @param lock takes its row until the transaction ends
 */
export async function findHost(
  tx: Database,
  nameOrId: string,
  { lock }: { lock: boolean },
): Promise<HostTerms | undefined> {
  const { rows } = await sql<HostTerms & RawRates>`
    select host.id, name, state, price_id as "priceId", hardware_overrides as "hardwareOverrides", jsonb_build_object(
      'cpu', vcpu_overcommit, 'memory', memory_overcommit, 'disk', disk_overcommit) as overcommit, ${rateColumns}
    from host join price on price.id = price_id
    where name = ${nameOrId} or host.id = ${isUuid(nameOrId) ? nameOrId : null}::uuid
    order by name = ${nameOrId} desc limit 1
    ${lock ? sql`for update of host` : sql``}`.execute(tx);
  const [row] = rows;
  return row && { ...row, rates: toRates(row) };
}

/** What an operator may change of a host; what is undefined stays. */
export interface HostChanges {
  name?: string;
  priceId?: string;
  state?: HostState;
  datacenterId?: string | null;
  overcommit?: Overcommit;
  hardwareOverrides?: HardwareOverrides;
  additionalDiskGibMax?: number | null;
}

/** Changes a host. The caller holds its row. */
export async function updateHost(tx: Tx, id: string, changes: HostChanges): Promise<void> {
  const { name, priceId, state, datacenterId, overcommit, hardwareOverrides, additionalDiskGibMax } = changes;
  const columns = {
    ...(name === undefined ? {} : { name }),
    ...(priceId === undefined ? {} : { price_id: priceId }),
    ...(state === undefined ? {} : { state }),
    ...(datacenterId === undefined ? {} : { datacenter_id: datacenterId }),
    ...(overcommit === undefined
      ? {}
      : {
          vcpu_overcommit: overcommit.cpu,
          memory_overcommit: overcommit.memory,
          disk_overcommit: overcommit.disk,
        }),
    ...(hardwareOverrides === undefined ? {} : { hardware_overrides: JSON.stringify(hardwareOverrides) }),
    ...(additionalDiskGibMax === undefined ? {} : { additional_disk_gib_max: additionalDiskGibMax }),
  };
  if (Object.keys(columns).length > 0) await tx.updateTable('host').set(columns).where('id', '=', id).execute();
}

/** How many instances a host still holds something of. */
export async function countAssignments(database: Database, hostId: string): Promise<number> {
  const row = await database
    .selectFrom('assignment')
    .where('host_id', '=', hostId)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** What a host last said of itself; undefined when it never did. */
export async function readInventory(database: Database, hostId: string): Promise<Record<string, unknown> | undefined> {
  const row = await database
    .selectFrom('host_health')
    .where('host_id', '=', hostId)
    .select('inventory')
    .executeTakeFirst();
  return row?.inventory;
}

/** A host as its operator sees it. Rates are in micro-USD an epoch. */
export interface HostRow {
  id: string;
  name: string;
  state: HostState;
  reachable: boolean;
  lastSeenAt: Date | null;
  datacenter: string | null;
  datacenterId: string | null;
  priceId: string;
  rates: RateCard;
  overcommit: Overcommit;
  limit: Size;
  used: Size;
  instances: number;
  orphans: number;
  hardware: Partial<Hardware>;
  hardwareOverrides: HardwareOverrides;
  additionalDiskGibMax: number | null;
  /** How it connects its VMs. */
  network: NetworkMode;
  /** What it last said of itself; null when it never did. */
  inventory: Record<string, unknown> | null;
  /** What it last found there that belongs to nothing it knows of. */
  strays: string[];
  createdAt: Date;
}

/** Which hosts are asked for; what is undefined excludes none. */
export interface HostFilter {
  id?: string | undefined;
  state?: HostState | undefined;
  reachable?: boolean | undefined;
  /** A datacenter's name or id. */
  datacenter?: string | undefined;
  /** The name that they come after. */
  after?: string | undefined;
  limit?: number | undefined;
}

/** Hosts by their names. */
export async function listHosts(database: Database, filter: HostFilter = {}): Promise<HostRow[]> {
  const { id, state, reachable, datacenter, after, limit } = filter;
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  if (id !== undefined) conditions.push(sql`host.id = ${id}::uuid`);
  if (state !== undefined) conditions.push(sql`state = ${state}`);
  if (reachable !== undefined) conditions.push(sql`reachable = ${reachable}`);
  if (after !== undefined) conditions.push(sql`host.name > ${after}`);
  if (datacenter !== undefined) {
    const datacenterId = isUuid(datacenter) ? datacenter : null;
    conditions.push(sql`(slug = ${datacenter} or datacenter_id = ${datacenterId}::uuid)`);
  }
  const { rows } = await sql<
    Omit<HostRow, 'rates' | 'instances' | 'orphans'> & RawRates & { instances: bigint; orphans: bigint }
  >`
    select host.id, host.name, state, reachable, last_seen_at as "lastSeenAt", slug as datacenter,
      datacenter_id as "datacenterId", price_id as "priceId", ${rateColumns},
      jsonb_build_object('cpu', vcpu_overcommit, 'memory', memory_overcommit, 'disk', disk_overcommit) as overcommit,
      jsonb_build_object('vcpus', vcpus_limit, 'memoryMib', memory_mib_limit, 'diskGib', disk_gib_limit) as limit,
      jsonb_build_object('vcpus', vcpus_used, 'memoryMib', memory_mib_used, 'diskGib', disk_gib_used) as used,
      (select count(*) from assignment where assignment.host_id = host.id) as instances,
      (select count(*) from orphan where orphan.host_id = host.id and orphan.state <> 'gone') as orphans,
      hardware, hardware_overrides as "hardwareOverrides", additional_disk_gib_max as "additionalDiskGibMax",
      network, inventory, coalesce(strays, '[]') as strays, host.created_at as "createdAt"
    from host join price on price.id = price_id
      left join host_health on host_health.host_id = host.id left join datacenter on datacenter.id = datacenter_id
    where ${sql.join(conditions, sql` and `)}
    order by host.name limit ${limit ?? null}::int`.execute(database);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    state: row.state,
    reachable: row.reachable,
    lastSeenAt: row.lastSeenAt,
    datacenter: row.datacenter,
    datacenterId: row.datacenterId,
    priceId: row.priceId,
    rates: toRates(row),
    overcommit: row.overcommit,
    limit: row.limit,
    used: row.used,
    instances: Number(row.instances),
    orphans: Number(row.orphans),
    hardware: row.hardware,
    hardwareOverrides: row.hardwareOverrides,
    additionalDiskGibMax: row.additionalDiskGibMax,
    network: row.network,
    inventory: row.inventory,
    strays: row.strays,
    createdAt: row.createdAt,
  }));
}
