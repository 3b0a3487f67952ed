// Markets and requests out of thin air, small enough that a brute force can check every answer.

import fc from 'fast-check';
import type { Constraints } from '../../src/model/constraints.ts';
import type { Datacenter } from '../../src/model/datacenter.ts';
import type { Hardware, StorageType } from '../../src/model/hardware.ts';
import { type Configuration, Market, type MarketHost } from '../../src/placement/market.ts';

const gib = 1024;

/** Three sizes that share hosts badly. */
export const configurations: readonly Configuration[] = [
  { slug: 'cpu-1-ram-1gb-storage-5gb', size: { vcpus: 1, memoryMib: gib, diskGib: 5 } },
  { slug: 'cpu-2-ram-4gb-storage-25gb', size: { vcpus: 2, memoryMib: 4 * gib, diskGib: 25 } },
  { slug: 'cpu-4-ram-4gb-storage-10gb', size: { vcpus: 4, memoryMib: 4 * gib, diskGib: 10 } },
];

/** A datacenter of a country. */
export function datacenterOf(countryCode: string): Datacenter {
  const slug = `${countryCode.toLowerCase()}-abc-1`;
  return { id: slug, slug, countryCode, cityCode: 'ABC', cityIndex: 1, tier: 3, certifications: [] };
}

/** Hardware with these names. */
export function hardwareOf(architecture: string | null, generation: string | null, type: StorageType): Hardware {
  const manufacturer = architecture === null ? null : architecture.startsWith('Zen') ? 'AMD' : 'Intel';
  return {
    cpu: { manufacturer, brand: null, architecture, generation: null, model: null },
    memory: { type: generation === null ? null : 'DDR', generation },
    storage: { type },
  };
}

/** A host that takes instances, with some of it replaced. */
export function hostOf(id: string, parts: Partial<MarketHost> = {}): MarketHost {
  return {
    id,
    priceId: 'price',
    rates: {
      vcpuMicroUsd: 100_000n,
      memoryGibMicroUsd: 20_000n,
      storageGibMicroUsd: 1_000n,
      gradeGibMicroUsd: {},
      publicIpMicroUsd: 10_000n,
    },
    hardware: hardwareOf('Zen', '4', 'NVMe'),
    datacenter: datacenterOf('DE'),
    state: 'open',
    reachable: true,
    free: { vcpus: 8, memoryMib: 16 * gib, diskGib: 200 },
    additionalGibMax: null,
    ...parts,
  };
}

/** A market of these hosts. */
export function marketOf(hosts: readonly MarketHost[]): Market {
  const market = new Market();
  market.setConfigurations(configurations);
  for (const host of hosts) market.set(host);
  return market;
}

const rates = fc.record({
  vcpuMicroUsd: fc.constantFrom(100_000n, 120_000n, 2_000n),
  memoryGibMicroUsd: fc.constantFrom(20_000n, 15_000n),
  storageGibMicroUsd: fc.constantFrom(1_000n, 3_000n),
  gradeGibMicroUsd: fc.constantFrom({}, { ssd: 2_000n }),
  publicIpMicroUsd: fc.constantFrom(0n, 10_000n),
});

const hardware = fc
  .tuple(
    fc.constantFrom('Zen', 'Zen 4', 'Ice Lake', null),
    fc.constantFrom('4', '5', null),
    fc.constantFrom<StorageType>('HDD', 'SSD', 'NVMe'),
  )
  .map(([architecture, generation, type]) => hardwareOf(architecture, generation, type));

/** A host with this id, of any kind. */
export const anyHost = (id: string): fc.Arbitrary<MarketHost> =>
  fc.record({
    id: fc.constant(id),
    priceId: fc.constant('price'),
    rates,
    hardware,
    datacenter: fc.option(fc.constantFrom('DE', 'FR', 'PL').map(datacenterOf)),
    state: fc.constantFrom('open' as const, 'open' as const, 'open' as const, 'drained' as const),
    reachable: fc.constantFrom(true, true, true, false),
    free: fc.record({
      vcpus: fc.integer({ min: 0, max: 9 }),
      memoryMib: fc.integer({ min: 0, max: 18 }).map((count) => count * gib),
      diskGib: fc.integer({ min: 0, max: 120 }),
    }),
    additionalGibMax: fc.constantFrom(null, null, 0, 30),
  });

/** A few hosts of any kind. */
export const anyHosts: fc.Arbitrary<MarketHost[]> = fc
  .integer({ min: 0, max: 12 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => anyHost(`host-${index}`))));

/** Constraints of any kind, most of which some host keeps. */
export const anyConstraints: fc.Arbitrary<Constraints> = fc.record({
  configuration: fc.constantFrom(null, null, ...configurations.map(({ slug }) => slug), 'cpu-9-ram-9gb-storage-9gb'),
  additionalStorage: fc.oneof(
    fc.constant([]),
    fc
      .tuple(fc.constantFrom('SSD', 'NVMe', null), fc.integer({ min: 0, max: 80 }))
      .map(([type, size]) => [{ type, gib: size }]),
  ),
  cpu: fc.constantFrom(
    [],
    [],
    [{ manufacturer: 'amd', architecture: null }],
    [
      { manufacturer: 'Intel', architecture: 'ICE LAKE' },
      { manufacturer: 'AMD', architecture: 'Zen 4' },
    ],
  ),
  memory: fc.constantFrom([], [], [{ type: 'DDR', generation: '5' }], [{ type: 'DDR', generation: null }]),
  storage: fc.constantFrom([], [], [{ type: 'SSD' }], [{ type: 'NVMe' }, { type: 'HDD' }]),
  countries: fc.constantFrom([], [], ['DE'], ['FR', 'PL'], ['US']),
  maxPricePerEpoch: fc.option(fc.bigInt({ min: 0n, max: 900_000n })),
  cities: fc.constantFrom([], [], ['ABC'], ['XYZ']),
  datacenters: fc.constantFrom([], [], ['de-abc-1', 'pl-abc-1'], ['us-abc-1']),
  vcpusMin: fc.constantFrom(null, null, 2, 4, 8),
  memoryMibMin: fc.constantFrom(null, null, gib, 3 * gib, 9 * gib),
});
