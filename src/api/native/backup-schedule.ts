// Schedules that back disks up again and again.

import Type, { type Static } from 'typebox';
import { listBackupSchedulesInSight, reachBackupSchedule, type SeenBackupSchedule } from '../../app/backup-list.ts';
import { addBackupSchedule, removeBackupSchedule } from '../../app/backup-schedule.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { reachDisk } from '../../app/disk-list.ts';
import { intervalSecondsMin, schedulesMax } from '../../model/backup.ts';
import type { Api } from '../types.ts';
import { diskFilter, readDiskFilter } from './backup.ts';
import { Id, readId, toId } from './id.ts';
import { instanceFilter, readInstanceFilter } from './instance-filter.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readNumberWindow, toPage } from './page.ts';
import { Shape, Text, Time, toTime, Whole } from './shape.ts';

const IntervalSeconds = Whole(86_400, `At least ${intervalSecondsMin}`);
const Capacity = Whole(7, 'How many of its backups are kept; the oldest makes room', { minimum: 1 });

const BackupScheduleSchema = Shape(
  'BackupSchedule',
  {
    id: Id('backupSchedule'),
    disk: Id('disk'),
    instance: Id('instance', 'The VM that has the disk'),
    startAt: Time('When its first backup is due'),
    intervalSeconds: IntervalSeconds,
    capacity: Capacity,
  },
  'What backs a disk up again and again',
);

const toBackupSchedule = (schedule: SeenBackupSchedule): Static<typeof BackupScheduleSchema> => ({
  id: toId('backupSchedule', schedule.id),
  disk: toId('disk', schedule.diskId),
  instance: toId('instance', schedule.instanceId),
  startAt: toTime(schedule.startAt),
  intervalSeconds: schedule.intervalSeconds,
  capacity: schedule.capacity,
});

const idOf = ({ schedule }: { schedule: string }) => BigInt(readId('backupSchedule', schedule));

const seen = async (context: Context, caller: Caller, id: bigint) =>
  toBackupSchedule((await reachBackupSchedule(context, caller, id, 'see')).schedule);

/** Adds the routes. */
export function backupScheduleRoutes(api: Api): void {
  const path = '/backup-schedules/{schedule}';

  read(
    api,
    {
      id: 'listBackupSchedules',
      tag: 'backup-schedules',
      summary: 'The schedules by which the disks that you see are backed up, the oldest first',
      path: '/backup-schedules',
      query: { ...pageQuery, ...instanceFilter, disk: diskFilter },
      result: PageOf('BackupSchedulePage', BackupScheduleSchema),
    },
    async ({ context, caller, query }) => {
      const window = readNumberWindow(query);
      const filter = { ...(await readInstanceFilter(context, caller, query)), diskId: readDiskFilter(query) };
      const schedules = await listBackupSchedulesInSight(context, caller, filter, window);
      return toPage(schedules, window.limit, ({ id }) => [id], toBackupSchedule);
    },
  );

  read(
    api,
    {
      id: 'getBackupSchedule',
      tag: 'backup-schedules',
      summary: 'A schedule of backups',
      path,
      result: BackupScheduleSchema,
    },
    async ({ context, caller, params }) => seen(context, caller, idOf(params)),
  );

  change(
    api,
    {
      id: 'createBackupSchedule',
      tag: 'backup-schedules',
      summary: 'Back a disk up again and again',
      description: `A disk has up to ${schedulesMax} schedules. Backups that were missed are not made up for, but for the last.`,
      method: 'POST',
      path: '/disks/{disk}/backup-schedules',
      body: Shape('NewBackupSchedule', {
        startAt: Text(
          '03:30',
          'A time of day in UTC, the next such one; or a date and time, in UTC where it names no offset',
          {
            maxLength: 50,
          },
        ),
        intervalSeconds: IntervalSeconds,
        capacity: Type.Optional({ ...Capacity, description: 'How many of its backups are kept; one unless given' }),
      }),
      status: 201,
      result: BackupScheduleSchema,
      location: ({ id }) => `/backup-schedules/${id}`,
      refusals: ['wrong_state'],
      renames: { start_at: 'startAt', interval_seconds: 'intervalSeconds' },
    },
    async ({ context, caller, params, body }) => {
      const { at, disk } = await reachDisk(context, caller, readId('disk', params.disk), 'vm_admin');
      const request = { startAt: body.startAt, intervalSeconds: body.intervalSeconds, capacity: body.capacity };
      const { id } = await addBackupSchedule(context, at.vm.id, disk.id, request);
      return seen(context, caller, id);
    },
  );

  change(
    api,
    {
      id: 'deleteBackupSchedule',
      tag: 'backup-schedules',
      summary: 'End a schedule; the backups that it has made stay',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      current: async ({ context, caller, params }) => seen(context, caller, idOf(params)),
    },
    async ({ context, caller, params }) => {
      const { schedule } = await reachBackupSchedule(context, caller, idOf(params), 'vm_admin');
      await removeBackupSchedule(context, schedule.diskId, schedule.id);
      return null;
    },
  );
}
