// `berth offer`: what can be rented now, and why something can't.

import type { Country, Offer, OfferedHardware, Relaxation } from '../../../sdk/generated/types.ts';
import { sizeOf } from '../choose.ts';
import { type Desk, type Noun, option } from '../command.ts';
import { type Column, sheetOf, tableOf } from '../table.ts';
import { sizeGib, sizeMib, wholeNumber } from '../units.ts';
import { listVerb } from '../verbs.ts';

interface Options {
  size?: string;
  extraStorage?: number;
  country?: string;
  city?: string;
  datacenter?: string;
  cpu?: string;
  storageType?: 'HDD' | 'SSD' | 'NVMe';
  vcpus?: number;
  memory?: number;
  maxPrice?: string;
  count?: number;
}

const constraintOptions = () => [
  option('--size <SIZE>', 'a size, or what it begins with'),
  option('--extra-storage <SIZE>', "beyond the size's own, such as 20GiB", sizeGib),
  option('--country <CODES>', 'only there, such as PL,DE'),
  option('--city <CODES>', 'only there, such as POZ'),
  option('--datacenter <SLUGS>', 'only there'),
  option('--cpu <MANUFACTURER>', 'only such processors, such as AMD'),
  option('--storage-type <TYPE>', 'only such hosts').choices(['HDD', 'SSD', 'NVMe']),
  option('--vcpus <N>', 'at least so many', wholeNumber),
  option('--memory <SIZE>', 'at least so much, such as 4GiB', sizeMib),
  option('--max-price <USD>', 'at most so much an epoch'),
];

async function queryOf({ berth }: Desk, options: Options) {
  const { size, extraStorage, country, city, datacenter, cpu, storageType, vcpus, memory, maxPrice } = options;
  return {
    configuration: size === undefined ? undefined : await sizeOf(berth, size),
    additionalStorageGib: extraStorage,
    ...{
      country,
      city,
      datacenter,
      cpuManufacturer: cpu,
      storageType,
      vcpusMin: vcpus,
      memoryMibMin: memory,
      maxPrice,
    },
  };
}

const columns: readonly Column<Offer>[] = [
  { title: 'size', cell: ({ configuration }) => configuration.slug },
  { title: 'usd/epoch', cell: ({ pricePerEpoch }) => pricePerEpoch, right: true },
  { title: 'free', cell: ({ available }) => available, right: true },
  { title: 'datacenter', cell: ({ datacenter }) => datacenter?.slug, rank: 1 },
  {
    title: 'processor',
    cell: ({ hardware: { cpuManufacturer, cpuBrand } }) => [cpuManufacturer, cpuBrand].filter(Boolean).join(' '),
    rank: 3,
  },
  { title: 'storage', cell: ({ hardware }) => hardware.storageType, rank: 2 },
];

const relaxationColumns: readonly Column<Relaxation>[] = [
  { title: 'with another', cell: ({ changed }) => changed.join(', ') },
  { title: 'usd/epoch', cell: ({ maxPricePerEpoch }) => maxPricePerEpoch, right: true },
  { title: 'size', cell: ({ configuration }) => configuration, rank: 1 },
  { title: 'instances', cell: ({ count }) => count, right: true, rank: 3 },
  {
    title: 'where',
    cell: ({ constraints: { countries, cities, datacenters } }) => whereOf(countries, cities, datacenters),
    rank: 2,
  },
];

const whereOf = (...places: (string[] | undefined)[]) => places.flatMap((some) => some ?? []).join(' ');

/** The `offer` commands. */
export const noun: Noun = {
  verbs: [
    listVerb({
      description: 'list what can be rented now, the cheapest first',
      operation: 'listOffers',
      examples: ['offer list', 'offer list --country PL --max-price 1.5', 'offer list --vcpus 4 --memory 8GiB'],
      options: constraintOptions(),
      columns,
      none: 'Nothing fits. "berth offer explain" with the same options says why, and what would work.',
      pages: async (desk, limit, options: Options) =>
        desk.berth.offers.list({ ...(await queryOf(desk, options)), limit }),
    }),
    {
      usage: 'explain',
      description: 'say why a request finds nothing, and which smallest changes would work',
      operation: 'explainOffers',
      examples: ['offer explain --country PL --max-price 0.1', 'offer explain --size cpu-2-ram-4gb --count 3'],
      options: [...constraintOptions(), option('--count <N>', 'so many instances; one unless given', wholeNumber)],
      async run(desk, _, options: Options) {
        const value = await desk.berth.offers.explain({ ...(await queryOf(desk, options)), count: options.count });
        const { hosts, fitting, removed, relaxations } = value;
        const wanted = options.count ?? 1;
        return {
          value,
          text: (look) =>
            [
              `${fitting} of ${hosts} hosts could take one; ${value.placed} of ${wanted} would find a place now.\n`,
              ...(removed.length > 0 ? ['\nTurned down:\n', tableOf(removedColumns, removed, look)] : []),
              ...(relaxations.length > 0
                ? ['\nThis would work:\n', tableOf(relaxationColumns, relaxations, look)]
                : []),
            ].join(''),
        };
      },
    },
    {
      usage: 'hardware',
      description: 'show on which hardware something can be rented',
      operation: 'getHardware',
      examples: ['offer hardware', 'offer hardware --json'],
      async run({ berth }) {
        const value = await berth.offers.getHardware();
        const rows = hardwareRows(value);
        return { value, text: (look) => (rows.length === 0 ? 'Nothing is known of it.\n' : sheetOf(rows, look)) };
      },
    },
    listVerb({
      usage: 'countries',
      description: 'list the countries with hosts that take instances',
      operation: 'listCountries',
      examples: ['offer countries', 'offer countries --json'],
      columns: [{ title: 'country', cell: ({ code }: Country) => code }],
      none: 'There is none: no open host says where it stands.',
      pages: ({ berth }, limit) => berth.offers.listCountries({ limit }),
    }),
  ],
};

/** The hardware as lines of what it is and what there is of it. */
const hardwareRows = ({ cpu, memory, storage }: OfferedHardware): readonly (readonly [string, string])[] => [
  ...cpu.map(({ manufacturer, architecture }) => ['processor', `${manufacturer} ${architecture}`] as const),
  ...memory.map(({ type, generation }) => ['memory', `${type} ${generation}`] as const),
  ...storage.map(({ type }) => ['storage', type] as const),
];

const removedColumns: readonly Column<{ constraint: string; hosts: number; alone: number }>[] = [
  { title: 'by', cell: ({ constraint }) => constraint },
  { title: 'hosts', cell: ({ hosts }) => hosts, right: true },
  { title: 'by it alone', cell: ({ alone }) => alone, right: true },
];
