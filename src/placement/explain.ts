// Why nothing was found: how many hosts each constraint turned down, and the smallest changes of the request that would
// have worked at that moment, each with its price. Pure; it runs only where a request found nothing.

import type { Size } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import { largestOf, type MicroUsd } from '../model/money.ts';
import { pricePerEpoch } from '../model/price.ts';
import { brokenBy } from './filter.ts';
import type { Market, MarketHost } from './market.ts';
import { place } from './place.ts';

/** A part of a request that can give way. */
export const relaxables = [
  'instances',
  'maxPricePerEpoch',
  'additionalStorage',
  'countries',
  'cpu',
  'memory',
  'storage',
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
  let hosts = 0;
  let fitting = 0;
  const sizes = sizesOf(market, request.constraints);
  for (const host of market.hosts()) {
    hosts += 1;
    const reason = whyNot(host, request.constraints, sizes);
    if (reason === null) fitting += 1;
    else counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const removed = [...counts].map(([constraint, count]) => ({ constraint, hosts: count }));
  removed.sort((a, b) => b.hosts - a.hosts);
  return { hosts, removed, fitting, relaxations: relax(market, request) };
}

function sizesOf(market: Market, constraints: Constraints): Size[] {
  return market.configurations
    .filter(({ slug }) => constraints.configuration === null || slug === constraints.configuration)
    .map(({ size }) => ({ ...size, diskGib: size.diskGib + additionalGibOf(constraints) }));
}

/** The first thing that keeps a host from taking an instance of any of these sizes. */
function whyNot(host: MarketHost, constraints: Constraints, sizes: readonly Size[]): string | null {
  if (host.state !== 'open') return 'state';
  if (!host.reachable) return 'reachable';
  const broken = brokenBy(host, constraints);
  if (broken) return broken;
  if (sizes.length === 0) return 'configuration';
  const { maxPricePerEpoch: max } = constraints;
  const payable = sizes.filter((size) => max === null || pricePerEpoch(host.rates, size) <= max);
  if (payable.length === 0) return 'maxPricePerEpoch';
  const withVcpus = payable.filter(({ vcpus }) => vcpus <= host.free.vcpus);
  if (withVcpus.length === 0) return 'free vCPUs';
  const withMemory = withVcpus.filter(({ memoryMib }) => memoryMib <= host.free.memoryMib);
  if (withMemory.length === 0) return 'free memory';
  return withMemory.some(({ diskGib }) => diskGib <= host.free.diskGib) ? null : 'free disk';
}

/** All suggestions with the least number of changes that any suggestion has. */
function relax(market: Market, request: Request): Relaxation[] {
  const asked = relaxables.filter((part) => asks(request, part));
  for (let changes = 1; changes <= Math.min(asked.length, changesMax); changes += 1) {
    const found = subsets(asked, changes).flatMap((parts) => relaxed(market, request, parts) ?? []);
    if (found.length === 0) continue;
    found.sort((a, b) => (a.totalPrice < b.totalPrice ? -1 : a.totalPrice > b.totalPrice ? 1 : 0));
    return found.slice(0, relaxationsMax);
  }
  return [];
}

function asks({ constraints, count }: Request, part: Relaxable): boolean {
  switch (part) {
    case 'instances':
      return count > 1;
    case 'additionalStorage':
      return additionalGibOf(constraints) > 0;
    case 'maxPricePerEpoch':
    case 'configuration':
      return constraints[part] !== null;
    default:
      return constraints[part].length > 0;
  }
}

/** The request with these parts changed as little as makes it work; null when no change of them does. */
function relaxed(market: Market, request: Request, parts: readonly Relaxable[]): Relaxation | null {
  // What can only be left out is left out first; what can be lessened is then lessened as little as works.
  let { constraints } = request;
  for (const part of parts) {
    if (part === 'countries' || part === 'cpu' || part === 'memory' || part === 'storage') {
      constraints = { ...constraints, [part]: [] };
    } else if (part === 'maxPricePerEpoch') constraints = { ...constraints, maxPricePerEpoch: null };
  }
  const least = parts.includes('instances') ? 1 : request.count;
  const works = (tried: Constraints) => place(market, { constraints: tried, count: least }).placed === least;
  if (parts.includes('configuration')) {
    const smaller = smallerConfigurations(market, constraints).find((slug) => {
      const tried = { ...constraints, configuration: slug };
      return works(parts.includes('additionalStorage') ? { ...tried, additionalStorage: [] } : tried);
    });
    if (!smaller) return null;
    constraints = { ...constraints, configuration: smaller };
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
    constraints = { ...constraints, maxPricePerEpoch: largestOf(outcome.placements.map(({ price }) => price)) };
  }
  const { placements } = outcome;
  return {
    changed: [...parts],
    constraints: countriesOf(
      constraints,
      parts,
      placements.map(({ host }) => host),
    ),
    instances: outcome.placed,
    maxPrice: largestOf(placements.map(({ price }) => price)),
    totalPrice: placements.reduce((sum, { price, count }) => sum + price * BigInt(count), 0n),
  };
}

/** Configurations below the one asked for, the largest first. */
function smallerConfigurations(market: Market, { configuration }: Constraints): string[] {
  const slugs = market.configurations.map(({ slug }) => slug);
  const index = configuration === null ? -1 : slugs.indexOf(configuration);
  return (index === -1 ? slugs : slugs.slice(0, index)).reverse();
}

/** The constraints with the most additional storage that works, which may be none; null when none does not either. */
function mostAdditional(constraints: Constraints, works: (tried: Constraints) => boolean): Constraints | null {
  const type = constraints.additionalStorage[0]?.type ?? 'SSD';
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

/** Countries that gave way are named as those where it would work, so that the customer sees where that is. */
function countriesOf(constraints: Constraints, parts: readonly Relaxable[], hosts: readonly MarketHost[]): Constraints {
  if (!parts.includes('countries') || hosts.some(({ datacenter }) => datacenter === null)) return constraints;
  return { ...constraints, countries: [...new Set(hosts.flatMap(({ datacenter }) => datacenter?.countryCode ?? []))] };
}

function subsets<Item>(items: readonly Item[], size: number): Item[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}
