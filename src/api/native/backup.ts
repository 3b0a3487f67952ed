// Backups of disks: asked for, looked at, restored and erased.

import Type, { type Static } from 'typebox';
import { createBackup, deleteBackups, restoreBackup } from '../../app/backup.ts';
import { listBackupsInSight, reachBackup, type SeenBackup } from '../../app/backup-list.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { reachDisk } from '../../app/disk-list.ts';
import { backupsMax } from '../../model/backup.ts';
import type { Api } from '../types.ts';
import { DiskSchema, toDisk } from './disk.ts';
import { Id, readId, toId, toIdOrNull } from './id.ts';
import { instanceFilter, readInstanceFilter } from './instance-filter.ts';
import { momentFilter, readMomentFilter } from './moment-filter.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readNumberWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, Whole } from './shape.ts';

const BackupSchema = Shape(
  'Backup',
  {
    id: Id('backup'),
    disk: Id('disk'),
    instance: Id('instance', 'The VM that has the disk'),
    label: Text('disc-1-backup-20261120093000'),
    sizeMib: Whole(10_240, 'What its disk had then'),
    state: OneOf(['wanted', 'ready'], 'Wanted until its host has made it; one that can not be made is gone again'),
    schedule: Nullable(Id('backupSchedule', 'Null where somebody asked for it')),
    createdAt: Time('When it was asked for'),
  },
  'A copy of a disk as it was at one moment, on the same host',
);

const toBackup = (backup: SeenBackup): Static<typeof BackupSchema> => ({
  id: toId('backup', backup.id),
  disk: toId('disk', backup.diskId),
  instance: toId('instance', backup.instanceId),
  label: backup.label,
  sizeMib: backup.sizeMib,
  state: backup.state === 'ready' ? 'ready' : 'wanted',
  schedule: toIdOrNull('backupSchedule', backup.scheduleId),
  createdAt: toTime(backup.createdAt),
});

const seen = async (context: Context, caller: Caller, id: string) =>
  toBackup((await reachBackup(context, caller, id, 'see')).backup);

/** The field of a query that narrows a list to what belongs to one disk. */
export const diskFilter = Type.Optional(
  Type.String({ maxLength: 100, description: 'Only of this disk', examples: ['dsk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f'] }),
);

/** What {@link diskFilter} asks for. @throws BerthError `invalid_value` */
export const readDiskFilter = ({ disk }: { disk?: string }): string | undefined =>
  disk === undefined ? undefined : readId('disk', disk, 'disk');

/** Adds the routes. */
export function backupRoutes(api: Api): void {
  const path = '/backups/{backup}';

  read(
    api,
    {
      id: 'listBackups',
      tag: 'backups',
      summary: 'The backups of the disks that you see, the oldest first',
      path: '/backups',
      query: {
        ...{ ...pageQuery, ...instanceFilter, disk: diskFilter },
        state: Type.Optional(OneOf(['ready', 'wanted'], 'Only those that stand so')),
        ...momentFilter,
      },
      result: PageOf('BackupPage', BackupSchema),
    },
    async ({ context, caller, query }) => {
      const window = readNumberWindow(query);
      const filter = {
        ...(await readInstanceFilter(context, caller, query)),
        ...{ diskId: readDiskFilter(query), state: query.state, ...readMomentFilter(query) },
      };
      const backups = await listBackupsInSight(context, caller, filter, window);
      return toPage(backups, window.limit, ({ number }) => [number], toBackup);
    },
  );

  read(
    api,
    { id: 'getBackup', tag: 'backups', summary: 'A backup', path, result: BackupSchema },
    async ({ context, caller, params }) => seen(context, caller, readId('backup', params.backup)),
  );

  change(
    api,
    {
      id: 'createBackup',
      tag: 'backups',
      summary: 'Back a disk up as it is now',
      description: `Its VM may be on. The backup is \`ready\` once its host has made it; of each disk one is made at a time, and up to ${backupsMax} are kept.`,
      method: 'POST',
      path: '/disks/{disk}/backups',
      status: 201,
      result: BackupSchema,
      location: ({ id }) => `/backups/${id}`,
      refusals: ['no_suitable_offer', 'wrong_state'],
    },
    async ({ context, caller, params }) => {
      const { at, disk } = await reachDisk(context, caller, readId('disk', params.disk), 'vm_admin');
      const subject = { instanceId: at.vm.id, diskId: disk.id };
      const { id } = await createBackup(context, subject, { actor: at.principal.actor, scheduleId: null });
      return seen(context, caller, id);
    },
  );

  change(
    api,
    {
      id: 'restoreBackup',
      tag: 'backups',
      summary: 'Make the content of a disk that of a backup; its VM has to be off',
      description:
        'What the disk holds now is backed up first. The VM can be started at once; its disk is restored before that.',
      method: 'POST',
      path: `${path}/restore`,
      status: 202,
      result: DiskSchema,
      refusals: ['no_suitable_offer', 'wrong_state'],
      current: async ({ context, caller, params }) => seen(context, caller, readId('backup', params.backup)),
    },
    async ({ context, caller, params }) => {
      const { at, backup } = await reachBackup(context, caller, readId('backup', params.backup), 'vm_admin');
      const subject = { instanceId: at.vm.id, diskId: backup.diskId };
      await restoreBackup(context, subject, backup, at.principal.actor);
      return toDisk((await reachDisk(context, caller, backup.diskId, 'see')).disk);
    },
  );

  change(
    api,
    {
      id: 'deleteBackup',
      tag: 'backups',
      summary: 'Erase a backup',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      current: async ({ context, caller, params }) => seen(context, caller, readId('backup', params.backup)),
    },
    async ({ context, caller, params }) => {
      const { at, backup } = await reachBackup(context, caller, readId('backup', params.backup), 'vm_admin');
      await deleteBackups(context, at.vm.id, [backup.id], at.principal.actor);
      return null;
    },
  );
}
