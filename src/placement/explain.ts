// Why nothing was found: how many hosts each constraint turned down, and the smallest changes of the request that would
// have worked at that moment, each with its price. Pure; it runs only where a request found nothing.

import type { Size } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import { largestOf, type MicroUsd } from '../model/money.ts';
import { pricePerEpoch } from '../model/price.ts';
import { isAskedFor, type Rule, rulesOf } from './filter.ts';
import type { Market, MarketHost, Tier } from './market.ts';
import { type Placed, place } from './place.ts';

/** A part of a request that can give way. */
export const relaxables = [
  'instances',
  'maxPricePerEpoch',
  'additionalStorage',
  'countries',
  'cities',
  'datacenters',
  'cpu',
  'memory',
  'storage',
  'vcpusMin',
  'memoryMibMin',
  'configuration',
] as const;

/** One of {@link relaxables}. */
export type Relaxable = (typeof relaxables)[number];

/** A request that would have worked. */
export interface Relaxation {
  /** What differs from the request that did not. */
  changed: Relaxable[];
  constraints: Constraints;
  instances: number;
  /** The dearest instance and all of them, for one epoch. */
  maxPrice: MicroUsd;
  totalPrice: MicroUsd;
}

/** Why a request found nothing. */
export interface Explanation {
  hosts: number;
  /** For each constraint the hosts that it was the first to turn down; what is left is in `fitting`. */
  removed: { constraint: string; hosts: number }[];
  /** Hosts that could take at least one instance. */
  fitting: number;
  /** The smallest changes that work, the cheapest first; empty when none does. */
  relaxations: Relaxation[];
}

interface Request {
  constraints: Constraints;
  count: number;
}

/** Suggestions in one explanation. */
const relaxationsMax = 10;
/** Changes at once beyond which a suggestion is no longer the same request. */
const changesMax = 4;

/** Explains why a request found no place, or not for all of its instances. */
export function explain(market: Market, request: Request): Explanation {
  const counts = new Map<string, number>();
  const count = (reason: string | null, hosts: number) => {
    if (hosts === 0) return;
    if (reason === null) fitting += hosts;
    else counts.set(reason, (counts.get(reason) ?? 0) + hosts);
  };
  let fitting = 0;
  count('state', market.unsellable.state);
  count('reachable', market.unsellable.reachable);
  const rules = rulesOf(request.constraints);
  const sizes = sizesOf(market, request.constraints);
  const payable = new Map<Tier, Size[]>();
  for (const hostClass of market.classes()) {
    const broken = rules.find((rule) => !rule.keeps(hostClass));
    if (broken) count(broken.constraint, hostClass.hosts);
    else if (sizes.length === 0) count(whyNoSize(market, request.constraints), hostClass.hosts);
    else {
      const { tier } = hostClass;
      const affordable = payable.get(tier) ?? affordableOf(tier, sizes, request.constraints);
      payable.set(tier, affordable);
      if (affordable.length === 0) count('maxPricePerEpoch', hostClass.hosts);
      else for (const { free, hosts } of hostClass.groups) count(whyTooSmall(free, affordable), hosts.size);
    }
  }
  const hosts = [...counts.values()].reduce((sum, one) => sum + one, fitting);
  const removed = [...counts].map(([constraint, turnedDown]) => ({ constraint, hosts: turnedDown }));
  removed.sort((one, other) => other.hosts - one.hosts);
  return { hosts, removed, fitting, relaxations: relax(market, request) };
}

/** The sizes that are asked for and sold, with the additional storage. */
export function sizesOf(market: Market, constraints: Constraints): Size[] {
  return market.configurations
    .filter((configuration) => isAskedFor(constraints, configuration))
    .map(({ size }) => ({ ...size, diskGib: size.diskGib + additionalGibOf(constraints) }));
}

/** What leaves no size of those that are sold: the name, or the first of the minimums that does with those before it. */
export function whyNoSize({ configurations }: Market, constraints: Constraints): string {
  const named = { ...constraints, vcpusMin: null, memoryMibMin: null };
  const isSold = (asked: Constraints) => configurations.some((one) => isAskedFor(asked, one));
  if (!isSold(named)) return 'configuration';
  return isSold({ ...named, vcpusMin: constraints.vcpusMin ?? null }) ? 'memoryMibMin' : 'vcpusMin';
}

/** Those sizes that cost no more than is asked for. */
export function affordableOf({ rates }: Tier, sizes: readonly Size[], { maxPricePerEpoch: max }: Constraints): Size[] {
  return sizes.filter((size) => max === null || pricePerEpoch(rates, size) <= max);
}

/** What a host has too little of for any of these sizes; null when one fits. */
export function whyTooSmall(free: Size, sizes: readonly Size[]): string | null {
  let reason = 'free vCPUs';
  for (const { vcpus, memoryMib, diskGib } of sizes) {
    if (vcpus > free.vcpus) continue;
    if (memoryMib > free.memoryMib) {
      if (reason === 'free vCPUs') reason = 'free memory';
    } else if (diskGib > free.diskGib) reason = 'free disk';
    else return null;
  }
  return reason;
}

/** All suggestions with the least number of changes that any suggestion has. */
function relax(market: Market, request: Request): Relaxation[] {
  const asked = relaxables.filter((part) => asks(request, part));
  const obstacles = obstaclesOf(market, request.constraints);
  for (let changes = 1; changes <= Math.min(asked.length, changesMax); changes += 1) {
    const found = subsets(asked, changes).flatMap((parts) => {
      const helps = obstacles.some((broken) => broken.every((part) => parts.includes(part)));
      return (helps && relaxed(market, request, parts)) || [];
    });
    if (found.length === 0) continue;
    found.sort((a, b) => (a.totalPrice < b.totalPrice ? -1 : a.totalPrice > b.totalPrice ? 1 : 0));
    return found.slice(0, relaxationsMax);
  }
  return [];
}

/** What classes break, each combination once. Only changes that take all of one of them out of the way can help. */
function obstaclesOf(market: Market, constraints: Constraints): Rule['constraint'][][] {
  const rules = rulesOf(constraints);
  const found = new Map<number, Rule['constraint'][]>();
  for (const hostClass of market.classes()) {
    let key = 0;
    for (const [bit, rule] of rules.entries()) if (!rule.keeps(hostClass)) key |= 1 << bit;
    if (found.has(key)) continue;
    found.set(
      key,
      rules.filter((_, bit) => key & (1 << bit)).map(({ constraint }) => constraint),
    );
  }
  return [...found.values()];
}

function asks({ constraints, count }: Request, part: Relaxable): boolean {
  switch (part) {
    case 'instances':
      return count > 1;
    case 'additionalStorage':
      return additionalGibOf(constraints) > 0;
    case 'maxPricePerEpoch':
    case 'configuration':
    case 'vcpusMin':
    case 'memoryMibMin':
      return constraints[part] != null;
    default:
      return (constraints[part] ?? []).length > 0;
  }
}

/** The request with these parts changed as little as makes it work; null when no change of them does. */
function relaxed(market: Market, request: Request, parts: readonly Relaxable[]): Relaxation | null {
  // What can only be left out is left out first; what can be lessened is then lessened as little as works.
  let { constraints } = request;
  for (const part of parts) {
    if (isList(part)) constraints = { ...constraints, [part]: [] };
    else if (part === 'maxPricePerEpoch') constraints = { ...constraints, maxPricePerEpoch: null };
  }
  const least = parts.includes('instances') ? 1 : request.count;
  const works = (tried: Constraints) => place(market, { constraints: tried, count: least }).placed === least;
  for (const part of parts) {
    if (part !== 'vcpusMin' && part !== 'memoryMibMin') continue;
    // What is lessened only after this is out of the way meanwhile.
    const later = {
      ...(part === 'vcpusMin' && parts.includes('memoryMibMin') ? { memoryMibMin: null } : {}),
      ...(parts.includes('configuration') ? { configuration: null } : {}),
      ...(parts.includes('additionalStorage') ? { additionalStorage: [] } : {}),
    };
    const minimum = leastOf(market, constraints, part, (tried) => works({ ...tried, ...later }));
    if (minimum === null) return null;
    constraints = { ...constraints, [part]: minimum };
  }
  if (parts.includes('configuration')) {
    const other = otherConfigurations(market, constraints).find((slug) => {
      const tried = { ...constraints, configuration: slug };
      return works(parts.includes('additionalStorage') ? { ...tried, additionalStorage: [] } : tried);
    });
    if (!other) return null;
    constraints = { ...constraints, configuration: other };
  }
  if (parts.includes('additionalStorage')) {
    const most = mostAdditional(constraints, works);
    if (!most) return null;
    constraints = most;
  }
  let outcome = place(market, { constraints, count: request.count });
  if (outcome.placed < least) return null;
  if (parts.includes('instances')) {
    if (outcome.placed === request.count) return null;
    outcome = place(market, { constraints, count: outcome.placed });
  }
  if (parts.includes('maxPricePerEpoch')) {
    outcome = cheapest(market, constraints, outcome);
    constraints = { ...constraints, maxPricePerEpoch: dearestOf(outcome) };
  }
  const { placements } = outcome;
  return {
    changed: [...parts],
    constraints: placesOf(
      constraints,
      parts,
      placements.map(({ host }) => host),
    ),
    instances: outcome.placed,
    maxPrice: dearestOf(outcome),
    totalPrice: placements.reduce((sum, { price, count }) => sum + price * BigInt(count), 0n),
  };
}

const dearestOf = ({ placements }: Placed) => largestOf(placements.map(({ price }) => price));

/** As many places at the lowest bound of price: of any size the smallest is taken, which need not be the cheapest. */
function cheapest(market: Market, constraints: Constraints, found: Placed): Placed {
  for (let outcome = found; ; ) {
    const lower = { ...constraints, maxPricePerEpoch: dearestOf(outcome) - 1n };
    const next = place(market, { constraints: lower, count: found.placed });
    if (next.placed < found.placed) return outcome;
    outcome = next;
  }
}

const isList = (part: Relaxable) => ['countries', 'cities', 'datacenters', 'cpu', 'memory', 'storage'].includes(part);

/** The most below a minimum that works, of what configurations have; null when no less does. */
function leastOf(
  market: Market,
  constraints: Constraints,
  part: 'vcpusMin' | 'memoryMibMin',
  works: (tried: Constraints) => boolean,
): number | null {
  const sizeOf = ({ vcpus, memoryMib }: Size) => (part === 'vcpusMin' ? vcpus : memoryMib);
  const sold = new Set(market.configurations.map(({ size }) => sizeOf(size)));
  const below = [...sold].filter((one) => one < (constraints[part] ?? 0)).sort((a, b) => b - a);
  return below.find((one) => works({ ...constraints, [part]: one })) ?? null;
}

/**
 * Configurations in the place of the one asked for, the nearest first: those below it, the largest first, then those above it that
 * have less of something. What has more of everything fits nowhere where the one asked for does not.
 */
function otherConfigurations({ configurations }: Market, { configuration }: Constraints): string[] {
  const slugs = configurations.map(({ slug }) => slug);
  const index = configuration === null ? -1 : slugs.indexOf(configuration);
  const asked = configurations[index]?.size;
  if (!asked) return slugs.reverse();
  const above = configurations.slice(index + 1).filter(({ size }) => hasLess(size, asked));
  return [...slugs.slice(0, index).reverse(), ...above.map(({ slug }) => slug)];
}

const hasLess = (one: Size, other: Size) =>
  one.vcpus < other.vcpus || one.memoryMib < other.memoryMib || one.diskGib < other.diskGib;

/** The constraints with the most additional storage that works, which may be none; null when none does not either. */
function mostAdditional(constraints: Constraints, works: (tried: Constraints) => boolean): Constraints | null {
  const type = constraints.additionalStorage[0]?.type ?? null;
  const withGib = (gib: number): Constraints => ({
    ...constraints,
    additionalStorage: gib === 0 ? [] : [{ type, gib }],
  });
  if (!works(withGib(0))) return null;
  let most = 0;
  let tooMuch = additionalGibOf(constraints);
  while (tooMuch - most > 1) {
    const middle = (most + tooMuch) >> 1;
    if (works(withGib(middle))) most = middle;
    else tooMuch = middle;
  }
  return withGib(most);
}

/** Places that gave way are named as those where it would work, so that the customer sees where that is. */
function placesOf(constraints: Constraints, parts: readonly Relaxable[], hosts: readonly MarketHost[]): Constraints {
  const datacenters = hosts.flatMap(({ datacenter }) => datacenter ?? []);
  if (datacenters.length < hosts.length) return constraints;
  const named = { ...constraints };
  if (parts.includes('countries')) named.countries = unique(datacenters.map(({ countryCode }) => countryCode));
  if (parts.includes('cities')) named.cities = unique(datacenters.map(({ cityCode }) => cityCode));
  if (parts.includes('datacenters')) named.datacenters = unique(datacenters.map(({ slug }) => slug));
  return named;
}

const unique = (words: readonly string[]): string[] => [...new Set(words)];

function subsets<Item>(items: readonly Item[], size: number): Item[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}
