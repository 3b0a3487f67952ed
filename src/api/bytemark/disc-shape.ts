// A disc as this dialect shows it. (Bytemark API: discs.)

import Type, { type Static } from 'typebox';
import type { DiskRow } from '../../store/overview.ts';
import { BackupScheduleSchema, toBackupSchedule } from './backup-shape.ts';
import { IdSchema, mediaType, Nullable } from './shape.ts';

export const DiscSchema = Type.Object({
  id: IdSchema,
  label: Type.String(),
  size: Type.Integer({ description: 'In MiB' }),
  storage_grade: Type.String(),
  storage_pool: Type.String({ description: 'Where it lies' }),
  iops_limit: Nullable(Type.Integer({ description: 'Reads and writes a second; null is as many as it can' })),
  backup_count: Type.Integer(),
  backup_schedules: Type.Array(BackupScheduleSchema),
  backups_enabled: Type.Boolean({ description: 'Whether any schedule backs it up' }),
  type: Type.String(),
  virtual_machine_id: IdSchema,
});
export type Disc = Static<typeof DiscSchema>;

/** A disk as a disc. */
export const toDisc = (disk: DiskRow): Disc => ({
  id: Number(disk.number),
  label: disk.label,
  size: disk.sizeMib,
  storage_grade: disk.grade,
  storage_pool: disk.pool,
  iops_limit: disk.iopsLimit,
  backup_count: disk.backups,
  backup_schedules: disk.backupSchedules.map(toBackupSchedule),
  backups_enabled: disk.backupSchedules.length > 0,
  type: mediaType('disc'),
  virtual_machine_id: Number(disk.vmNumber),
});
