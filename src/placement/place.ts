// Placement: which hosts take the instances of a request. Pure: the market in, placements out. The policy: the cheapest
// first; among those of one price the best fit, where the fewest places for other instances are lost; and instances of one
// request go to different hosts where these are equal.

import type { Size } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import type { MicroUsd } from '../model/money.ts';
import { isAskedFor, keepersOf, rulesOf } from './filter.ts';
import {
  type Configuration,
  compareFree,
  type HostClass,
  type Market,
  type MarketHost,
  room,
  type Tier,
} from './market.ts';

/**
 * Fitting groups of equal hosts that are weighed against each other, the fullest; with more, placement gets slower and does
 * not pack better (`npm run bench:packing`).
 */
const weighedMax = 32;

/** What is asked for. */
export interface Wanted {
  constraints: Constraints;
  count: number;
  /** Hosts that take no more than so many though more would fit, such as those found to be short of addresses. */
  limits?: ReadonlyMap<string, number>;
  /** Picks one of so many equals; without it the first known is taken. Rivals who pick at random meet less often. */
  pick?: (count: number) => number;
}

/** One host's share of a request. `price` is for one instance and epoch. */
export interface Placement {
  host: MarketHost;
  count: number;
  price: MicroUsd;
  /** Grades of disks that go to pools of their own there, so that the size does not count them. */
  apartGrades?: readonly string[];
}

/** The outcome: `placed` is how many of the wanted instances found a place. */
export interface Placed {
  /** The configuration that the instances have; null when none is sold by that name, or they are of no configuration. */
  configuration: string | null;
  /** With the additional storage. */
  size: Size | null;
  placements: Placement[];
  placed: number;
}

/**
 * Places instances. Without a configuration the smallest is taken that enough places exist for; when there is none, the
 * outcome is that of the configuration that found the most.
 */
export function place(market: Market, wanted: Wanted): Placed {
  let best: Placed = { configuration: null, size: null, placements: [], placed: 0 };
  const { constraints, count } = wanted;
  const { maxPricePerEpoch: max } = constraints;
  const extraGib = additionalGibOf(constraints);
  const keepers = keepersOf(rulesOf(constraints));
  for (const configuration of market.configurations) {
    if (!isAskedFor(constraints, configuration)) continue;
    const { slug, size: base } = configuration;
    const size = { ...base, diskGib: base.diskGib + extraGib };
    const placements: Placement[] = [];
    let left = count;
    for (const { price, tiers } of pricedTiers(market, slug, extraGib)) {
      if (left === 0 || (max !== null && price > max)) break;
      const classes: HostClass[] = [];
      for (const tier of tiers) {
        for (const hostClass of keepers(tier)) {
          if (hostClass.available.get(slug) && hostClass.largest.diskGib >= size.diskGib) classes.push(hostClass);
        }
      }
      for (const { host, count: taken } of placeAtOnePrice(classes, size, left, market.configurations, wanted)) {
        placements.push({ host, count: taken, price });
        left -= taken;
      }
    }
    const placed = count - left;
    if (best.configuration === null || placed > best.placed) best = { configuration: slug, size, placements, placed };
    if (left === 0) break;
  }
  return best;
}

/** The rate cards by what one instance costs, the cheapest first; those of one price are together. */
function pricedTiers(market: Market, slug: string, extraGib: number): { price: MicroUsd; tiers: Tier[] }[] {
  const listings = market.listingsOf(slug);
  const priced = listings.map(({ tier, price }) => {
    return { tier, price: extraGib === 0 ? price : price + BigInt(extraGib) * tier.rates.storageGibMicroUsd };
  });
  if (extraGib > 0) priced.sort((a, b) => (a.price < b.price ? -1 : a.price > b.price ? 1 : 0));
  const together: { price: MicroUsd; tiers: Tier[] }[] = [];
  for (const { tier, price } of priced) {
    const last = together.at(-1);
    if (last?.price === price) last.tiers.push(tier);
    else together.push({ price, tiers: [tier] });
  }
  return together;
}

/** Hosts that are equal in price and in what they have left, and how many instances each has room for. */
interface Equals {
  free: Size;
  hosts: MarketHost[];
  room: number;
}

/** Places instances on hosts that cost the same, where they fit best; as many as there is room for. */
export function placeAtOnePrice(
  classes: readonly HostClass[],
  size: Size,
  count: number,
  sold: readonly Configuration[],
  wanted: Pick<Wanted, 'limits' | 'pick'>,
): { host: MarketHost; count: number }[] {
  const shares: { host: MarketHost; count: number }[] = [];
  let left = count;
  for (const equals of bestFitsFirst(equalsOf(classes, size, count, wanted), size, sold)) {
    // One each, round and round, so that a request is spread as widely as equals allow.
    const first = equals.hosts.length > 1 && wanted.pick ? wanted.pick(equals.hosts.length) : 0;
    const used = Math.min(equals.hosts.length, left);
    const each = Math.floor(Math.min(left, used * equals.room) / used);
    const oneMore = Math.min(left, used * equals.room) - each * used;
    for (let index = 0; index < used; index += 1) {
      const host = equals.hosts[(first + index) % equals.hosts.length];
      if (host) shares.push({ host, count: each + (index < oneMore ? 1 : 0) });
    }
    left -= each * used + oneMore;
    if (left === 0) break;
  }
  return shares;
}

/** The fitting hosts of some classes, from the fullest, as far as `count` instances can need them and they are weighed. */
function equalsOf(
  classes: readonly HostClass[],
  size: Size,
  count: number,
  { limits, pick }: Pick<Wanted, 'limits' | 'pick'>,
): Equals[] {
  const found: Equals[] = [];
  const groupsMin = Math.ceil(weighedMax / classes.length);
  for (const { groups } of classes) {
    let places = 0;
    let seen = 0;
    for (let index = firstWithVcpus(groups, size.vcpus); index < groups.length; index += 1) {
      if (places >= count && seen >= groupsMin) break;
      const group = groups[index];
      const fitting = group ? room(group.free, size) : 0;
      if (!group || fitting === 0) continue;
      const hosts: MarketHost[] = [];
      for (const host of group.hosts.values()) {
        const limit = limits?.get(host.id);
        if (limit !== undefined) {
          if (limit > 0) found.push({ free: group.free, hosts: [host], room: Math.min(fitting, limit) });
          continue;
        }
        hosts.push(host);
        if (!pick && hosts.length === count) break;
      }
      if (hosts.length === 0) continue;
      places += hosts.length * fitting;
      seen += 1;
      found.push({ free: group.free, hosts, room: fitting });
    }
  }
  found.sort((a, b) => compareFree(a.free, b.free));
  // Equals of different classes stand next to each other now.
  return found.reduce<Equals[]>((merged, equals) => {
    const last = merged.at(-1);
    if (last?.room === equals.room && compareFree(last.free, equals.free) === 0) last.hosts.push(...equals.hosts);
    else merged.push(equals);
    return merged;
  }, []);
}

/** The same, the fullest of them in the order of what is lost when an instance of this size is placed there. */
function bestFitsFirst(equals: readonly Equals[], size: Size, sold: readonly Configuration[]): Equals[] {
  if (equals.length < 2) return [...equals];
  const weighed = equals.slice(0, weighedMax).map((one) => ({ one, loss: lossOf(one.free, size, sold) }));
  weighed.sort((a, b) => a.loss - b.loss);
  return [...weighed.map(({ one }) => one), ...equals.slice(weighedMax)];
}

/** How many places for instances of the sizes that are sold a host loses, each counted by its vCPUs. */
function lossOf(free: Size, { vcpus, memoryMib, diskGib }: Size, sold: readonly Configuration[]): number {
  const left = { vcpus: free.vcpus - vcpus, memoryMib: free.memoryMib - memoryMib, diskGib: free.diskGib - diskGib };
  return sold.reduce((sum, { size }) => sum + size.vcpus * (room(free, size) - room(left, size)), 0);
}

/** The first group with at least so many vCPUs left; those before it have no room. */
function firstWithVcpus(groups: HostClass['groups'], vcpus: number): number {
  let low = 0;
  let high = groups.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((groups[middle]?.free.vcpus ?? 0) < vcpus) low = middle + 1;
    else high = middle;
  }
  return low;
}
