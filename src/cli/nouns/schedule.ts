// `berth schedule`: what backs disks up again and again.

import type { BackupSchedule } from '../../../sdk/generated/types.ts';
import { type Desk, type Noun, option } from '../command.ts';
import { diskNamed } from '../disk.ts';
import { NotThereError, UsageError } from '../exit.ts';
import { instanceIdOf, nameAndId, nameColumn } from '../find.ts';
import { moment } from '../table.ts';
import { wholeNumber } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const unitsSeconds: Record<string, number> = { min: 60, h: 3600, d: 86_400, w: 7 * 86_400 };

/** Reads a span: `6h`, `1d`. @returns seconds */
function every(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})(min|h|d|w)$/.exec(text) ?? [];
  const seconds = Number(count) * (unitsSeconds[unit] ?? Number.NaN);
  if (seconds > 0) return seconds;
  throw new UsageError(`"${text}" is no span; write it as 30min, 6h, 1d or 1w.`);
}

function spanText(seconds: number): string {
  const [unit, size] = Object.entries(unitsSeconds).findLast(([, one]) => seconds % one === 0) ?? ['s', 1];
  return `${seconds / size} ${unit}`;
}

/** The schedule that is meant: an id, or its disk as VM/LABEL. */
async function findSchedule(desk: Desk, text: string): Promise<BackupSchedule> {
  if (/^sch_/.test(text)) return desk.berth.backupSchedules.get(text);
  const { id } = await diskNamed(desk, text);
  const [only, ...others] = await desk.berth.backupSchedules.list({ disk: id }).all();
  if (!only) throw new NotThereError(`Disk ${text} has no schedule; "berth schedule list" shows those that there are.`);
  if (others.length === 0) return only;
  const candidates = [only, ...others].map((one) => `\n  ${one.id}  every ${spanText(one.intervalSeconds)}`).join('');
  throw new UsageError(`Disk ${text} has several schedules; name one by its id:${candidates}`);
}

interface CreateOptions {
  every: number;
  at: string;
  keep?: number;
}

/** The `schedule` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the schedules by which your disks are backed up',
      operation: 'listBackupSchedules',
      examples: ['schedule list', 'schedule list --vm web-1'],
      options: [option('--vm <VM>', 'only of its disks'), option('--account <ACCOUNT>', 'only of this account')],
      columns: [
        nameColumn('VM', ({ instance }: BackupSchedule) => instance, 0),
        nameColumn('disk', ({ disk }: BackupSchedule) => disk, 2),
        { title: 'every', cell: ({ intervalSeconds }) => spanText(intervalSeconds) },
        { title: 'keeps', cell: ({ capacity }) => capacity, right: true },
        { title: 'schedule', cell: ({ id }) => id, rank: 1, whole: true },
      ],
      about: ({ instance }) => instance,
      called: async ({ berth }) =>
        new Map((await berth.disks.list({ limit: 200 }).all()).map(({ id, label }) => [id, label])),
      none: 'There is no schedule. "berth schedule create --help" shows how to make one.',
      pages: async (desk, limit, { account, vm }: { account?: string; vm?: string }) =>
        desk.berth.backupSchedules.list({ account, limit, instance: await instanceIdOf(desk, vm) }),
    }),
    showVerb({
      usage: 'show <SCHEDULE>',
      description: 'show one schedule',
      operation: 'getBackupSchedule',
      examples: ['schedule show web-1/data', 'schedule show sch_17'],
      find: findSchedule,
      about: ({ instance }: BackupSchedule) => instance,
      sheet: (one: BackupSchedule, look) => [
        ['schedule', one.id],
        ['disk', one.disk],
        ['VM', nameAndId(one.instance, look)],
        ['first', moment(one.startAt, look)],
        ['every', spanText(one.intervalSeconds)],
        ['keeps', one.capacity],
      ],
    }),
    actVerb<CreateOptions>({
      usage: 'create <DISK>',
      description: 'back a disk up again and again',
      operation: 'createBackupSchedule',
      examples: [
        'schedule create web-1/data --every 1d --at 03:30 --keep 7',
        'schedule create web-1 --every 6h --at 2026-12-01T00:00Z',
      ],
      options: [
        option('--every <SPAN>', 'such as 6h, 1d or 1w', every).makeOptionMandatory(),
        option('--at <TIME>', 'the first: a time of day in UTC, or a date and time').makeOptionMandatory(),
        option('--keep <N>', 'so many; the oldest makes room; one unless given', wholeNumber),
      ],
      async act(desk, [text = ''], { every: intervalSeconds, at, keep }) {
        const { id, label } = await diskNamed(desk, text);
        const body = { startAt: at, intervalSeconds, capacity: keep };
        const value = await desk.berth.backupSchedules.create(id, body);
        return { value, done: `Disk ${label} is backed up every ${spanText(intervalSeconds)}, by ${value.id}.` };
      },
    }),
    deleteVerb({
      usage: 'delete <SCHEDULE>',
      description: 'end a schedule; the backups that it has made stay',
      operation: 'deleteBackupSchedule',
      examples: ['schedule delete web-1/data', 'schedule delete sch_17 --yes'],
      find: findSchedule,
      question: ({ id }) => `End schedule ${id}? The backups that it has made stay.`,
      end: ({ berth }, { id }) => berth.backupSchedules.delete(id),
      done: ({ id }) => `Schedule ${id} has ended.`,
    }),
  ],
};
