// A backup and a schedule of backups as this dialect shows them. (Bytemark API: backups and schedules.)

import Type, { type Static } from 'typebox';
import type { BackupRow } from '../../app/backup.ts';
import type { BackupScheduleRow, ScheduleRequest } from '../../app/backup-schedule.ts';
import type { DiskRow } from '../../app/overview.ts';
import type { Attributes } from './attributes.ts';
import { IdSchema, mediaType } from './shape.ts';

/** The grade of a finished backup; until then clients read it as in progress. */
const finishedGrade = 'iceberg';

export const BackupSchema = Type.Object({
  id: IdSchema,
  label: Type.String(),
  manual: Type.Boolean({ description: 'Whether somebody asked for it, and no schedule' }),
  parent_disc_id: IdSchema,
  size: Type.Integer({ description: 'In MiB' }),
  storage_grade: Type.String({ description: `${finishedGrade} once it is finished, until then that of its disc` }),
  storage_pool: Type.String(),
  type: Type.String(),
  virtual_machine_id: IdSchema,
});

/** A backup of a disk. */
export const toBackup = (backup: BackupRow, disk: DiskRow): Static<typeof BackupSchema> => ({
  id: Number(backup.number),
  label: backup.label,
  manual: backup.scheduleId === null,
  parent_disc_id: Number(disk.number),
  size: backup.sizeMib,
  storage_grade: backup.state === 'ready' ? finishedGrade : disk.grade,
  storage_pool: disk.pool,
  type: mediaType('disc'),
  virtual_machine_id: Number(disk.vmNumber),
});

export const BackupScheduleSchema = Type.Object({
  id: IdSchema,
  start_at: Type.String(),
  interval_seconds: Type.Integer(),
  capacity: Type.Integer({ description: 'How many it keeps' }),
});

/** A schedule of a disk's backups. */
export const toBackupSchedule = (schedule: BackupScheduleRow): Static<typeof BackupScheduleSchema> => ({
  id: Number(schedule.id),
  start_at: schedule.startAt.toISOString(),
  interval_seconds: schedule.intervalSeconds,
  capacity: schedule.capacity,
});

/** A schedule as it is asked for. */
export const readSchedule = (given: Attributes): ScheduleRequest => ({
  startAt: given.filledText('start_at'),
  intervalSeconds: given.number('interval_seconds'),
  capacity: given.number('capacity'),
});
