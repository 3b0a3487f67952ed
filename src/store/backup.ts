// Backups of disks: written when somebody or a schedule wants one, and read as their owners and their hosts see them.

import { type Selectable, sql } from 'kysely';
import type { BackupState } from '../model/backup.ts';
import type { Database, Tx } from './database.ts';
import type { Tables } from './tables.ts';

/** A backup as it is kept. */
export interface BackupRow {
  id: string;
  number: bigint;
  diskId: string;
  label: string;
  sizeMib: number;
  scheduleId: bigint | null;
  state: BackupState;
  diskGib: number;
  createdAt: Date;
}

/** A backup that is wanted. */
export interface NewBackup {
  id: string;
  diskId: string;
  label: string;
  sizeMib: number;
  scheduleId: bigint | null;
  diskGib: number;
  createdAt: Date;
}

/** What a backup is read from. */
export const columns = [
  'id',
  'number',
  'disk_id',
  'label',
  'size_mib',
  'schedule_id',
  'state',
  'disk_gib',
  'created_at',
] as const;

/** Backups of these disks, the oldest first. */
export async function listBackups(database: Database, diskIds: readonly string[]): Promise<BackupRow[]> {
  if (diskIds.length === 0) return [];
  const rows = await database
    .selectFrom('backup')
    .where(sql<boolean>`disk_id = any(${[...diskIds]}::uuid[])`)
    .select(columns)
    .orderBy('created_at')
    .orderBy('number')
    .execute();
  return rows.map(toBackup);
}

/** A backup out of its {@link columns}. */
export const toBackup = (row: Pick<Selectable<Tables['backup']>, (typeof columns)[number]>): BackupRow => ({
  id: row.id,
  number: row.number,
  diskId: row.disk_id,
  label: row.label,
  sizeMib: row.size_mib,
  scheduleId: row.schedule_id,
  state: row.state,
  diskGib: row.disk_gib,
  createdAt: row.created_at,
});

/** Writes a backup that is wanted. */
export async function insertBackup(tx: Tx, row: NewBackup): Promise<void> {
  await tx
    .insertInto('backup')
    .values({
      id: row.id,
      disk_id: row.diskId,
      label: row.label,
      size_mib: row.sizeMib,
      schedule_id: row.scheduleId,
      state: 'wanted',
      disk_gib: row.diskGib,
      created_at: row.createdAt,
    })
    .execute();
}

/** Writes what has become of backups that are in another state. */
export async function writeBackups(tx: Tx, ids: readonly string[], state: BackupState): Promise<void> {
  if (ids.length === 0) return;
  await tx.updateTable('backup').set({ state }).where(anyOf(ids)).execute();
}

/** How many backups there are of each disk of these VMs that has any. */
export async function countBackups(database: Database, instanceIds: readonly string[]): Promise<Map<string, number>> {
  if (instanceIds.length === 0) return new Map();
  const rows = await database
    .selectFrom('backup')
    .innerJoin('disk', 'disk.id', 'disk_id')
    .where(sql<boolean>`instance_id = any(${[...instanceIds]}::text[])`)
    .where('state', '!=', 'erasing')
    .groupBy('disk_id')
    .select(['disk_id', (eb) => eb.fn.countAll<bigint>().as('count')])
    .execute();
  return new Map(rows.map(({ disk_id: diskId, count }) => [diskId, Number(count)]));
}

/** A backup that a host speaks of, and whose it is. */
export interface ToldBackup {
  id: string;
  label: string;
  state: BackupState;
  diskGib: number;
  poolId: bigint | null;
  instanceId: string;
  accountId: string;
}

/** Those of these backups that are of disks on a host. */
export async function listToldBackups(
  database: Database,
  hostId: string,
  ids: readonly string[],
): Promise<ToldBackup[]> {
  const rows = await database
    .selectFrom('backup')
    .innerJoin('disk', 'disk.id', 'backup.disk_id')
    .innerJoin('instance', 'instance.id', 'disk.instance_id')
    .innerJoin('assignment', 'assignment.instance_id', 'instance.id')
    .where('assignment.host_id', '=', hostId)
    .where(sql<boolean>`backup.id = any(${[...ids]}::uuid[])`)
    .select([
      'backup.id',
      'backup.label',
      'state',
      'backup.disk_gib',
      'pool_id',
      'disk.instance_id',
      'instance.account_id',
    ])
    .orderBy('backup.id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    label: row.label,
    state: row.state,
    diskGib: row.disk_gib,
    poolId: row.pool_id,
    instanceId: row.instance_id,
    accountId: row.account_id,
  }));
}

/** Removes backups of which their host has nothing any more. */
export async function removeBackups(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await tx.deleteFrom('backup').where(anyOf(ids)).execute();
}

/** Asks for a disk's content anew, made from a backup. */
export async function restoreDisk(tx: Tx, diskId: string, backupId: string): Promise<void> {
  await tx
    .updateTable('disk')
    .set(({ eb }) => ({ imaging: eb('imaging', '+', 1), restored_from: backupId }))
    .where('id', '=', diskId)
    .execute();
}

const anyOf = (ids: readonly string[]) => sql<boolean>`id = any(${[...ids]}::uuid[])`;
