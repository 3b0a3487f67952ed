// `berth price`: rate cards, which hosts are pointed to, for operators.

import type { Price } from '../../../sdk/generated/types.ts';
import { each, type Noun, option } from '../command.ts';
import { find, hostKind } from '../find.ts';
import { type Cell, type Look, moment, relative } from '../table.ts';
import { actVerb, listVerb, showVerb } from '../verbs.ts';

interface Options {
  vcpu: string;
  memoryGib: string;
  storageGib: string;
  ssdGib?: string;
  archiveGib?: string;
  publicIp: string;
  host?: string[];
}

const sheet = ({ id, rates, createdAt }: Price, look: Look): [string, Cell][] => [
  ['price', id],
  ['a vCPU', `${rates.vcpu} USD an epoch`],
  ['a GiB of memory', rates.memoryGib],
  ['a GiB of storage', rates.storageGib],
  ['a GiB of ssd', rates.gradeGib.ssd],
  ['a GiB of archive', rates.gradeGib.archive],
  ['an address', rates.publicIp],
  ['made', moment(createdAt, look)],
];

/** The `price` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list the rate cards, the newest first',
      operation: 'listPrices',
      examples: ['price list', 'price list --json'],
      columns: [
        { title: 'price', cell: ({ id }: Price) => id },
        { title: 'vcpu', cell: ({ rates }) => rates.vcpu, right: true },
        { title: 'memory', cell: ({ rates }) => rates.memoryGib, right: true },
        { title: 'storage', cell: ({ rates }) => rates.storageGib, right: true, rank: 1 },
        { title: 'address', cell: ({ rates }) => rates.publicIp, right: true, rank: 2 },
        { title: 'made', cell: ({ createdAt }, look) => relative(createdAt, look), rank: 3 },
      ],
      none: 'There is no rate card.',
      pages: ({ berth }, limit) => berth.prices.list({ limit }),
    }),
    showVerb({
      usage: 'show <PRICE>',
      description: 'show one rate card',
      operation: 'getPrice',
      examples: [
        'price show prc_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f',
        'price show prc_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --json',
      ],
      find: ({ berth }, id) => berth.prices.get(id),
      sheet,
    }),
    actVerb<Options>({
      usage: 'create',
      description: 'make a rate card, in US dollars an epoch, and point hosts to it',
      detail: 'A card never changes; an equal one is taken again. What runs keeps the price that it has.',
      operation: 'createPrice',
      examples: [
        'price create --vcpu 0.3 --memory-gib 0.02 --storage-gib 0.001 \\\n    --public-ip 0.01 --host rack-1 --host rack-2',
        'price create --vcpu 0.2 --memory-gib 0.01 --storage-gib 0.001 \\\n    --public-ip 0.01 --ssd-gib 0.002',
      ],
      options: [
        option('--vcpu <USD>', 'a vCPU').makeOptionMandatory(),
        option('--memory-gib <USD>', 'a GiB of memory').makeOptionMandatory(),
        option('--storage-gib <USD>', 'a GiB of storage').makeOptionMandatory(),
        option('--public-ip <USD>', 'an address').makeOptionMandatory(),
        option('--ssd-gib <USD>', "a GiB of ssd; the settings' unless given"),
        option('--archive-gib <USD>', "a GiB of archive; the settings' unless given"),
        option('--host <HOST>', 'a host that is to cost this', each),
      ],
      async act(desk, _, { vcpu, memoryGib, storageGib, publicIp, ssdGib, archiveGib, host: names = [] }) {
        // Who misspells a host makes no card.
        const hosts = [];
        for (const name of names) hosts.push(await find(desk, hostKind, name));
        const gradeGib = gradesOf(ssdGib, archiveGib);
        const value = await desk.berth.prices.create({ vcpu, memoryGib, storageGib, publicIp, gradeGib });
        for (const { id } of hosts) await desk.berth.hosts.update(id, { price: value.id });
        const where = hosts.length > 0 ? `, which ${hosts.map(({ name }) => name).join(', ')} costs from now on` : '';
        return { value, done: `That is price ${value.id}${where}.` };
      },
    }),
    actVerb<Partial<Options>>({
      usage: 'change <PRICE>',
      description: 'change rates of a card for the hosts that have it; its other rates stay',
      detail:
        'A card never changes: its hosts are pointed to another one, for what is deployed from now on. What runs keeps the price that it has.',
      operation: 'revisePrice',
      examples: [
        'price change prc_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --vcpu 0.35',
        'price change prc_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f --host rack-1 \\\n    --ssd-gib 0.002',
      ],
      options: [
        option('--vcpu <USD>', 'a vCPU, an epoch'),
        option('--memory-gib <USD>', 'a GiB of memory'),
        option('--storage-gib <USD>', 'a GiB of storage'),
        option('--public-ip <USD>', 'an address'),
        option('--ssd-gib <USD>', 'a GiB of ssd'),
        option('--archive-gib <USD>', 'a GiB of archive'),
        option('--host <HOST>', 'only this one of its hosts', each),
      ],
      async act(desk, [id = ''], { ssdGib, archiveGib, host: names, ...rates }) {
        const hosts = names && (await Promise.all(names.map(async (name) => (await find(desk, hostKind, name)).id)));
        const value = await desk.berth.prices.revise(id, {
          ...rates,
          gradeGib: gradesOf(ssdGib, archiveGib),
          hosts,
        });
        const count = value.hosts.length;
        return {
          value,
          done: `${count} ${count === 1 ? 'host costs' : 'hosts cost'} what price ${value.price.id} says from now on.`,
        };
      },
    }),
  ],
};

/** Rates of grades that were given; undefined where none was. */
const gradesOf = (ssd: string | undefined, archive: string | undefined) =>
  ssd === undefined && archive === undefined ? undefined : { ssd, archive };
