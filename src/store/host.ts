// Hosts: what they can hold, what is sold of it, and when they were last heard of. Whoever changes what a host should do
// takes the host's row first, in id order where there are several; its revision counts those changes.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { Hardware } from '../model/hardware.ts';
import type { NetworkMode } from '../model/network.ts';
import type { Database, Tx } from './database.ts';

/**
 * Takes more of a host, where it has it left; what is below 0 is given back. The caller holds the host's row.
 * @returns whether it had
 */
export async function takeCapacity(tx: Tx, hostId: string, { vcpus, memoryMib, diskGib }: Size): Promise<boolean> {
  const { numAffectedRows } = await sql`
    update host set vcpus_used = vcpus_used + ${vcpus}::int, memory_mib_used = memory_mib_used + ${memoryMib}::int,
      disk_gib_used = disk_gib_used + ${diskGib}::int
    where id = ${hostId}::uuid and (${vcpus} <= 0 or vcpus_used + ${vcpus}::int <= vcpus_limit)
      and (${memoryMib} <= 0 or memory_mib_used + ${memoryMib}::int <= memory_mib_limit)
      and (${diskGib} <= 0 or disk_gib_used + ${diskGib}::int <= disk_gib_limit)`.execute(tx);
  return numAffectedRows === 1n;
}

/** Gives capacity back. The caller holds the host's row. */
export async function giveBackCapacity(tx: Tx, hostId: string, size: Size): Promise<void> {
  await tx
    .updateTable('host')
    .set((eb) => ({
      vcpus_used: eb('vcpus_used', '-', size.vcpus),
      memory_mib_used: eb('memory_mib_used', '-', size.memoryMib),
      disk_gib_used: eb('disk_gib_used', '-', size.diskGib),
    }))
    .where('id', '=', hostId)
    .execute();
}

/** Takes hosts' rows in id order and counts a change on each. @returns the new revisions by host id */
export async function bumpRevisions(tx: Tx, hostIds: readonly string[]): Promise<Map<string, bigint>> {
  const revisions = new Map<string, bigint>();
  for (const id of [...new Set(hostIds)].sort()) {
    const row = await tx
      .updateTable('host')
      .set((eb) => ({ revision: eb('revision', '+', 1n) }))
      .where('id', '=', id)
      .returning('revision')
      .executeTakeFirstOrThrow();
    revisions.set(id, row.revision);
  }
  return revisions;
}

/** A host's revision, or undefined when there is no such host. */
export async function readRevision(database: Database, hostId: string): Promise<bigint | undefined> {
  const row = await database.selectFrom('host').where('id', '=', hostId).select('revision').executeTakeFirst();
  return row?.revision;
}

/** The host that an agent's credential, given by its SHA-256, belongs to. */
export async function findHostByCredential(
  database: Database,
  credentialSha256: Uint8Array,
): Promise<string | undefined> {
  const row = await database
    .selectFrom('host')
    .where('credential_sha256', '=', credentialSha256)
    .select('id')
    .executeTakeFirst();
  return row?.id;
}

/** Writes a one-time token, given by its SHA-256, that enrols an agent as this host. */
export async function insertEnrolment(
  tx: Tx,
  row: { tokenSha256: Uint8Array; hostId: string; expiresAt: Date },
): Promise<void> {
  await tx
    .insertInto('enrolment')
    .values({ token_sha256: row.tokenSha256, host_id: row.hostId, expires_at: row.expiresAt, used_at: null })
    .execute();
}

/**
 * Uses up a one-time token and gives its host a new credential; the host's former credential is void.
 * @returns the host's id, or undefined when the token is unknown, used or expired
 */
export async function redeemEnrolment(
  tx: Tx,
  row: { tokenSha256: Uint8Array; credentialSha256: Uint8Array; now: Date },
): Promise<string | undefined> {
  const used = await tx
    .updateTable('enrolment')
    .set({ used_at: row.now })
    .where('token_sha256', '=', row.tokenSha256)
    .where('used_at', 'is', null)
    .where('expires_at', '>', row.now)
    .returning('host_id')
    .executeTakeFirst();
  if (!used) return undefined;
  await tx
    .updateTable('host')
    .set({ credential_sha256: row.credentialSha256 })
    .where('id', '=', used.host_id)
    .execute();
  return used.host_id;
}

/** Notes a heartbeat, with what the host said of itself and what it found that belongs to nobody. */
export async function writeHealth(
  database: Database,
  row: { hostId: string; seenAt: Date; inventory: Record<string, unknown>; strays: readonly string[] },
): Promise<void> {
  const columns = {
    last_seen_at: row.seenAt,
    inventory: JSON.stringify(row.inventory),
    strays: JSON.stringify(row.strays),
  };
  await database
    .insertInto('host_health')
    .values({ host_id: row.hostId, ...columns })
    .onConflict((conflict) => conflict.column('host_id').doUpdateSet(columns))
    .execute();
}

/**
 * Sets what may be sold of a host: its capacity times its ratios, less what orphans use on it, and never below what is
 * sold already. Writes, and so locks, only when a figure changes.
 */
export async function updateLimits(database: Database, hostId: string, capacity: Size): Promise<void> {
  await sql`
    with orphans as (
      select coalesce(sum(vcpus), 0) as vcpus, coalesce(sum(memory_mib), 0) as memory_mib, coalesce(sum(disk_gib), 0) as disk_gib
      from orphan where host_id = ${hostId} and state <> 'gone'
    )
    update host set
      vcpus_limit = greatest(vcpus_used, floor(${capacity.vcpus}::int * vcpu_overcommit) - orphans.vcpus),
      memory_mib_limit = greatest(memory_mib_used, floor(${capacity.memoryMib}::int * memory_overcommit) - orphans.memory_mib),
      disk_gib_limit = greatest(disk_gib_used, floor(${capacity.diskGib}::int * disk_overcommit) - orphans.disk_gib)
    from orphans
    where id = ${hostId} and (vcpus_limit, memory_mib_limit, disk_gib_limit) is distinct from (
      greatest(vcpus_used, floor(${capacity.vcpus}::int * vcpu_overcommit) - orphans.vcpus),
      greatest(memory_mib_used, floor(${capacity.memoryMib}::int * memory_overcommit) - orphans.memory_mib),
      greatest(disk_gib_used, floor(${capacity.diskGib}::int * disk_overcommit) - orphans.disk_gib))
  `.execute(database);
}

/** Whether a host has been heard of lately. */
export async function isReachable(database: Database, hostId: string): Promise<boolean> {
  const row = await database.selectFrom('host').where('id', '=', hostId).select('reachable').executeTakeFirst();
  return row?.reachable ?? false;
}

/** Whether any host is reachable and open to new instances. */
export async function isAnyHostOpen(database: Database): Promise<boolean> {
  const row = await database
    .selectFrom('host')
    .where('reachable', '=', true)
    .where('state', '=', 'open')
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** How a host connects its VMs. */
export async function networkModeOf(database: Database, hostId: string): Promise<NetworkMode | undefined> {
  const row = await database.selectFrom('host').where('id', '=', hostId).select('network').executeTakeFirst();
  return row?.network;
}

/** Whether any host connects its VMs to networks. */
export async function isAnyHostInNetworks(database: Database): Promise<boolean> {
  const query = database.selectFrom('host').where('network', '=', 'bridge').select('id').limit(1);
  return (await query.executeTakeFirst()) !== undefined;
}

/** A host as its report makes it. */
interface HeardOf {
  hostId: string;
  hardware: Hardware;
  /** Whether it has something that runs containers. */
  runsContainers: boolean;
  /** Of the GPUs that containers can be given. */
  gpuIds: readonly string[];
  network: NetworkMode;
}

/** What a host is made of, with the operator's overrides laid over what was found. */
function knownHardware(found: Hardware) {
  const part = (name: keyof Hardware) =>
    sql`${JSON.stringify(found[name])}::jsonb || coalesce(hardware_overrides -> ${sql.lit(name)}, '{}')`;
  return sql`jsonb_build_object('cpu', ${part('cpu')}, 'memory', ${part('memory')}, 'storage', ${part('storage')})`;
}

/** Whether there is anything for {@link noteReachable} to write; hardly ever, so a report need not lock its host's row. */
export async function isNewsOfHost(
  database: Database,
  { hostId, hardware, runsContainers, gpuIds, network }: HeardOf,
): Promise<boolean> {
  const { rows } = await sql<{ news: boolean }>`
    select not reachable or runs_containers <> ${runsContainers} or gpu_ids <> ${[...gpuIds]}::text[]
      or network <> ${network}
      or hardware is distinct from ${knownHardware(hardware)} as news
    from host where id = ${hostId}::uuid`.execute(database);
  return rows[0]?.news === true;
}

/** Notes that a host can be reached and what it is made of. @returns whether it was out of reach before */
export async function noteReachable(
  tx: Tx,
  { hostId, hardware, runsContainers, gpuIds, network }: HeardOf,
  now: Date,
): Promise<boolean> {
  const { rows } = await sql<{ returned: boolean }>`
    update host set hardware = ${knownHardware(hardware)}, runs_containers = ${runsContainers},
      gpu_ids = ${[...gpuIds]}::text[], network = ${network}, reachable = true,
      reachable_changed_at = case when reachable then reachable_changed_at else ${now}::timestamptz end
    where id = ${hostId}::uuid
    returning reachable_changed_at = ${now}::timestamptz as returned`.execute(tx);
  return rows[0]?.returned === true;
}

/** Lays the operator's overrides over what a host is made of, without a word of the host's. */
export async function writeHardware(tx: Tx, hostId: string, hardware: Hardware): Promise<void> {
  const known = knownHardware(hardware);
  await sql`update host set hardware = ${known} where id = ${hostId}::uuid and hardware is distinct from ${known}`.execute(
    tx,
  );
}

/** Notes that hosts last heard of before `before` are out of reach. @returns those that were in reach */
export async function noteUnreachable(
  tx: Tx,
  { before, now }: { before: Date; now: Date },
): Promise<{ id: string; name: string }[]> {
  const { rows } = await sql<{ id: string; name: string }>`
    update host set reachable = false, reachable_changed_at = ${now}::timestamptz
    where reachable and id in (
      select id from host join host_health on host_id = id
      where reachable and last_seen_at < ${before}::timestamptz order by id for update of host)
    returning id, name`.execute(tx);
  return rows;
}

/** Forgets one-time tokens that have expired before `before`. */
export async function forgetEnrolments(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('enrolment').where('expires_at', '<', before).execute();
}
