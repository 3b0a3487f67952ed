// What each constraint asks of a host. Those that hosts of a class answer alike are held against the class; each is one
// rule with the name that a person reads when it turned hosts down.

import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { Hardware } from '../model/hardware.ts';

/** What a class of hosts and a single host both tell of themselves. */
export interface Traits {
  hardware: Hardware;
  datacenter: Datacenter | null;
  additionalGibMax: number | null;
}

/** A rule that a class keeps or breaks. */
export interface Filter {
  constraint: 'countries' | 'cpu' | 'memory' | 'storage' | 'additionalStorage';
  /** Whether the constraints ask for anything here. */
  asks(constraints: Constraints): boolean;
  keeps(traits: Traits, constraints: Constraints): boolean;
}

/** Names are compared as people write them. */
const same = (wanted: string | null, found: string | null) =>
  wanted === null || (found !== null && wanted.toLowerCase() === found.toLowerCase());

/** The rules, in the order in which hosts are turned down. */
export const filters: readonly Filter[] = [
  {
    constraint: 'countries',
    asks: ({ countries }) => countries.length > 0,
    keeps: ({ datacenter }, { countries }) => datacenter !== null && countries.includes(datacenter.countryCode),
  },
  {
    constraint: 'cpu',
    asks: ({ cpu }) => cpu.length > 0,
    keeps: ({ hardware }, { cpu }) =>
      cpu.some(
        ({ manufacturer, architecture }) =>
          same(manufacturer, hardware.cpu.manufacturer) && same(architecture, hardware.cpu.architecture),
      ),
  },
  {
    constraint: 'memory',
    asks: ({ memory }) => memory.length > 0,
    keeps: ({ hardware }, { memory }) =>
      memory.some(
        ({ type, generation }) => same(type, hardware.memory.type) && same(generation, hardware.memory.generation),
      ),
  },
  {
    constraint: 'storage',
    asks: ({ storage }) => storage.length > 0,
    keeps: ({ hardware }, { storage }) => storage.some(({ type }) => type === hardware.storage.type),
  },
  {
    constraint: 'additionalStorage',
    asks: (constraints) => constraints.additionalStorage.length > 0,
    keeps: ({ hardware, additionalGibMax }, constraints) =>
      constraints.additionalStorage.every(({ type }) => type === hardware.storage.type) &&
      (additionalGibMax === null || additionalGibOf(constraints) <= additionalGibMax),
  },
];

/** The first constraint that hosts with these traits don't keep, or null. */
export function brokenBy(traits: Traits, constraints: Constraints): Filter['constraint'] | null {
  return filters.find((filter) => filter.asks(constraints) && !filter.keeps(traits, constraints))?.constraint ?? null;
}
