// `berth size`: the configurations that are sold, and how many of each still fit where.

import type { Capacity, Configuration } from '../../../sdk/generated/types.ts';
import type { Noun } from '../command.ts';
import { type Column, size } from '../table.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

const capacityColumns: readonly Column<Capacity>[] = [
  { title: 'size', cell: ({ configuration }) => configuration.slug },
  { title: 'datacenter', cell: ({ datacenter }) => datacenter?.slug, rank: 1 },
  { title: 'free', cell: ({ available }) => available, right: true },
  { title: 'from usd/epoch', cell: ({ pricePerEpochFrom }) => pricePerEpochFrom, right: true, rank: 2 },
  { title: 'hosts', cell: ({ hosts }) => hosts, right: true, rank: 3 },
];

/** The `size` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the sizes that are sold, from the smallest',
      operation: 'listConfigurations',
      examples: ['size list', 'size list --json'],
      columns: [
        { title: 'size', cell: ({ slug }: Configuration) => slug },
        { title: 'vcpus', cell: ({ vcpus }) => vcpus, right: true },
        { title: 'memory', cell: ({ memoryMib }) => size(memoryMib), right: true },
        { title: 'storage', cell: ({ diskGib }) => `${diskGib} GiB`, right: true },
      ],
      none: 'No size is on sale.',
      pages: ({ berth }, limit) => berth.configurations.list({ limit }),
    }),
    showVerb({
      usage: 'show <SIZE>',
      description: 'show one size that is sold',
      operation: 'getConfiguration',
      examples: ['size show cpu-2-ram-4gb-storage-25gb', 'size show cpu-2-ram-4gb-storage-25gb --json'],
      find: ({ berth }, slug) => berth.configurations.get(slug),
      sheet: ({ slug, vcpus, memoryMib, diskGib }: Configuration) => [
        ['size', slug],
        ['vcpus', vcpus],
        ['memory', size(memoryMib)],
        ['storage', `${diskGib} GiB`],
      ],
    }),
    listVerb({
      usage: 'capacity',
      description: 'show how many of each size still fit into each datacenter',
      operation: 'listCapacity',
      examples: ['size capacity', 'size capacity --json'],
      columns: capacityColumns,
      none: 'There is room for nothing.',
      pages: ({ berth }, limit) => berth.offers.listCapacity({ limit }),
    }),
    actVerb({
      usage: 'create <SIZE>',
      description: 'put a size on sale, on every host that it fits on (for operators)',
      operation: 'createConfiguration',
      examples: ['size create cpu-2-ram-8gb-storage-50gb', 'size create cpu-32-ram-64gb-storage-100gb --json'],
      async act({ berth }, [slug = '']) {
        return { value: await berth.configurations.create({ slug }), done: `Size ${slug} is on sale.` };
      },
    }),
    deleteVerb({
      usage: 'delete <SIZE>',
      description: 'sell a size no longer; what runs of it runs on (for operators)',
      operation: 'deleteConfiguration',
      examples: ['size delete cpu-2-ram-8gb-storage-50gb', 'size delete cpu-2-ram-8gb-storage-50gb --yes'],
      find: async (_, slug) => slug,
      question: (slug) => `Sell ${slug} no longer? What runs of it runs on.`,
      end: ({ berth }, slug) => berth.configurations.delete(slug),
      done: (slug) => `Size ${slug} is sold no longer.`,
    }),
  ],
};
