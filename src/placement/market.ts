// The market as one server sees it: every host, in classes of those that customers can't tell apart but by what is free.
// Constraints are held against classes and sizes against groups of equally free hosts, so that neither a search nor a
// placement looks at every host. Pure; `app/market.ts` keeps it up to the moment.

import type { Size } from '../model/configuration.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { Hardware } from '../model/hardware.ts';
import type { HostState } from '../model/host.ts';
import type { MicroUsd } from '../model/money.ts';
import { pricePerEpoch, type RateCard } from '../model/price.ts';
import { gradesOf, type SoldGrades } from '../model/storage-pool.ts';

/** A host as the market sees it; `free` is what it has left to sell. */
export interface MarketHost {
  id: string;
  priceId: string;
  rates: RateCard;
  hardware: Hardware;
  datacenter: Datacenter | null;
  state: HostState;
  reachable: boolean;
  free: Size;
  /** What one instance may have beyond its configuration's storage; null is no limit. */
  additionalGibMax: number | null;
  /** What it sells disks as; left out, all that its kind of storage is good for. `free` counts the default pool alone. */
  grades?: SoldGrades;
}

/** A size that is sold. */
export interface Configuration {
  slug: string;
  size: Size;
}

/** Hosts of one class that have exactly the same left. */
export interface EqualHosts {
  readonly free: Size;
  readonly hosts: Map<string, MarketHost>;
}

/** Hosts that differ in nothing a customer can choose by, nor in price. */
export interface HostClass {
  readonly tier: Tier;
  /** The same object in every class with such hardware. */
  readonly hardware: Hardware;
  readonly datacenter: Datacenter | null;
  readonly additionalGibMax: number | null;
  readonly grades: SoldGrades;
  /** From the fullest to the emptiest. */
  readonly groups: EqualHosts[];
  /** For each configuration how many instances of it fit now. */
  readonly available: Map<string, number>;
  /** The most that any host has left, of each by itself. */
  largest: Size;
  hosts: number;
  /** Counts the changes to its hosts, for whoever keeps what was made of them. */
  revision: number;
}

/** The classes of one rate card: for any size they have one price, so that prices need not be asked of every class. */
export interface Tier {
  readonly rates: RateCard;
  readonly classes: Set<HostClass>;
}

/** One configuration at one rate card, at its price without additional storage. */
export interface Listing {
  readonly tier: Tier;
  readonly configuration: Configuration;
  readonly price: MicroUsd;
}

/** How many instances of a size fit into what is free. */
export function room(free: Size, size: Size): number {
  const count = Math.min(
    Math.floor(free.vcpus / size.vcpus),
    Math.floor(free.memoryMib / size.memoryMib),
    // A VM may have no disk at all, and be started from an ISO image.
    size.diskGib === 0 ? Number.POSITIVE_INFINITY : Math.floor(free.diskGib / size.diskGib),
  );
  return Math.max(0, count);
}

/** Orders what hosts have left, the least first. */
export function compareFree(a: Size, b: Size): number {
  return a.vcpus - b.vcpus || a.memoryMib - b.memoryMib || a.diskGib - b.diskGib;
}

/** Whether a host takes new instances at all. */
export function isSellable({ state, reachable }: MarketHost): boolean {
  return state === 'open' && reachable;
}

const nothing: Size = { vcpus: 0, memoryMib: 0, diskGib: 0 };

const larger = (a: Size, b: Size): Size => ({
  vcpus: Math.max(a.vcpus, b.vcpus),
  memoryMib: Math.max(a.memoryMib, b.memoryMib),
  diskGib: Math.max(a.diskGib, b.diskGib),
});

/** All hosts of the market. */
export class Market {
  readonly #hosts = new Map<string, { host: MarketHost; hostClass: HostClass | null }>();
  readonly #classes = new Map<string, HostClass>();
  readonly #tiers = new Map<string, Tier>();
  /** There are few kinds of hardware, so those whose last host has gone are kept, too. */
  readonly #hardware = new Map<string, Hardware>();
  /** Hosts that take no instances, by why they don't. */
  readonly #unsellable = { state: 0, reachable: 0 };
  #configurations: readonly Configuration[] = [];
  #listings: readonly Listing[] | null = null;
  #listingsBySlug: ReadonlyMap<string, readonly Listing[]> | null = null;

  /** Sets which sizes are sold. */
  setConfigurations(configurations: readonly Configuration[]): void {
    this.#configurations = configurations.toSorted((a, b) => compareFree(a.size, b.size) || (a.slug < b.slug ? -1 : 1));
    this.#forgetListings();
    for (const hostClass of this.#classes.values()) {
      hostClass.available.clear();
      hostClass.revision += 1;
      for (const group of hostClass.groups) this.#count(hostClass, group.free, group.hosts.size);
    }
  }

  /** The sizes that are sold, from the smallest. */
  get configurations(): readonly Configuration[] {
    return this.#configurations;
  }

  /** Adds a host, or replaces what is known of it. */
  set(given: MarketHost): void {
    this.delete(given.id);
    if (!isSellable(given)) {
      this.#unsellable[whyUnsellable(given)] += 1;
      this.#hosts.set(given.id, { host: given, hostClass: null });
      return;
    }
    const hostClass = this.#classOf(given);
    // What hosts have in common is kept once: a hundred thousand copies would stop the process for its garbage collection.
    const host = { ...given, rates: hostClass.tier.rates, hardware: hostClass.hardware };
    const { groups } = hostClass;
    const index = indexOfGroup(groups, host.free);
    const found = groups[index];
    if (found && compareFree(found.free, host.free) === 0) found.hosts.set(host.id, host);
    else groups.splice(index, 0, { free: host.free, hosts: new Map([[host.id, host]]) });
    hostClass.largest = larger(hostClass.largest, host.free);
    hostClass.hosts += 1;
    hostClass.revision += 1;
    this.#count(hostClass, host.free, 1);
    this.#hosts.set(host.id, { host, hostClass });
  }

  /** Takes a host out. */
  delete(id: string): void {
    const known = this.#hosts.get(id);
    if (!known) return;
    this.#hosts.delete(id);
    const { host, hostClass } = known;
    if (!hostClass) {
      this.#unsellable[whyUnsellable(host)] -= 1;
      return;
    }
    const index = indexOfGroup(hostClass.groups, host.free);
    const group = hostClass.groups[index];
    group?.hosts.delete(id);
    if (group?.hosts.size === 0) {
      hostClass.groups.splice(index, 1);
      hostClass.largest = hostClass.groups.reduce((largest, { free }) => larger(largest, free), nothing);
    }
    hostClass.hosts -= 1;
    hostClass.revision += 1;
    this.#count(hostClass, host.free, -1);
    if (hostClass.hosts > 0) return;
    const { tier } = hostClass;
    this.#classes.delete(classKey(host));
    tier.classes.delete(hostClass);
    if (tier.classes.size > 0) return;
    this.#tiers.delete(rateKey(host));
    this.#forgetListings();
  }

  /** What is known of a host. */
  get(id: string): MarketHost | undefined {
    return this.#hosts.get(id)?.host;
  }

  /** How many hosts take no instances: for their state, and for being out of reach though their state is right. */
  get unsellable(): Readonly<Record<'state' | 'reachable', number>> {
    return this.#unsellable;
  }

  /** The classes of the hosts that take instances. */
  classes(): Iterable<HostClass> {
    return this.#classes.values();
  }

  /** Every configuration at every rate card, the cheapest first; what has no room at the moment is among them. */
  listings(): readonly Listing[] {
    this.#listings ??= [...this.#tiers.values()]
      .flatMap((tier) =>
        this.#configurations.map((configuration) => {
          return { tier, configuration, price: pricePerEpoch(tier.rates, configuration.size) };
        }),
      )
      .sort((a, b) => (a.price < b.price ? -1 : a.price > b.price ? 1 : 0));
    return this.#listings;
  }

  /** Those of {@link listings} that are of one configuration. */
  listingsOf(slug: string): readonly Listing[] {
    this.#listingsBySlug ??= Map.groupBy(this.listings(), ({ configuration }) => configuration.slug);
    return this.#listingsBySlug.get(slug) ?? [];
  }

  #forgetListings(): void {
    this.#listings = null;
    this.#listingsBySlug = null;
  }

  #classOf(host: MarketHost): HostClass {
    const key = classKey(host);
    const known = this.#classes.get(key);
    if (known) return known;
    const tier = this.#tierOf(host);
    const { datacenter, additionalGibMax } = host;
    const hardware = this.#hardware.get(hardwareKey(host)) ?? host.hardware;
    this.#hardware.set(hardwareKey(host), hardware);
    const empty = { groups: [], available: new Map<string, number>(), largest: nothing, hosts: 0, revision: 0 };
    const grades = gradesSold(host);
    const hostClass = { tier, hardware, datacenter, additionalGibMax, grades, ...empty };
    this.#classes.set(key, hostClass);
    tier.classes.add(hostClass);
    return hostClass;
  }

  #tierOf(host: MarketHost): Tier {
    const key = rateKey(host);
    const known = this.#tiers.get(key);
    if (known) return known;
    const tier = { rates: host.rates, classes: new Set<HostClass>() };
    this.#tiers.set(key, tier);
    this.#forgetListings();
    return tier;
  }

  #count(hostClass: HostClass, free: Size, hosts: number): void {
    for (const { slug, size } of this.#configurations) {
      const fitting = room(free, size) * hosts;
      if (fitting !== 0) hostClass.available.set(slug, (hostClass.available.get(slug) ?? 0) + fitting);
    }
  }
}

/** The first group that has at least as much left; where a new one belongs, when none has exactly as much. */
function indexOfGroup(groups: readonly EqualHosts[], free: Size): number {
  let low = 0;
  let high = groups.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const group = groups[middle];
    if (group && compareFree(group.free, free) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Why a host takes no instances, when it does not. */
function whyUnsellable({ state }: MarketHost): 'state' | 'reachable' {
  return state === 'open' ? 'reachable' : 'state';
}

function rateKey({ rates }: MarketHost): string {
  const { vcpuMicroUsd, memoryGibMicroUsd, storageGibMicroUsd, gradeGibMicroUsd, publicIpMicroUsd } = rates;
  const grades = Object.entries(gradeGibMicroUsd).map(([grade, rate]) => `${grade}=${rate}`);
  return [vcpuMicroUsd, memoryGibMicroUsd, storageGibMicroUsd, publicIpMicroUsd, ...grades.sort()].join(' ');
}

function hardwareKey({ hardware: { cpu, memory, storage } }: MarketHost): string {
  const names = [cpu.manufacturer, cpu.brand, cpu.architecture, cpu.generation, memory.type, memory.generation];
  return [...names, storage.type].join('\u0000');
}

function classKey(host: MarketHost): string {
  const { own, apart } = gradesSold(host);
  return [rateKey(host), hardwareKey(host), host.datacenter?.id, host.additionalGibMax, own, apart].join('\u0000');
}

const gradesSold = ({ grades, hardware }: MarketHost): SoldGrades =>
  grades ?? { own: gradesOf(hardware.storage.type), apart: [] };
