// Disks with all that is said of them, as whoever sees their VMs lists them.

import { type Expression, type SqlBool, sql } from 'kysely';
import type { Sight } from '../model/privilege.ts';
import { defaultPoolLabel, poolName } from '../model/storage-pool.ts';
import type { Database } from './database.ts';
import { inSight } from './sight.ts';

/** A disk with all that is said of it. */
export interface SeenDisk {
  id: string;
  number: bigint;
  instanceId: string;
  label: string;
  grade: string;
  sizeMib: number;
  /** Reads and writes a second; null is as many as it can. */
  iopsLimit: number | null;
  /** The name of the storage pool that it lies in. */
  pool: string;
  /** Its place among its VM's disks, from 1 on; the first is booted from. */
  position: number;
  /** How many backups of it there are, or are being made. */
  backups: number;
  /** The backup that its content was asked to be made of. */
  restoredFrom: string | null;
  createdAt: Date;
}

/** Which of the disks in sight are asked for; what is left out does not narrow. */
export interface DiskFilter {
  id?: string | undefined;
  instanceId?: string | undefined;
  accountId?: string | undefined;
  label?: string | undefined;
  grade?: string | undefined;
}

/** Part of a list that is sorted by numbers. */
export interface NumberWindow {
  limit: number;
  /** The number of the row before the first; null for the beginning. */
  after: bigint | null;
}

/** Disks that are in sight and asked for, in the order in which they were made; one more than the window takes, if there is one. */
export async function listSeenDisks(
  database: Database,
  sight: Sight,
  filter: DiskFilter,
  { limit, after }: NumberWindow,
): Promise<SeenDisk[]> {
  const { id, instanceId, accountId, label, grade } = filter;
  const rows = await database
    .selectFrom('disk')
    .innerJoin('instance', 'instance.id', 'disk.instance_id')
    .innerJoin('host', 'host.id', 'instance.host_id')
    .leftJoin('storage_pool', 'storage_pool.id', 'disk.pool_id')
    .where('kind', '=', 'vm')
    .where('status', 'not in', ['deleting', 'deleted'])
    .where(inSight(sight))
    .where((eb) => {
      const conditions: Expression<SqlBool>[] = [];
      if (id !== undefined) conditions.push(eb('disk.id', '=', id));
      if (instanceId !== undefined) conditions.push(eb('disk.instance_id', '=', instanceId));
      if (accountId !== undefined) conditions.push(eb('instance.account_id', '=', accountId));
      if (label !== undefined) conditions.push(eb('disk.label', '=', label));
      if (grade !== undefined) conditions.push(eb('disk.grade', '=', grade));
      if (after !== null) conditions.push(eb('disk.number', '>', after));
      return eb.and(conditions);
    })
    .select(['disk.id', 'disk.number', 'disk.instance_id', 'disk.label', 'grade', 'size_mib', 'iops_limit'])
    .select(['restored_from', 'disk.created_at', 'host.name as host', 'storage_pool.label as pool_label'])
    .select([
      sql<number>`(select count(*)::int from disk as other
        where other.instance_id = disk.instance_id and other.position <= disk.position)`.as('place'),
      sql<number>`(select count(*)::int from backup where backup.disk_id = disk.id and state <> 'erasing')`.as(
        'backups',
      ),
    ])
    .orderBy('disk.number')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    number: row.number,
    instanceId: row.instance_id,
    label: row.label,
    grade: row.grade,
    sizeMib: row.size_mib,
    iopsLimit: row.iops_limit,
    pool: poolName(row.host, row.pool_label ?? defaultPoolLabel),
    position: row.place,
    backups: row.backups,
    restoredFrom: row.restored_from,
    createdAt: row.created_at,
  }));
}
