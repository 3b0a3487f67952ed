// Schedules of backups with whose they are, as whoever sees the VMs of their disks lists them.

import { type Expression, type SqlBool, sql } from 'kysely';
import type { Sight } from '../model/privilege.ts';
import { type BackupScheduleRow, columns, toRow } from './backup-schedule.ts';
import type { Database } from './database.ts';
import type { NumberWindow } from './disk-list.ts';
import { inSight } from './sight.ts';

/** A schedule, and the VM that has its disk. */
export type SeenBackupSchedule = BackupScheduleRow & { instanceId: string };

/** Which of the schedules in sight are asked for; what is left out does not narrow. */
export interface BackupScheduleFilter {
  id?: bigint | undefined;
  diskId?: string | undefined;
  instanceId?: string | undefined;
  accountId?: string | undefined;
}

/** Schedules that are in sight and asked for, the oldest first; one more than the window takes, if there is one. */
export async function listSeenBackupSchedules(
  database: Database,
  sight: Sight,
  filter: BackupScheduleFilter,
  { limit, after }: NumberWindow,
): Promise<SeenBackupSchedule[]> {
  const { id, diskId, instanceId, accountId } = filter;
  const rows = await database
    .selectFrom('backup_schedule')
    .innerJoin('disk', 'disk.id', 'backup_schedule.disk_id')
    .innerJoin('instance', 'instance.id', 'disk.instance_id')
    .where('kind', '=', 'vm')
    .where('status', 'not in', ['deleting', 'deleted'])
    .where(inSight(sight))
    .where((eb) => {
      const conditions: Expression<SqlBool>[] = [];
      if (id !== undefined) conditions.push(eb('backup_schedule.id', '=', id));
      if (diskId !== undefined) conditions.push(eb('backup_schedule.disk_id', '=', diskId));
      if (instanceId !== undefined) conditions.push(eb('disk.instance_id', '=', instanceId));
      if (accountId !== undefined) conditions.push(eb('instance.account_id', '=', accountId));
      if (after !== null) conditions.push(eb('backup_schedule.id', '>', after));
      return eb.and(conditions);
    })
    .select(columns.map((column) => `backup_schedule.${column}` as const))
    .select(sql<string>`disk.instance_id`.as('of_instance'))
    .orderBy('backup_schedule.id')
    .limit(limit + 1)
    .execute();
  return rows.map((row) => ({ ...toRow(row), instanceId: row.of_instance }));
}
