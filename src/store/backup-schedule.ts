// Schedules of backups.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/** A schedule as it is kept. */
export interface BackupScheduleRow {
  id: bigint;
  diskId: string;
  startAt: Date;
  intervalSeconds: number;
  capacity: number;
  doneAt: Date;
}

/** A schedule that is to be written. `doneAt`: nothing that was due up to then is made up for. */
export type NewBackupSchedule = Omit<BackupScheduleRow, 'id'>;

/** What a schedule is read from. */
export const columns = ['id', 'disk_id', 'start_at', 'interval_seconds', 'capacity', 'done_at'] as const;

/** A schedule out of its {@link columns}. */
export const toRow = (row: {
  id: bigint;
  disk_id: string;
  start_at: Date;
  interval_seconds: number;
  capacity: number;
  done_at: Date;
}): BackupScheduleRow => ({
  id: row.id,
  diskId: row.disk_id,
  startAt: row.start_at,
  intervalSeconds: row.interval_seconds,
  capacity: row.capacity,
  doneAt: row.done_at,
});

/** Schedules of these disks, in the order in which they were made. */
export async function listBackupSchedules(
  database: Database,
  diskIds: readonly string[],
): Promise<BackupScheduleRow[]> {
  if (diskIds.length === 0) return [];
  const rows = await database
    .selectFrom('backup_schedule')
    .where(sql<boolean>`disk_id = any(${[...diskIds]}::uuid[])`)
    .select(columns)
    .orderBy('id')
    .execute();
  return rows.map(toRow);
}

/** Schedules of the disks of these VMs, by their disks. */
export async function listSchedulesOfVms(
  database: Database,
  instanceIds: readonly string[],
): Promise<Map<string, BackupScheduleRow[]>> {
  if (instanceIds.length === 0) return new Map();
  const rows = await database
    .selectFrom('backup_schedule')
    .innerJoin('disk', 'disk.id', 'disk_id')
    .where(sql<boolean>`instance_id = any(${[...instanceIds]}::text[])`)
    .select(columns.map((column) => `backup_schedule.${column}` as const))
    .orderBy('backup_schedule.id')
    .execute();
  return Map.groupBy(rows.map(toRow), ({ diskId }) => diskId);
}

/** Writes schedules. @returns them with their numbers */
export async function insertBackupSchedules(
  tx: Tx,
  schedules: readonly NewBackupSchedule[],
): Promise<BackupScheduleRow[]> {
  if (schedules.length === 0) return [];
  const rows = await tx
    .insertInto('backup_schedule')
    .values(
      schedules.map((row) => ({
        disk_id: row.diskId,
        start_at: row.startAt,
        interval_seconds: row.intervalSeconds,
        capacity: row.capacity,
        done_at: row.doneAt,
      })),
    )
    .returning(columns)
    .execute();
  return rows.map(toRow);
}

/** Removes a schedule of a disk; what it has made stays. @returns whether there was one */
export async function removeBackupSchedule(tx: Tx, diskId: string, id: bigint): Promise<boolean> {
  const removed = await tx
    .deleteFrom('backup_schedule')
    .where('disk_id', '=', diskId)
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return removed !== undefined;
}

/**
 * Schedules by which a backup is due of a disk that is there, the longest overdue first.
 * @param limit how many at most
 */
export async function listDueSchedules(database: Database, now: Date, limit: number): Promise<BackupScheduleRow[]> {
  const rows = await database
    .selectFrom('backup_schedule')
    .innerJoin('disk', 'disk.id', 'backup_schedule.disk_id')
    .innerJoin('instance', 'instance.id', 'disk.instance_id')
    .where('status', 'in', ['launching', 'active', 'stopped'])
    .where(
      sql<boolean>`greatest(start_at, start_at + interval_seconds * interval '1 second'
        * (floor(extract(epoch from (done_at - start_at)) / interval_seconds) + 1)) <= ${now}::timestamptz`,
    )
    .select(columns.map((column) => `backup_schedule.${column}` as const))
    .orderBy('done_at')
    .limit(limit)
    .execute();
  return rows.map(toRow);
}

/** Notes up to when a schedule is done, unless another replica has done so. @returns whether this one has */
export async function noteScheduleDone(tx: Tx, id: bigint, before: Date, doneAt: Date): Promise<boolean> {
  const noted = await tx
    .updateTable('backup_schedule')
    .set({ done_at: doneAt })
    .where('id', '=', id)
    .where('done_at', '=', before)
    .returning('id')
    .executeTakeFirst();
  return noted !== undefined;
}

/** Finished backups that are more than their schedule keeps, the oldest of each, with the instance whose disk they are of. */
export async function listSurplus(database: Database, limit: number): Promise<{ id: string; instanceId: string }[]> {
  const { rows } = await sql<{ id: string; instanceId: string }>`
    select ranked.id, disk.instance_id as "instanceId" from (
      select backup.id, backup.disk_id, capacity,
        row_number() over (partition by schedule_id order by backup.created_at desc, number desc) as place
      from backup join backup_schedule on backup_schedule.id = schedule_id where state = 'ready'
    ) as ranked join disk on disk.id = ranked.disk_id
    where place > capacity limit ${limit}`.execute(database);
  return rows;
}
