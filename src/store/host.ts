// Hosts: what they can hold, what is sold of it, and when they were last heard of. Whoever changes what a host should do
// takes the host's row first, in id order where there are several; its revision counts those changes.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { RateCard } from '../model/price.ts';
import type { Database, Tx } from './database.ts';

/** What the agent said of its machine; its shape is the agent API's, and only these fields matter here. */
export interface StoredInventory {
  storageType: 'HDD' | 'SSD' | 'NVMe';
  cpuModel: string;
  [field: string]: unknown;
}

/** A host as placement sees it. Sizes are what is still free. */
export interface HostCapacity {
  id: string;
  name: string;
  priceId: string;
  rates: RateCard;
  storageType: 'HDD' | 'SSD' | 'NVMe';
  free: Size;
  lastSeenAt: Date;
}

/** Every host that has ever reported, with what is free on it now. */
export async function listHostCapacities(database: Database): Promise<HostCapacity[]> {
  const rows = await database
    .selectFrom('host')
    .innerJoin('host_health', 'host_health.host_id', 'host.id')
    .innerJoin('price', 'price.id', 'host.price_id')
    .select([
      'host.id',
      'host.name',
      'price_id',
      'vcpu_micro_usd',
      'memory_gib_micro_usd',
      'storage_gib_micro_usd',
      'public_ip_micro_usd',
      'inventory',
      'last_seen_at',
      sql<number>`vcpus_limit - vcpus_used`.as('vcpus'),
      sql<number>`memory_mib_limit - memory_mib_used`.as('memory_mib'),
      sql<number>`disk_gib_limit - disk_gib_used`.as('disk_gib'),
    ])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    priceId: row.price_id,
    rates: {
      vcpuMicroUsd: row.vcpu_micro_usd,
      memoryGibMicroUsd: row.memory_gib_micro_usd,
      storageGibMicroUsd: row.storage_gib_micro_usd,
      publicIpMicroUsd: row.public_ip_micro_usd,
    },
    storageType: (row.inventory as StoredInventory).storageType,
    free: { vcpus: row.vcpus, memoryMib: row.memory_mib, diskGib: row.disk_gib },
    lastSeenAt: row.last_seen_at,
  }));
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

/** Operator's terms of a host: what it costs and how far its resources are sold over. */
export interface HostTerms {
  priceId: string;
  vcpuOvercommit: number;
  memoryOvercommit: number;
  diskOvercommit: number;
}

/** Makes sure of a host with this name under these terms. @returns its id, new or not */
export async function ensureHost(
  tx: Tx,
  row: { id: string; name: string; terms: HostTerms; now: Date },
): Promise<string> {
  const terms = {
    price_id: row.terms.priceId,
    vcpu_overcommit: row.terms.vcpuOvercommit,
    memory_overcommit: row.terms.memoryOvercommit,
    disk_overcommit: row.terms.diskOvercommit,
  };
  const host = await tx
    .insertInto('host')
    .values({ id: row.id, name: row.name, credential_sha256: null, ...terms, created_at: row.now })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(terms))
    .returning('id')
    .executeTakeFirstOrThrow();
  return host.id;
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

/** How many hosts have reported since `since`. */
export async function countHostsSeenSince(database: Database, since: Date): Promise<number> {
  const row = await database
    .selectFrom('host_health')
    .where('last_seen_at', '>', since)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Forgets one-time tokens that have expired before `before`. */
export async function forgetEnrolments(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('enrolment').where('expires_at', '<', before).execute();
}
