// How well placement packs: the share of requests that are refused though a perfect packer could still have placed them,
// beside first fit, best fit and worst fit on the same requests.
//
// The requests are made up, in the shape that Microsoft published of Azure (Cortez et al., "Resource Central", SOSP 2017,
// and the packing trace of Hadary et al., "Protean", OSDI 2020; both at github.com/Azure/AzurePublicDataset): some four
// fifths of all VMs have one or two vCPUs, large ones are rare and yet much of what is used; memory is mostly 4 GiB to the
// vCPU, some have half or double; most live for minutes or a few hours while a few stay for days or weeks and hold most of the
// machines, so lifetimes are drawn from three ranges with a long tail. Requests come at random (Poisson), as many as would
// fill the hosts were none refused.
//
// A perfect packer may move everything at any time, yet can't place what is more than all hosts together have left; every
// refusal beyond that bound is counted against the policy. Some of those no packer could have helped, so the share is never
// too small.

import type { Size } from '../src/model/configuration.ts';
import { noConstraints } from '../src/model/constraints.ts';
import { type Configuration, Market } from '../src/placement/market.ts';
import { place } from '../src/placement/place.ts';
import { machineOf, randomOf } from './hosts.ts';

const seeds = [1, 2, 3, 4, 5];
const hosts = 100;
const requests = 160_000;
/** Requests before which nothing is counted, so that the hosts are full. */
const warmUp = 80_000;
const load = 1;
const gib = 1024;

const hostSizes: readonly Size[] = [
  { vcpus: 64, memoryMib: 256 * gib, diskGib: 4_000 },
  { vcpus: 96, memoryMib: 384 * gib, diskGib: 6_000 },
];

/** Sizes by how many of a hundred VMs have them. */
const vcpuShares = [
  [1, 46],
  [2, 32],
  [4, 12],
  [8, 6],
  [16, 3],
  [32, 1],
] as const;
/** GiB for each vCPU by how many of a hundred have so many. */
const memoryShares = [
  [4, 70],
  [2, 18],
  [8, 12],
] as const;
/** Hours: from, to, and how many of a hundred live so long. */
const lifetimeShares: readonly (readonly [readonly [number, number], number])[] = [
  [[0.1, 1], 55],
  [[1, 24], 35],
  [[24, 336], 10],
];

const configurations: readonly Configuration[] = vcpuShares.flatMap(([vcpus]) =>
  memoryShares.map(([ratio]) => configurationOf(vcpus, ratio)),
);

function configurationOf(vcpus: number, ratio: number): Configuration {
  const size = { vcpus, memoryMib: vcpus * ratio * gib, diskGib: vcpus * 25 };
  return { slug: `cpu-${vcpus}-ram-${vcpus * ratio}gb-storage-${size.diskGib}gb`, size };
}

interface Request {
  atHours: number;
  hours: number;
  configuration: Configuration;
}

function pickShare<Item>(shares: readonly (readonly [Item, number])[], random: () => number): Item {
  let left = random() * 100;
  for (const [item, share] of shares) {
    left -= share;
    if (left < 0) return item;
  }
  return (shares.at(-1) as readonly [Item, number])[0];
}

function makeTrace(seed: number): Request[] {
  const random = randomOf(seed);
  const drawn = Array.from({ length: requests }, () => {
    const [from, to] = pickShare(lifetimeShares, random);
    // As many live from one to two hours as from two to four: the logarithm is uniform.
    const hours = from * (to / from) ** random();
    return { hours, configuration: configurationOf(pickShare(vcpuShares, random), pickShare(memoryShares, random)) };
  });
  const vcpuHours = drawn.reduce((sum, { hours, configuration }) => sum + hours * configuration.size.vcpus, 0);
  const vcpus = Array.from({ length: hosts }, (_, index) => sizeOfHost(index).vcpus).reduce((a, b) => a + b, 0);
  const gapHours = vcpuHours / requests / (vcpus * load);
  let atHours = 0;
  return drawn.map((one) => {
    atHours -= Math.log(1 - random()) * gapHours;
    return { atHours, ...one };
  });
}

const sizeOfHost = (index: number) => hostSizes[index % hostSizes.length] as Size;

/** Where an instance of a size goes, given what each host has left; -1 is nowhere. */
interface Policy {
  choose(size: Size, slug: string): number;
  changed(host: number): void;
}
type MakePolicy = (free: readonly Size[]) => Policy;

const fits = (free: Size, size: Size) =>
  free.vcpus >= size.vcpus && free.memoryMib >= size.memoryMib && free.diskGib >= size.diskGib;
/** How empty a host is: the sum of what is left of each resource, as shares of an average host. */
const emptiness = ({ vcpus, memoryMib, diskGib }: Size) => vcpus / 80 + memoryMib / (320 * gib) + diskGib / 5_000;

/** The host with the least `score` of those that fit. */
const byScore =
  (score: (free: Size, index: number) => number): MakePolicy =>
  (free) => ({
    choose(size) {
      let best = -1;
      let least = Number.POSITIVE_INFINITY;
      for (const [index, one] of free.entries()) {
        if (!fits(one, size)) continue;
        const scored = score(one, index);
        if (scored < least) [best, least] = [index, scored];
      }
      return best;
    },
    changed() {},
  });

const ours: MakePolicy = (free) => {
  const market = new Market();
  market.setConfigurations(configurations);
  const rates = {
    vcpuMicroUsd: 1n,
    memoryGibMicroUsd: 1n,
    storageGibMicroUsd: 1n,
    gradeGibMicroUsd: {},
    publicIpMicroUsd: 1n,
  };
  const changed = (index: number) =>
    market.set({
      ...{ id: String(index), priceId: '', rates, hardware: machineOf(0), datacenter: null, additionalGibMax: null },
      ...{ state: 'open' as const, reachable: true, free: free[index] as Size },
    });
  for (const index of free.keys()) changed(index);
  return {
    choose(_, slug) {
      const { placements } = place(market, { constraints: { ...noConstraints, configuration: slug }, count: 1 });
      return Number(placements[0]?.host.id ?? -1);
    },
    changed,
  };
};

const policies: Readonly<Record<string, MakePolicy>> = {
  berth: ours,
  bestFit: byScore(emptiness),
  firstFit: byScore((_, index) => index),
  worstFit: byScore((free) => -emptiness(free)),
};

/** Refusals beyond the bound, as a share of the requests that were counted. */
function refusedShare(trace: readonly Request[], makePolicy: MakePolicy): number {
  const free = Array.from({ length: hosts }, (_, index) => ({ ...sizeOfHost(index) }));
  const policy = makePolicy(free);
  const total = free.reduce((sum, one) => change(sum, one, 1), { vcpus: 0, memoryMib: 0, diskGib: 0 });
  /** Ends of instances, in the order of time. */
  const ends: { atHours: number; host: number; size: Size }[] = [];
  let refused = 0;
  for (const [index, { atHours, hours, configuration }] of trace.entries()) {
    while ((ends.at(-1)?.atHours ?? Number.POSITIVE_INFINITY) <= atHours) {
      const end = ends.pop();
      if (!end) break;
      free[end.host] = change(free[end.host] as Size, end.size, 1);
      Object.assign(total, change(total, end.size, 1));
      policy.changed(end.host);
    }
    const { size, slug } = configuration;
    const host = policy.choose(size, slug);
    if (host === -1) {
      if (index >= warmUp && fits(total, size)) refused += 1;
      continue;
    }
    free[host] = change(free[host] as Size, size, -1);
    Object.assign(total, change(total, size, -1));
    policy.changed(host);
    const end = { atHours: atHours + hours, host, size };
    ends.splice(placeOf(ends, end.atHours), 0, end);
  }
  return refused / (trace.length - warmUp);
}

const change = (free: Size, size: Size, sign: 1 | -1): Size => ({
  vcpus: free.vcpus + sign * size.vcpus,
  memoryMib: free.memoryMib + sign * size.memoryMib,
  diskGib: free.diskGib + sign * size.diskGib,
});

/** Where an end belongs in the list, whose last is the next. */
function placeOf(ends: readonly { atHours: number }[], atHours: number): number {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle]?.atHours ?? 0) > atHours) low = middle + 1;
    else high = middle;
  }
  return low;
}

const percent = (share: number) => Number((share * 100).toFixed(3));
const results = Object.entries(policies).map(([name, makePolicy]) => {
  return { name, shares: seeds.map((seed) => refusedShare(makeTrace(seed), makePolicy)) };
});
const mean = (shares: readonly number[]) => shares.reduce((sum, share) => sum + share, 0) / shares.length;
const figure = {
  bench: 'packing',
  ...Object.fromEntries(results.map(({ name, shares }) => [`${name}Percent`, percent(mean(shares))])),
  bySeed: Object.fromEntries(results.map(({ name, shares }) => [name, shares.map(percent)])),
  requests: requests - warmUp,
  hosts,
};
process.stdout.write(`${JSON.stringify(figure)}\n`);
