// Placements a second in memory, on one core, in a market of 10,000 hosts: requests of the sizes that are sold most, one to
// three instances, half of them with constraints. Each place is really taken, and given back when the instance has been
// there for a while, so that the market changes under the search as it does in life.

import { type Constraints, noConstraints } from '../src/model/constraints.ts';
import { place } from '../src/placement/place.ts';
import { configurations, countries, makeMarket, randomOf } from './hosts.ts';

const hosts = Number(process.argv[2] ?? 10_000);
const warmUp = 5_000;
const requests = 50_000;
/** Placements that stand at any time. */
const standing = 20_000;

const random = randomOf(7);
const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;

function anyConstraints(): Constraints {
  const wanted = { ...noConstraints, configuration: pick(configurations.slice(0, 8)).slug };
  switch (Math.floor(random() * 6)) {
    case 0:
      return { ...wanted, countries: [pick(countries)] };
    case 1:
      return { ...wanted, cpu: [{ manufacturer: 'AMD', architecture: null }], storage: [{ type: 'NVMe' }] };
    case 2:
      return { ...wanted, additionalStorage: [{ type: 'SSD', gib: 50 }], countries: ['DE', 'FR', pick(countries)] };
    default:
      return wanted;
  }
}

const market = makeMarket(hosts);
const taken: { id: string; vcpus: number; memoryMib: number; diskGib: number }[] = [];

function move({ id, vcpus, memoryMib, diskGib }: (typeof taken)[number], sign: 1 | -1): void {
  const host = market.get(id);
  if (!host) return;
  const { free } = host;
  market.set({
    ...host,
    free: {
      vcpus: free.vcpus + sign * vcpus,
      memoryMib: free.memoryMib + sign * memoryMib,
      diskGib: free.diskGib + sign * diskGib,
    },
  });
}

/** @returns how many instances found a place */
function once(): number {
  const { placements, size, placed } = place(market, { constraints: anyConstraints(), count: pick([1, 1, 1, 3]) });
  for (const { host, count } of placements) {
    const { vcpus = 0, memoryMib = 0, diskGib = 0 } = size ?? {};
    const given = { id: host.id, vcpus: vcpus * count, memoryMib: memoryMib * count, diskGib: diskGib * count };
    move(given, -1);
    taken.push(given);
  }
  while (taken.length > standing) {
    const index = Math.floor(random() * taken.length);
    const [gone] = taken.splice(index, 1);
    if (gone) move(gone, 1);
  }
  return placed;
}

for (let done = 0; done < warmUp; done += 1) once();
const began = performance.now();
let instances = 0;
for (let done = 0; done < requests; done += 1) instances += once();
const seconds = (performance.now() - began) / 1000;
const figure = {
  bench: 'placement',
  placementsPerSecond: Math.round(requests / seconds),
  instancesPerSecond: Math.round(instances / seconds),
  hosts,
  requests,
};
process.stdout.write(`${JSON.stringify(figure)}\n`);
