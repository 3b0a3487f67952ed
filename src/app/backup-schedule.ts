// Schedules of backups: what they may be, and doing what is due by them. Each due moment is done by one replica, once; those
// that nobody was there for are passed over, but for the last.

import { intervalSecondsMax, intervalSecondsMin, lastDue, parseStart, schedulesMax } from '../model/backup.ts';
import { BerthError, type FieldFaults, InvalidFields } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { writeBackups } from '../store/backup.ts';
import * as store from '../store/backup-schedule.ts';
import { inTransaction } from '../store/database.ts';
import { findDisk } from '../store/disk.ts';
import { changeBackups, requireHere, wantBackup } from './backup.ts';
import type { Context } from './context.ts';

export type { BackupScheduleRow } from '../store/backup-schedule.ts';

/** Schedules done in one pass; the next pass takes the others. */
const dueMax = 100;
/** Backups that one schedule keeps. */
const capacityMax = 50;

/** A schedule as it is asked for; what is undefined was not given. */
export interface ScheduleRequest {
  startAt: string | undefined;
  intervalSeconds: number | undefined;
  /** 0 is as many as nobody asks for: one. */
  capacity: number | undefined;
}

/** A schedule that may be made. */
export interface CheckedSchedule {
  startAt: Date;
  intervalSeconds: number;
  capacity: number;
}

/** What is wrong with a schedule, by its fields as Bytemark's API calls them; or the schedule. */
export function checkSchedule(
  request: ScheduleRequest,
  now: Date,
): { schedule: CheckedSchedule; faults?: never } | { faults: FieldFaults } {
  const { startAt, intervalSeconds, capacity = 0 } = request;
  const faults: Record<string, string[]> = {};
  const begin = startAt === undefined ? null : parseStart(startAt, now);
  if (startAt === undefined) faults.start_at = ['Missing start_at parameter'];
  else if (begin === null) faults.start_at = ['is invalid'];
  if (intervalSeconds === undefined) faults.interval_seconds = ['Missing interval_seconds parameter'];
  else {
    const fault = faultOf(intervalSeconds, intervalSecondsMin, intervalSecondsMax);
    if (fault) faults.interval_seconds = [fault];
  }
  const capacityFault = faultOf(capacity, 0, capacityMax);
  if (capacityFault) faults.capacity = [capacityFault];
  if (Object.keys(faults).length > 0 || begin === null || intervalSeconds === undefined) return { faults };
  return { schedule: { startAt: begin, intervalSeconds, capacity: Math.max(1, capacity) } };
}

function faultOf(count: number, min: number, max: number): string | null {
  if (!Number.isInteger(count)) return 'must be an integer';
  if (count < min) return `must be greater than or equal to ${min}`;
  return count > max ? `must be less than or equal to ${max}` : null;
}

/**
 * Adds a schedule to a disk.
 * @throws InvalidFields, BerthError `wrong_state` where the disk has too many, or its VM is deleted
 */
export async function addBackupSchedule(
  context: Context,
  instanceId: string,
  diskId: string,
  request: ScheduleRequest,
): Promise<store.BackupScheduleRow> {
  const now = context.clock.now();
  const checked = checkSchedule(request, now);
  if (checked.faults) throw new InvalidFields(checked.faults);
  let added: store.BackupScheduleRow | undefined;
  await changeBackups(context, instanceId, async (tx, handle) => {
    requireHere(handle);
    const { length } = await store.listBackupSchedules(tx, [diskId]);
    if (length >= schedulesMax) {
      throw new BerthError('wrong_state', `The disc has ${length} schedules; at most ${schedulesMax} are taken.`);
    }
    [added] = await store.insertBackupSchedules(tx, [{ diskId, ...checked.schedule, doneAt: now }]);
  });
  if (!added) throw new Error('The schedule was not written.');
  return added;
}

/** Removes a schedule of a disk; the backups that it has made stay. @throws BerthError `not_found` */
export async function removeBackupSchedule(context: Context, diskId: string, id: bigint): Promise<void> {
  const removed = await inTransaction(context.database, (tx) => store.removeBackupSchedule(tx, diskId, id));
  if (!removed) throw new BerthError('not_found', 'The disc has no such schedule.');
}

/** Wants the backups that are due, and lets go of those that are too many. */
export async function doDueBackups(context: Context): Promise<void> {
  const due = await store.listDueSchedules(context.database, context.clock.now(), dueMax);
  for (const schedule of due) await doDue(context, schedule);
}

async function doDue(context: Context, schedule: store.BackupScheduleRow): Promise<void> {
  const dueAt = lastDue(schedule, context.clock.now());
  const disk = await findDisk(context.database, { id: schedule.diskId });
  if (dueAt === null || !disk) return;
  try {
    const hostId = await changeBackups(context, disk.instanceId, async (tx, handle) => {
      if (!(await store.noteScheduleDone(tx, schedule.id, schedule.doneAt, dueAt))) return;
      const subject = { instanceId: disk.instanceId, diskId: disk.id };
      const by = { id: newUuid(context.entropy), actor: 'berth', scheduleId: schedule.id };
      await wantBackup(context, tx, handle, subject, by);
    });
    context.wakeups.changed([hostId]);
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    // It is tried again when it is due next; its owner sees by the list of backups that this one is missing.
    context.logger.warn({ diskId: disk.id, scheduleId: String(schedule.id), reason: error.message }, 'no backup made');
    await inTransaction(context.database, (tx) => store.noteScheduleDone(tx, schedule.id, schedule.doneAt, dueAt));
  }
}

/** Orders those of schedules' finished backups away that are more than they keep. */
export async function pruneDueBackups(context: Context): Promise<void> {
  const surplus = await store.listSurplus(context.database, dueMax);
  for (const [instanceId, backups] of Map.groupBy(surplus, (backup) => backup.instanceId)) {
    const hostId = await changeBackups(context, instanceId, async (tx) => {
      await writeBackups(
        tx,
        backups.map(({ id }) => id),
        'erasing',
      );
    });
    context.wakeups.changed([hostId]);
  }
}
