// `berth orphan`: what hosts have and nobody owns, for operators.

import type { Orphan } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { find, hostKind } from '../find.ts';
import { relative, size } from '../table.ts';
import { deleteVerb, listVerb, showVerb } from '../verbs.ts';

/** The `orphan` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list what hosts have and nobody owns',
      operation: 'listOrphans',
      examples: ['orphan list', 'orphan list --host rack-1'],
      options: [option('--host <HOST>', 'only what this one has')],
      columns: [
        { title: 'orphan', cell: ({ instance }: Orphan) => instance },
        { title: 'state', cell: ({ state }) => state },
        { title: 'address', cell: ({ address }) => address, rank: 1 },
        { title: 'memory', cell: ({ memoryMib }) => size(memoryMib), right: true, rank: 2 },
        { title: 'seen', cell: ({ seenAt }, look) => relative(seenAt, look), rank: 3 },
      ],
      none: 'There are none.',
      pages: async (desk, limit, { host }: { host?: string }) =>
        desk.berth.orphans.list({
          limit,
          host: host === undefined ? undefined : (await find(desk, hostKind, host)).id,
        }),
    }),
    showVerb({
      usage: 'show <ORPHAN>',
      description: 'show one orphan',
      operation: 'getOrphan',
      examples: [
        'orphan show ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b',
        'orphan show ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b --json',
      ],
      find: ({ berth }, id) => berth.orphans.get(id),
      sheet: (one: Orphan, look) => [
        ['orphan', one.instance],
        ['state', one.state],
        ['address', one.address],
        ['size', `${one.vcpus} vCPU, ${size(one.memoryMib)}, ${one.diskGib} GiB`],
        ['seen', relative(one.seenAt, look)],
      ],
    }),
    deleteVerb({
      usage: 'delete <ORPHAN>',
      description: 'have an orphan switched off and erased, for good',
      operation: 'deleteOrphan',
      examples: [
        'orphan delete ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b',
        'orphan delete ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b --yes',
      ],
      find: ({ berth }, id) => berth.orphans.get(id),
      question: ({ instance, state }) => `Erase ${instance}, which is ${state}? Nothing brings it back.`,
      end: ({ berth }, { instance }) => berth.orphans.delete(instance),
      done: ({ instance }) => `${instance} is being erased.`,
    }),
  ],
};
