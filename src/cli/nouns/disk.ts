// `berth disk`: the block devices of VMs. A disk is named by its id, or as VM/LABEL.

import type { Disk } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { diskNamed } from '../disk.ts';
import { find, instanceIdOf, nameAndId, nameColumn, vmKind } from '../find.ts';
import { moment, relative, size } from '../table.ts';
import { sizeMib } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

interface ListOptions {
  account?: string;
  vm?: string;
}

interface AddOptions {
  label?: string;
  grade?: string;
}

/** The `disk` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the disks of your VMs',
      operation: 'listDisks',
      examples: ['disk list', 'disk list --vm web-1'],
      options: [option('--vm <VM>', 'only of this one'), option('--account <ACCOUNT>', 'only of this account')],
      columns: [
        nameColumn('VM', ({ instance }: Disk) => instance, 0),
        { title: 'label', cell: ({ label }) => label },
        { title: 'size', cell: ({ sizeMib: mib }) => size(mib), right: true },
        { title: 'grade', cell: ({ grade }) => grade, rank: 1 },
        { title: 'backups', cell: ({ backups }) => backups, right: true, rank: 2 },
        { title: 'made', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 3 },
        { title: 'id', cell: ({ id }) => id, rank: 4, whole: true },
      ],
      about: ({ instance }) => instance,
      none: 'There is no disk.',
      pages: async (desk, limit, { account, vm }: ListOptions) =>
        desk.berth.disks.list({ account, instance: await instanceIdOf(desk, vm), limit }),
    }),
    showVerb({
      usage: 'show <DISK>',
      description: 'show one disk',
      operation: 'getDisk',
      examples: ['disk show web-1/disc-1', 'disk show web-1/disc-1 --json'],
      find: diskNamed,
      about: ({ instance }: Disk) => instance,
      sheet: (disk: Disk, look) => [
        ['disk', disk.id],
        ['label', disk.label],
        ['VM', nameAndId(disk.instance, look)],
        ['place', `${disk.position}${disk.position === 1 ? ', which the VM is booted from' : ''}`],
        ['size', size(disk.sizeMib)],
        ['grade', disk.grade],
        ['reads and writes', disk.iopsLimit === null ? 'as many as it can' : `${disk.iopsLimit} a second`],
        ['backups', disk.backups],
        ['restored from', disk.restoredFrom],
        ['made', moment(disk.createdAt, look)],
      ],
    }),
    actVerb<AddOptions>({
      usage: 'add <VM> <SIZE>',
      description: 'give a VM one more disk, blank',
      operation: 'createDisk',
      examples: ['disk add web-1 50GiB --label data --grade ssd', 'disk add web-1 1TiB --grade archive'],
      options: [option('--label <LABEL>', 'its name within its VM'), option('--grade <GRADE>', 'sata, ssd or archive')],
      async act(desk, [text = '', amount = ''], { label, grade }) {
        const { id, name } = await find(desk, vmKind, text);
        // Which grades there are is the server's to say.
        const body = { sizeMib: sizeMib(amount), label, grade: grade as 'ssd' | undefined };
        const value = await desk.berth.disks.create(id, body);
        return { value, done: `VM ${name} has disk ${value.label} of ${size(value.sizeMib)} now.` };
      },
    }),
    actVerb({
      usage: 'grow <DISK> <SIZE>',
      description: 'make a disk larger; a guest that runs sees it',
      operation: 'updateDisk',
      examples: ['disk grow web-1/data 100GiB', 'disk grow web-1 40GiB'],
      async act(desk, [text = '', amount = '']) {
        const mib = sizeMib(amount);
        const { id } = await diskNamed(desk, text);
        const value = await desk.berth.disks.update(id, { sizeMib: mib });
        return { value, done: `Disk ${value.label} has ${size(value.sizeMib)} now.` };
      },
    }),
    actVerb({
      usage: 'rename <DISK> <LABEL>',
      description: 'give a disk another label',
      operation: 'updateDisk',
      examples: ['disk rename web-1/disc-2 data', 'disk rename dsk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f data'],
      async act(desk, [text = '', label = '']) {
        const { id, label: before } = await diskNamed(desk, text);
        return { value: await desk.berth.disks.update(id, { label }), done: `Disk ${before} is ${label} now.` };
      },
    }),
    actVerb({
      usage: 'move <DISK> <VM>',
      description: 'give a disk, with its backups, to another VM of the same host; both have to be off',
      operation: 'moveDisk',
      examples: ['disk move web-1/data web-2', 'disk move dsk_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f web-2'],
      async act(desk, [text = '', to = '']) {
        const { id, label } = await diskNamed(desk, text);
        const { id: instance, name } = await find(desk, vmKind, to);
        return { value: await desk.berth.disks.move(id, { instance }), done: `Disk ${label} is VM ${name}'s now.` };
      },
    }),
    deleteVerb({
      usage: 'delete <DISK>',
      description: 'erase a disk of a VM that is off, with its backups',
      operation: 'deleteDisk',
      examples: ['disk delete web-1/data', 'disk delete web-1/data --yes'],
      find: diskNamed,
      question: ({ label, sizeMib: mib, backups }) =>
        `Erase disk ${label} of ${size(mib)}, and its ${backups} backups? Nothing brings them back.`,
      end: ({ berth }, { id }) => berth.disks.delete(id),
      done: ({ label }) => `Disk ${label} is erased.`,
    }),
  ],
};
