// `berth operation`: what was asked of instances, and how it went.

import type { Operation } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { instanceIdOf, nameAndId, nameColumn } from '../find.ts';
import { moment, relative } from '../table.ts';
import { actVerb, listVerb, showVerb } from '../verbs.ts';
import { untilOver, type WaitOptions, waitOptions } from '../wait.ts';

const tones = { running: 'busy', succeeded: 'good', failed: 'bad' } as const;

interface ListOptions {
  account?: string;
  instance?: string;
  status?: Operation['status'];
}

/** The `operation` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list what was asked of your instances, the newest first',
      operation: 'listOperations',
      examples: ['operation list', 'operation list --instance web-1 --status failed'],
      options: [
        option('--instance <INSTANCE>', 'only of this one'),
        option('--status <STATUS>', 'only those that stand so').choices(['running', 'succeeded', 'failed']),
        option('--account <ACCOUNT>', 'only of this account'),
      ],
      columns: [
        { title: 'operation', cell: ({ id }: Operation) => id },
        nameColumn('instance', ({ instance }: Operation) => instance, 0),
        { title: 'kind', cell: ({ kind }) => kind },
        { title: 'status', cell: ({ status }) => ({ text: status, tone: tones[status] }) },
        { title: 'by', cell: ({ actor }) => actor, rank: 2, whole: true },
        { title: 'asked', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 1 },
      ],
      about: ({ instance }) => instance,
      none: 'Nothing was asked.',
      rows: 50,
      pages: async (desk, limit, { account, instance, status }: ListOptions) =>
        desk.berth.operations.list({ account, status, limit, instance: await instanceIdOf(desk, instance) }),
    }),
    showVerb({
      usage: 'show <OPERATION>',
      description: 'show how one operation went',
      operation: 'getOperation',
      examples: [
        'operation show op_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'operation show op_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
      find: ({ berth }, id) => berth.operations.get(id),
      about: ({ instance }: Operation) => instance,
      sheet: (one: Operation, look) => [
        ['operation', one.id],
        ['kind', one.kind],
        ['status', { text: one.status, tone: tones[one.status] }],
        ['why', one.error?.detail],
        ['instance', nameAndId(one.instance, look)],
        ['asked by', one.actor],
        ['asked', moment(one.createdAt, look)],
        ['over', moment(one.finishedAt, look)],
      ],
    }),
    actVerb<WaitOptions>({
      usage: 'wait <OPERATION>',
      description: 'wait until an operation is over',
      operation: 'getOperation',
      examples: [
        'operation wait op_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --timeout 60',
        'operation wait op_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
      options: waitOptions('it is over').slice(1),
      async act(desk, [id = ''], options) {
        const value = await untilOver(desk, await desk.berth.operations.get(id), id, options);
        return { value, done: `${value.kind} has succeeded.` };
      },
    }),
  ],
};
