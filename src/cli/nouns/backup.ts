// `berth backup`: copies of disks as they were.

import type { Backup } from '../../../sdk/generated/types.ts';
import { confirm } from '../ask.ts';
import { type Desk, type Noun, option } from '../command.ts';
import { diskNamed } from '../disk.ts';
import { find, instanceIdOf, type Kind, nameAndId, nameColumn } from '../find.ts';
import { moment, relative, size } from '../table.ts';
import { actVerb, deleteVerb, listVerb, showVerb, yesOption } from '../verbs.ts';

/** Backups are found by their labels, too. */
const backupKind: Kind<Backup> = {
  ...{ noun: 'backup', prefix: 'bak', list: 'backup list', tell: ({ createdAt }) => `of ${createdAt.slice(0, 16)}Z` },
  get: (berth, id) => berth.backups.get(id),
  named: async (berth, label) => (await berth.backups.list().all()).filter((one) => one.label === label),
};
const findBackup = (desk: Desk, text: string) => find(desk, backupKind, text);

interface ListOptions {
  account?: string;
  vm?: string;
  disk?: string;
}

/** The `backup` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the backups of your disks, the oldest first',
      operation: 'listBackups',
      examples: ['backup list', 'backup list --vm web-1', 'backup list --disk web-1/data'],
      options: [
        option('--vm <VM>', 'only of its disks'),
        option('--disk <DISK>', 'only of this one'),
        option('--account <ACCOUNT>', 'only of this account'),
      ],
      columns: [
        nameColumn('VM', ({ instance }: Backup) => instance, 1),
        { title: 'backup', cell: ({ label }) => label },
        { title: 'state', cell: ({ state }) => ({ text: state, tone: state === 'ready' ? 'good' : 'busy' }) },
        { title: 'size', cell: ({ sizeMib }) => size(sizeMib), right: true, rank: 1 },
        { title: 'by', cell: ({ schedule }) => (schedule === null ? 'hand' : 'schedule'), rank: 3 },
        { title: 'of', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 2 },
        { title: 'id', cell: ({ id }) => id, rank: 4, whole: true },
      ],
      about: ({ instance }) => instance,
      none: 'There is no backup. "berth backup create --help" shows how to make one.',
      pages: async (desk, limit, { account, vm, disk }: ListOptions) =>
        desk.berth.backups.list({
          ...{ account, limit, instance: await instanceIdOf(desk, vm) },
          disk: disk === undefined ? undefined : (await diskNamed(desk, disk)).id,
        }),
    }),
    showVerb({
      usage: 'show <BACKUP>',
      description: 'show one backup',
      operation: 'getBackup',
      examples: ['backup show disc-1-backup-20261120033000', 'backup show bak_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f'],
      find: findBackup,
      about: ({ instance }: Backup) => instance,
      sheet: (backup: Backup, look) => [
        ['backup', backup.id],
        ['label', backup.label],
        ['disk', backup.disk],
        ['VM', nameAndId(backup.instance, look)],
        ['state', backup.state],
        ['size', size(backup.sizeMib)],
        ['schedule', backup.schedule],
        ['made', moment(backup.createdAt, look)],
      ],
    }),
    actVerb({
      usage: 'create <DISK>',
      description: 'back a disk up as it is now; its VM may be on',
      operation: 'createBackup',
      examples: ['backup create web-1/data', 'backup create web-1'],
      async act(desk, [text = '']) {
        const { id, label } = await diskNamed(desk, text);
        const value = await desk.berth.backups.create(id);
        return { value, done: `Disk ${label} is being backed up, as ${value.id}.` };
      },
    }),
    actVerb<{ yes?: boolean }>({
      usage: 'restore <BACKUP>',
      description: 'make the content of a disk that of a backup; its VM has to be off',
      operation: 'restoreBackup',
      examples: [
        'backup restore disc-1-backup-20261120033000',
        'backup restore bak_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --yes',
      ],
      options: [yesOption()],
      async act(desk, [text = ''], { yes = false }) {
        const backup = await findBackup(desk, text);
        const of = moment(backup.createdAt, desk.look);
        await confirm(desk, yes, `Restore the disk as it was at ${of}? What it holds now is backed up first.`);
        const value = await desk.berth.backups.restore(backup.id);
        return { value, done: `Disk ${value.label} is restored to what it was at ${of}; its VM can be started.` };
      },
    }),
    deleteVerb({
      usage: 'delete <BACKUP>',
      description: 'erase a backup',
      operation: 'deleteBackup',
      examples: [
        'backup delete disc-1-backup-20261120033000',
        'backup delete bak_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --yes',
      ],
      find: findBackup,
      question: ({ label, createdAt }) =>
        `Erase backup ${label} of ${createdAt.slice(0, 16)}Z? Nothing brings it back.`,
      end: ({ berth }, { id }) => berth.backups.delete(id),
      done: ({ label }) => `Backup ${label} is erased.`,
    }),
  ],
};
