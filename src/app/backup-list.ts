// The backups and their schedules that a caller sees, listed and one by one. How they come and go stands in backup.ts and
// backup-schedule.ts.

import { BerthError } from '../model/errors.ts';
import { type PrivilegeLevel, sightOf } from '../model/privilege.ts';
import { type BackupFilter, listSeenBackups, type SeenBackup } from '../store/backup-list.ts';
import {
  type BackupScheduleFilter,
  listSeenBackupSchedules,
  type SeenBackupSchedule,
} from '../store/backup-schedule-list.ts';
import type { NumberWindow } from '../store/disk-list.ts';
import { type AtVm, type Caller, reachVm } from './access.ts';
import type { Context } from './context.ts';

export type { SeenBackup } from '../store/backup-list.ts';
export type { SeenBackupSchedule } from '../store/backup-schedule-list.ts';

const one: NumberWindow = { limit: 1, after: null };

/** The backups that a caller sees, the oldest first; one more than the window takes, if there is one. */
export function listBackupsInSight(
  { database }: Context,
  { grants }: Caller,
  filter: Omit<BackupFilter, 'id'>,
  window: NumberWindow,
): Promise<SeenBackup[]> {
  return listSeenBackups(database, sightOf(grants), filter, window);
}

/**
 * The backup that a caller names by its id, and the VM that has its disk.
 * @throws BerthError `not_found` where there is none that he may see, `forbidden` where he may not act on its VM as `level`
 */
export async function reachBackup(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel | 'see',
): Promise<{ at: AtVm; backup: SeenBackup }> {
  const [backup] = await listSeenBackups(context.database, sightOf(caller.grants), { id }, one);
  if (!backup) throw new BerthError('not_found', 'There is no such backup.');
  return { at: await reachVm(context, caller, { id: backup.instanceId }, level), backup };
}

/** The schedules of backups that a caller sees, the oldest first; one more than the window takes, if there is one. */
export function listBackupSchedulesInSight(
  { database }: Context,
  { grants }: Caller,
  filter: Omit<BackupScheduleFilter, 'id'>,
  window: NumberWindow,
): Promise<SeenBackupSchedule[]> {
  return listSeenBackupSchedules(database, sightOf(grants), filter, window);
}

/**
 * The schedule of backups that a caller names by its id, and the VM that has its disk.
 * @throws BerthError as {@link reachBackup} does
 */
export async function reachBackupSchedule(
  context: Context,
  caller: Caller,
  id: bigint,
  level: PrivilegeLevel | 'see',
): Promise<{ at: AtVm; schedule: SeenBackupSchedule }> {
  const [schedule] = await listSeenBackupSchedules(context.database, sightOf(caller.grants), { id }, one);
  if (!schedule) throw new BerthError('not_found', 'There is no such backup schedule.');
  return { at: await reachVm(context, caller, { id: schedule.instanceId }, level), schedule };
}
