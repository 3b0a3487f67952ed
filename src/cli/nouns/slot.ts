// `berth slot`: slices of hosts, each of which is rented whole to one container.

import type { Slot } from '../../../sdk/generated/types.ts';
import { type Noun, option } from '../command.ts';
import { wholeNumber } from '../units.ts';
import { listVerb, showVerb } from '../verbs.ts';

const tones = { available: 'good', rented: 'busy', inactive: 'dim' } as const;
const gpuText = ({ gpus }: Slot) => gpus.map(({ name, count }) => (count > 1 ? `${count} x ${name}` : name)).join(', ');
const priceText = ({ prices }: Slot) => prices.map(({ amount, unit }) => `${amount}/${unit}`).join(' ');
const placeText = ({ country, city }: Slot) => [country, city].filter(Boolean).join(' ');

interface ListOptions {
  gpu?: string;
  cpu?: string;
  vcpus?: number;
  available?: boolean;
}

/** The `slot` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the slots that containers can run on',
      operation: 'listSlots',
      examples: ['slot list', 'slot list --gpu 3090 --vcpus 8'],
      options: [
        option('--gpu <WORDS>', 'only with such a GPU'),
        option('--cpu <WORDS>', 'only with such a processor'),
        option('--vcpus <N>', 'at least so many', wholeNumber),
        option('--available', 'for operators: only what can be rented'),
      ],
      columns: [
        { title: 'slot', cell: ({ id }: Slot) => id },
        { title: 'status', cell: ({ status }) => ({ text: status, tone: tones[status] }), rank: 5 },
        { title: 'size', cell: ({ vcpus, memoryGib, diskGib }) => `${vcpus}/${memoryGib}/${diskGib}`, rank: 2 },
        { title: 'gpu', cell: gpuText, rank: 3 },
        { title: 'usd', cell: priceText, rank: 1 },
        { title: 'where', cell: placeText, rank: 4 },
      ],
      none: 'No slot can be rented.',
      pages: ({ berth }, limit, { gpu, cpu, vcpus, available }: ListOptions) =>
        berth.slots.list({ gpu, cpu, vcpusMin: vcpus, available, limit }),
    }),
    showVerb({
      usage: 'show <SLOT>',
      description: 'show one slot',
      operation: 'getSlot',
      examples: ['slot show slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f'],
      find: ({ berth }, id) => berth.slots.get(id),
      sheet: (slot: Slot) => [
        ['slot', slot.id],
        ['status', { text: slot.status, tone: tones[slot.status] }],
        ['size', `${slot.vcpus} vCPU, ${slot.memoryGib} GiB of memory, ${slot.diskGib} GiB of storage`],
        ['processor', slot.cpuName],
        ['gpus', gpuText(slot)],
        ['where', placeText(slot)],
        ...slot.prices.map(({ id, unit, amount }) => [`an ${unit}`, `${amount} USD (${id})`] as const),
        ...(slot.operated
          ? ([
              ['host', slot.operated.host],
              ['name', slot.operated.name],
              ['let', slot.operated.state],
              ['why not', slot.operated.whyInactive],
              ['rented by', slot.operated.account],
            ] as const)
          : []),
      ],
    }),
  ],
};
