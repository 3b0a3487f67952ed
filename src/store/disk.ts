// Disks of VMs while these live: added, changed, moved, and taken away to be erased by their host. What comes with a new VM is
// written with it, in `deployment.ts`.

import { sql } from 'kysely';
import type { StorageType } from '../model/hardware.ts';
import type { Database, Tx } from './database.ts';

/** A disk, as whoever changes it has to know it. */
export interface DiskState {
  id: string;
  number: bigint;
  instanceId: string;
  label: string;
  grade: string;
  sizeMib: number;
  iopsLimit: number | null;
  /** Null is its host's default pool. */
  poolId: bigint | null;
  /** What its backups take of its host, in GiB. */
  backupGib: number;
}

const stateColumns = sql`id, number, instance_id as "instanceId", label, grade, size_mib as "sizeMib",
  iops_limit as "iopsLimit", pool_id as "poolId",
  (select coalesce(sum(disk_gib), 0)::int from backup where backup.disk_id = disk.id) as "backupGib"`;

/** The disks of these VMs, each VM's in the order in which it sees them. */
export async function listDisks(database: Database, instanceIds: readonly string[]): Promise<DiskState[]> {
  const { rows } = await sql<DiskState>`
    select ${stateColumns} from disk where instance_id = any(${[...instanceIds]}::text[])
    order by instance_id, position`.execute(database);
  return rows;
}

/** One disk by its id; undefined when no VM has it. */
export async function findDisk(database: Database, { id }: { id: string }): Promise<DiskState | undefined> {
  const { rows } = await sql<DiskState>`select ${stateColumns} from disk where id = ${id}::uuid`.execute(database);
  return rows[0];
}

/** A disk that is to be there. It is blank. */
export interface NewDisk {
  id: string;
  instanceId: string;
  label: string;
  grade: string;
  sizeMib: number;
  /** Null is the default pool, and the kind of its host's storage. */
  pool: { id: bigint; storageType: StorageType } | null;
  createdAt: Date;
}

const nextPosition = (instanceId: string) =>
  sql<number>`(select coalesce(max(position), 0) + 1 from disk where instance_id = ${instanceId})`;

/** Writes a disk behind all others of its VM. */
export async function insertDisk(tx: Tx, disk: NewDisk): Promise<void> {
  const { id, instanceId, label, grade, sizeMib, pool, createdAt } = disk;
  await sql`
    insert into disk (id, instance_id, label, position, grade, size_mib, pool_id, imaging, storage_type, created_at)
    select ${id}::uuid, ${instanceId}, ${label}, ${nextPosition(instanceId)}, ${grade}, ${sizeMib}::int,
      ${pool?.id ?? null}::bigint, 0,
      coalesce(${pool?.storageType ?? null}, hardware -> 'storage' ->> 'type', 'SSD'), ${createdAt}::timestamptz
    from instance join host on host.id = host_id where instance.id = ${instanceId}`.execute(tx);
}

/** Notes in which pool a new disk lies. */
export async function putInPool(tx: Tx, id: string, pool: { id: bigint; storageType: StorageType }): Promise<void> {
  await tx.updateTable('disk').set({ pool_id: pool.id, storage_type: pool.storageType }).where('id', '=', id).execute();
}

/** Changes what a disk is; what is undefined stays. */
export async function updateDisk(
  tx: Tx,
  id: string,
  changes: { label?: string | undefined; sizeMib?: number | undefined; iopsLimit?: number | null | undefined },
): Promise<void> {
  const { label, sizeMib, iopsLimit } = changes;
  const columns = {
    ...(label === undefined ? {} : { label }),
    ...(sizeMib === undefined ? {} : { size_mib: sizeMib }),
    ...(iopsLimit === undefined ? {} : { iops_limit: iopsLimit }),
  };
  if (Object.keys(columns).length > 0) await tx.updateTable('disk').set(columns).where('id', '=', id).execute();
}

/** Gives a disk to another VM, behind all others of that one. */
export async function moveDisk(tx: Tx, id: string, instanceId: string): Promise<void> {
  await tx
    .updateTable('disk')
    .set({ instance_id: instanceId, position: nextPosition(instanceId) })
    .where('id', '=', id)
    .execute();
}

/** Takes a disk from its VM; its host is to erase it, and its room is taken until it has. Its backups go with it. */
export async function takeDiskAway(tx: Tx, { id, backupGib }: DiskState, now: Date): Promise<void> {
  await sql`
    insert into erasing_disk (id, instance_id, pool_id, size_mib, backup_gib, created_at)
    select id, instance_id, pool_id, size_mib, ${backupGib}::int, ${now}::timestamptz from disk where id = ${id}::uuid`.execute(
    tx,
  );
  await tx.deleteFrom('disk').where('id', '=', id).execute();
}

/** A disk that its host has erased or is to erase, with what it takes there. */
export interface ErasingDisk {
  id: string;
  instanceId: string;
  poolId: bigint | null;
  sizeMib: number;
  backupGib: number;
}

/** Whether any of these disks are still to be erased by a host. */
export async function areErasing(database: Database, hostId: string, ids: readonly string[]): Promise<boolean> {
  const row = await database
    .selectFrom('erasing_disk')
    .innerJoin('assignment', 'assignment.instance_id', 'erasing_disk.instance_id')
    .where('host_id', '=', hostId)
    .where(sql<boolean>`id::text = any(${[...ids]}::text[])`)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Forgets those of these disks that a host was to erase. The caller holds the host's row and gives their room back. */
export async function forgetErased(tx: Tx, hostId: string, ids: readonly string[]): Promise<ErasingDisk[]> {
  const rows = await tx
    .deleteFrom('erasing_disk')
    .using('assignment')
    .whereRef('assignment.instance_id', '=', 'erasing_disk.instance_id')
    .where('host_id', '=', hostId)
    .where(sql<boolean>`id::text = any(${[...ids]}::text[])`)
    .returning(['id', 'erasing_disk.instance_id', 'pool_id', 'size_mib', 'backup_gib'])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    instanceId: row.instance_id,
    poolId: row.pool_id,
    sizeMib: row.size_mib,
    backupGib: row.backup_gib,
  }));
}
