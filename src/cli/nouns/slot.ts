// `berth slot`: slices of hosts, each of which is rented whole to one container.

import type { Slot } from '../../../sdk/generated/types.ts';
import { each, type Noun, option, type Verb } from '../command.ts';
import { UsageError } from '../exit.ts';
import { find, hostKind } from '../find.ts';
import { sizeGib, wholeNumber } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

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

interface CreateOptions {
  vcpus: number;
  memory: number;
  storage: number;
  gpu?: string[];
  hour?: string;
  epoch?: string;
}

const priceOptions = () => [
  option('--hour <USD>', 'what an hour costs'),
  option('--epoch <USD>', 'what an epoch of 24 hours costs'),
];

/** Whether a slot is let. */
const stateVerbs: readonly Verb[] = [
  ['open', 'open', 'let a slot (for operators)'] as const,
  ['close', 'closed', 'let a slot no more; who rents it keeps it (for operators)'] as const,
].map(([verb, state, description]) =>
  actVerb({
    ...{ usage: `${verb} <SLOT>`, description, operation: 'updateSlot' },
    examples: [
      `slot ${verb} slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f`,
      `slot ${verb} slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json`,
    ],
    async act({ berth }, [id = '']) {
      return { value: await berth.slots.update(id, { state }), done: `Slot ${id} is ${state}.` };
    },
  }),
);

/** `none` takes a price back. */
const orNone = (text: string | undefined): string | null | undefined => (text === 'none' ? null : text);

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
        { title: 'vcpu/gib/gib', cell: ({ vcpus, memoryGib, diskGib }) => `${vcpus}/${memoryGib}/${diskGib}`, rank: 2 },
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
      examples: [
        'slot show slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'slot show slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
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
    actVerb<CreateOptions>({
      usage: 'create <HOST> <NAME>',
      description: 'let a slice of a host (for operators)',
      operation: 'createSlot',
      examples: [
        'slot create rack-1 small --vcpus 2 --memory 4GiB \\\n    --storage 20GiB --hour 0.02',
        'slot create rack-2 gpu --vcpus 8 --memory 32GiB \\\n    --storage 200GiB --gpu GPU-1 --epoch 9.5',
      ],
      options: [
        option('--vcpus <N>', 'how many', wholeNumber).makeOptionMandatory(),
        option('--memory <SIZE>', 'such as 4GiB', sizeGib).makeOptionMandatory(),
        option('--storage <SIZE>', 'such as 20GiB', sizeGib).makeOptionMandatory(),
        option('--gpu <ID>', "one of the host's GPUs", each),
        ...priceOptions(),
      ],
      async act(desk, [text = '', name = ''], { vcpus, memory, storage, gpu: gpus, hour, epoch }) {
        const { id: host, name: where } = await find(desk, hostKind, text);
        const body = { host, name, vcpus, memoryGib: memory, diskGib: storage, gpus, prices: { hour, epoch } };
        const value = await desk.berth.slots.create(body);
        return { value, done: `Slot ${name} of host ${where} is let, as ${value.id}.` };
      },
    }),
    actVerb<{ hour?: string; epoch?: string }>({
      usage: 'price <SLOT>',
      description: 'change what a slot costs; who rents it keeps its price (for operators)',
      operation: 'updateSlot',
      examples: [
        'slot price slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --hour 0.5 --epoch none',
        'slot price slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --epoch 9.5',
      ],
      options: priceOptions(),
      async act({ berth }, [id = ''], { hour, epoch }) {
        if (hour === undefined && epoch === undefined) throw new UsageError('Give --hour or --epoch.');
        const value = await berth.slots.update(id, { prices: { hour: orNone(hour), epoch: orNone(epoch) } });
        return { value, done: `Slot ${id} costs ${priceText(value)} USD.` };
      },
    }),
    ...stateVerbs,
    deleteVerb({
      usage: 'delete <SLOT>',
      description: 'remove a slot that nobody rents (for operators)',
      operation: 'deleteSlot',
      examples: [
        'slot delete slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'slot delete slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --yes',
      ],
      find: ({ berth }, id) => berth.slots.get(id),
      question: ({ id }) => `Remove slot ${id}?`,
      end: ({ berth }, { id }) => berth.slots.delete(id),
      done: ({ id }) => `Slot ${id} is removed.`,
    }),
  ],
};
