// Storage pools: what hosts say of theirs, and what is sold of them. The account of a host's default pool is the host's own.

import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import type { StorageType } from '../model/hardware.ts';
import { defaultPoolLabel, type Pool } from '../model/storage-pool.ts';
import type { Database, Tx } from './database.ts';

/** A pool as its host tells of it. */
export interface ToldPool {
  label: string;
  grades: readonly string[];
  storageType: StorageType;
  sizeGib: number;
  freeGib: number;
}

/**
 * Notes what a host says of its pools. One that it has no more stays, for what lies there, and gets nothing new. What is sold
 * already stays sold. Writes only what changes, and one row at a time: who takes room has a host's row and then its pools'.
 */
export async function writePools(database: Database, hostId: string, pools: readonly ToldPool[]): Promise<void> {
  await writeGrades(database, hostId, pools);
  const known = await database
    .selectFrom('storage_pool')
    .where('host_id', '=', hostId)
    .select(['label', 'grades', 'storage_type as storageType', 'size_gib as sizeGib', 'free_gib as freeGib', 'present'])
    .execute();
  const labels = new Set(pools.map(({ label }) => label));
  for (const { label, present } of known) {
    if (!present || labels.has(label)) continue;
    await database
      .updateTable('storage_pool')
      .set({ present: false })
      .where('host_id', '=', hostId)
      .where('label', '=', label)
      .execute();
  }
  for (const pool of pools) {
    const before = known.find(({ label }) => label === pool.label);
    if (!isDeepStrictEqual(before, { ...pool, present: true })) await writePool(database, hostId, pool);
  }
}

async function writePool(database: Database, hostId: string, pool: ToldPool): Promise<void> {
  const { label, grades, storageType, sizeGib, freeGib } = pool;
  // The account of the default pool is the host's own.
  const soldGib = label === defaultPoolLabel ? 0 : sizeGib;
  await sql`
    insert into storage_pool as known (host_id, label, grades, storage_type, size_gib, free_gib, gib_limit)
    select id, ${label}, ${[...grades]}::text[], ${storageType}, ${sizeGib}::int, ${freeGib}::int,
      floor(${soldGib}::int * disk_overcommit)
    from host where id = ${hostId}::uuid
    on conflict (host_id, label) do update set grades = excluded.grades, storage_type = excluded.storage_type,
      size_gib = excluded.size_gib, free_gib = excluded.free_gib, present = true,
      gib_limit = greatest(known.gib_used, excluded.gib_limit)`.execute(database);
}

/** Notes what a host's disks can be sold as. */
async function writeGrades(database: Database, hostId: string, pools: readonly ToldPool[]): Promise<void> {
  const own = pools.find(({ label }) => label === defaultPoolLabel)?.grades ?? [];
  const apart = [...new Set(pools.flatMap(({ label, grades }) => (label === defaultPoolLabel ? [] : grades)))].sort();
  await sql`
    update host set storage_grades = ${[...own]}::text[], apart_grades = ${apart}::text[]
    where id = ${hostId}::uuid
      and (storage_grades, apart_grades) is distinct from (${[...own]}::text[], ${apart}::text[])`.execute(database);
}

/** The pools of a host that can take disks, with what is left of each to sell. */
export async function listPools(database: Database, hostId: string): Promise<Pool[]> {
  const { rows } = await sql<Pool>`
    select storage_pool.id, label, grades, storage_type as "storageType",
      case when label = ${defaultPoolLabel} then disk_gib_limit - disk_gib_used else gib_limit - gib_used end as "freeGib"
    from storage_pool join host on host.id = host_id
    where host_id = ${hostId}::uuid and present
    order by storage_pool.id`.execute(database);
  return rows;
}

/**
 * Takes room for an assignment on its host, or gives some back. The caller holds the host's row.
 * @param poolId null is the default pool
 * @param gib how much more it takes, below 0 how much less
 * @returns false when there is not so much left; nothing is taken then
 */
export async function takeDiskRoom(tx: Tx, instanceId: string, poolId: bigint | null, gib: number): Promise<boolean> {
  if (gib === 0) return true;
  const taken = poolId === null ? await takeOfHost(tx, instanceId, gib) : await takeOfPool(tx, instanceId, poolId, gib);
  return taken > 0;
}

async function takeOfHost(tx: Tx, instanceId: string, gib: number): Promise<number> {
  const { rows } = await sql`
    with taken as (
      update host set disk_gib_used = disk_gib_used + ${gib}::int
      from assignment where instance_id = ${instanceId} and host.id = assignment.host_id
        and (${gib}::int < 0 or disk_gib_used + ${gib}::int <= disk_gib_limit)
      returning host.id
    )
    update assignment set disk_gib = disk_gib + ${gib}::int from taken
    where instance_id = ${instanceId} returning instance_id`.execute(tx);
  return rows.length;
}

async function takeOfPool(tx: Tx, instanceId: string, poolId: bigint, gib: number): Promise<number> {
  const { rows } = await sql`
    insert into assignment_pool (instance_id, pool_id, gib) values (${instanceId}, ${poolId}::bigint, 0)
    on conflict do nothing`
    .execute(tx)
    .then(() =>
      sql`
    update assignment_pool set gib = gib + ${gib}::int from storage_pool
    where instance_id = ${instanceId} and pool_id = ${poolId}::bigint and storage_pool.id = pool_id
      and (${gib}::int < 0 or gib_used + ${gib}::int <= gib_limit)
    returning instance_id`.execute(tx),
    );
  return rows.length;
}
