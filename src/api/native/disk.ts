// Disks of VMs: listed, added, grown, given to another VM, and erased.

import Type, { type Static } from 'typebox';
import { reachVm } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { addDisk, changeDisk, deleteDisk } from '../../app/disk.ts';
import { listDisksInSight, reachDisk, type SeenDisk } from '../../app/disk-list.ts';
import { disksMax } from '../../model/disk.ts';
import { storageGrades } from '../../model/storage-grade.ts';
import type { Api } from '../types.ts';
import { Id, readId, samplesOff, toId, toIdOrNull } from './id.ts';
import { instanceFilter, readInstanceFilter } from './instance-filter.ts';
import { readInstance } from './instance-ref.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readNumberWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, Whole } from './shape.ts';

const Label = Text('data', 'Its name within its instance');
const IopsLimit = Nullable(Whole(500, 'Reads and writes a second; null is as many as it can'));

/** A disk. */
export const DiskSchema = Shape(
  'Disk',
  {
    id: Id('disk'),
    instance: Id('instance'),
    label: Label,
    grade: OneOf(storageGrades, 'The kind of storage that it is sold as'),
    sizeMib: Whole(10_240),
    iopsLimit: IopsLimit,
    storagePool: Text('host-1', 'Where it lies'),
    position: Whole(2, "Its place among its instance's disks, from 1 on; the first is booted from"),
    backups: Whole(0, 'How many there are, or are being made'),
    restoredFrom: Nullable(Id('backup', 'The backup that its content was last restored from, while that is there')),
    createdAt: Time(),
  },
  'A block device of a VM',
);

/** A disk as it is shown. */
export const toDisk = (disk: SeenDisk): Static<typeof DiskSchema> => ({
  id: toId('disk', disk.id),
  instance: toId('instance', disk.instanceId),
  label: disk.label,
  grade: disk.grade as (typeof storageGrades)[number],
  sizeMib: disk.sizeMib,
  iopsLimit: disk.iopsLimit,
  storagePool: disk.pool,
  position: disk.position,
  backups: disk.backups,
  restoredFrom: toIdOrNull('backup', disk.restoredFrom),
  createdAt: toTime(disk.createdAt),
});

/** Where the use cases of disks find what they are about; their refusals call it so. */
const renames = { size: 'sizeMib', storage_grade: 'grade', iops_limit: 'iopsLimit', virtual_machine_id: 'instance' };

const seen = async (context: Context, caller: Caller, id: string) =>
  toDisk((await reachDisk(context, caller, id, 'see')).disk);

/** Adds the routes. */
export function diskRoutes(api: Api): void {
  const path = '/disks/{disk}';
  const current = ({ context, caller, params }: { context: Context; caller: Caller; params: { disk: string } }) =>
    seen(context, caller, readId('disk', params.disk));

  read(
    api,
    {
      id: 'listDisks',
      tag: 'disks',
      summary: 'The disks of the VMs that you see, in the order in which they were made',
      description: 'Those of a deleted VM that can be restored are among them.',
      path: '/disks',
      query: {
        ...{ ...pageQuery, ...instanceFilter, label: Type.Optional(Label) },
        grade: Type.Optional(OneOf(storageGrades, 'Only of this grade')),
      },
      result: PageOf('DiskPage', DiskSchema),
    },
    async ({ context, caller, query }) => {
      const window = readNumberWindow(query);
      const filter = { ...(await readInstanceFilter(context, caller, query)), label: query.label, grade: query.grade };
      const disks = await listDisksInSight(context, caller, filter, window);
      return toPage(disks, window.limit, ({ number }) => [number], toDisk);
    },
  );

  read(
    api,
    { id: 'getDisk', tag: 'disks', summary: 'A disk', path, result: DiskSchema },
    async ({ context, caller, params }) => seen(context, caller, readId('disk', params.disk)),
  );

  change(
    api,
    {
      id: 'createDisk',
      tag: 'disks',
      summary: 'Give a VM one more disk, blank',
      description: `Its guest sees it at once where its hardware profile can, and else from its next start on. A VM has up to ${disksMax}.`,
      method: 'POST',
      path: '/instances/{instance}/disks',
      body: Shape('NewDisk', {
        label: Type.Optional(Label),
        grade: Type.Optional(OneOf(storageGrades, 'The kind of storage; `sata` unless given')),
        sizeMib: Whole(10_240),
      }),
      status: 201,
      result: DiskSchema,
      location: ({ id }) => `/disks/${id}`,
      refusals: ['no_suitable_offer', 'insufficient_balance', 'wrong_state'],
      renames,
    },
    async ({ context, caller, params, body }) => {
      const at = await reachVm(context, caller, { id: readInstance(params.instance) }, 'vm_admin');
      return seen(context, caller, await addDisk(context, at, body, {}));
    },
  );

  change(
    api,
    {
      id: 'updateDisk',
      tag: 'disks',
      summary: 'Rename a disk, make it larger, or bound how busy it may be',
      description: 'A guest that runs sees the larger size. `iopsLimit` is for who runs the installation to set.',
      method: 'PATCH',
      path,
      body: Shape('DiskChange', {
        label: Type.Optional(Label),
        sizeMib: Type.Optional(Whole(20_480, 'Not less than it has')),
        iopsLimit: Type.Optional(IopsLimit),
      }),
      result: DiskSchema,
      example: { body: { label: 'logs', sizeMib: 40_960 } },
      refusals: ['no_suitable_offer', 'insufficient_balance', 'wrong_state'],
      current,
      renames,
    },
    async ({ context, caller, params, body }) => {
      const { at, disk } = await reachDisk(context, caller, readId('disk', params.disk), 'vm_admin');
      await changeDisk(context, caller, at, disk.id, body, {});
      return seen(context, caller, disk.id);
    },
  );

  change(
    api,
    {
      id: 'moveDisk',
      tag: 'disks',
      summary: 'Give a disk, with its backups, to another VM of the same host',
      description: 'Both VMs have to be off. The disk that a VM is booted from stays with it.',
      method: 'POST',
      path: `${path}/move`,
      body: Shape('DiskMove', { instance: Id('instance', 'The VM that is to have it') }),
      result: DiskSchema,
      example: { body: { instance: samplesOff[0] } },
      refusals: ['no_suitable_offer', 'insufficient_balance', 'wrong_state'],
      current,
      renames,
    },
    async ({ context, caller, params, body }) => {
      const { at, disk } = await reachDisk(context, caller, readId('disk', params.disk), 'vm_admin');
      const to = { id: readInstance(body.instance, 'instance') };
      await changeDisk(context, caller, at, disk.id, { to }, {});
      return seen(context, caller, disk.id);
    },
  );

  change(
    api,
    {
      id: 'deleteDisk',
      tag: 'disks',
      summary: 'Erase a disk of a VM that is off, with its backups; nothing brings it back',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      refusals: ['insufficient_balance', 'wrong_state'],
      current,
    },
    async ({ context, caller, params }) => {
      const { at, disk } = await reachDisk(context, caller, readId('disk', params.disk), 'vm_admin');
      await deleteDisk(context, at, disk.id);
      return null;
    },
  );
}
