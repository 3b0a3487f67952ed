// `berth quote`: prices that are locked for a while, with the room that they are for.

import type { Quote } from '../../../sdk/generated/types.ts';
import { sizeOf } from '../choose.ts';
import { type Noun, option } from '../command.ts';
import { accountOf } from '../find.ts';
import { constraintsOf, type PlaceOptions, placeOptions } from '../place.ts';
import { type Cell, type Look, moment, relative, size } from '../table.ts';
import { sizeGib, wholeNumber } from '../units.ts';
import { actVerb, deleteVerb, listVerb, showVerb } from '../verbs.ts';

interface NewOptions extends PlaceOptions {
  account?: string;
  size?: string;
  extraStorage?: number;
  count?: number;
  slot?: string;
  slotPrice?: string;
  minutes?: number;
}

const tones = { open: 'good', used: 'dim', expired: 'dim', released: 'dim', lost: 'bad' } as const;
const stateOf = ({ state }: Quote): Cell => ({ text: state, tone: tones[state] });
const whatOf = ({ count, vcpus, memoryMib, diskGib }: Quote): string =>
  `${count} x ${vcpus} vCPU, ${size(memoryMib)}, ${size(diskGib * 1024)}`;

const sheet = (quote: Quote, look: Look): [string, Cell][] => [
  ['quote', quote.id],
  ['state', stateOf(quote)],
  ...(quote.reason === null ? [] : [['reason', quote.reason] as [string, Cell]]),
  ['holds', whatOf(quote)],
  [`price an ${quote.unit}`, `${quote.total} USD`],
  ['needed', `${quote.needed} USD, once it is used`],
  ['until', moment(quote.expiresAt, look)],
  ['became', quote.deployment],
];

/** The `quote` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: "list an account's quotes, the newest first",
      operation: 'listQuotes',
      examples: ['quote list', 'quote list --state open'],
      options: [
        option('--state <STATE>', 'only those that stand so').choices(['open', 'used', 'expired', 'released', 'lost']),
        option('--account <ACCOUNT>', 'whose, where you see several'),
      ],
      columns: [
        { title: 'holds', cell: whatOf, rank: 1 },
        { title: 'USD', cell: ({ total }: Quote) => total, right: true },
        { title: 'state', cell: stateOf },
        { title: 'until', cell: ({ expiresAt }, look) => relative(expiresAt, look), rank: 2 },
        { title: 'id', cell: ({ id }) => id },
      ],
      none: 'There is no quote.',
      pages: async (desk, limit, { account, state }: { account?: string; state?: Quote['state'] }) =>
        desk.berth.quotes.list({ account: (await accountOf(desk, account)).id, state, limit }),
    }),
    showVerb({
      usage: 'show <QUOTE>',
      description: 'show one quote',
      operation: 'getQuote',
      examples: [
        'quote show quo_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'quote show quo_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
      find: ({ berth }, id) => berth.quotes.get(id),
      sheet,
    }),
    actVerb<NewOptions>({
      usage: 'create',
      description: 'lock the price of now, and hold the room for it',
      detail:
        'It costs nothing, but what it would take to use it has to be there. It is used once, by "berth vm create --quote".',
      operation: 'createQuote',
      examples: [
        'quote create --size cpu-2-ram-4gb --country PL --count 3',
        'quote create --slot slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --minutes 30',
      ],
      options: [
        option('--size <SIZE>', 'of each VM; any that fits unless given'),
        option('--extra-storage <SIZE>', "beyond the size's own, such as 20GiB", sizeGib),
        option('--count <N>', 'so many VMs', wholeNumber),
        option('--slot <SLOT>', 'for a container, in the place of VMs'),
        option('--slot-price <PRICE>', 'where the slot has several'),
        ...placeOptions(),
        option('--minutes <N>', 'for so long; 15 unless given, 60 at most', wholeNumber),
        option('--account <ACCOUNT>', 'who is to pay, where you see several'),
      ],
      async act(desk, _args, { account, size: wanted, extraStorage, count, slot, slotPrice, minutes, ...place }) {
        const validSeconds = minutes === undefined ? undefined : minutes * 60;
        const common = { account: (await accountOf(desk, account)).id, validSeconds };
        const ofVms = {
          ...{ count, additionalStorageGib: extraStorage, constraints: constraintsOf(place) },
          configuration: wanted === undefined ? undefined : await sizeOf(desk.berth, wanted),
        };
        const what = slot === undefined ? ofVms : { kind: 'container' as const, slot, slotPrice };
        const value = await desk.berth.quotes.create({ ...common, ...what });
        return { value, done: `${value.id} holds ${whatOf(value)} at ${value.total} USD until ${value.expiresAt}.` };
      },
    }),
    deleteVerb({
      usage: 'delete <QUOTE>',
      description: 'let go of a quote',
      operation: 'deleteQuote',
      examples: [
        'quote delete quo_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'quote delete quo_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --yes',
      ],
      find: ({ berth }, id) => berth.quotes.get(id),
      question: (quote) => `Let go of ${whatOf(quote)} at ${quote.total} USD? The room is everybody's then.`,
      end: ({ berth }, { id }) => berth.quotes.delete(id),
      done: ({ id }) => `${id} holds nothing any more.`,
    }),
  ],
};
