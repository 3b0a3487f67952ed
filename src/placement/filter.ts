// What each constraint asks of a host, where all hosts of a class answer alike. Each is one rule with the name that a
// person reads when it turned hosts down.

import type { Size } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { Hardware } from '../model/hardware.ts';
import type { HostClass, Tier } from './market.ts';

/** What a class of hosts tells of itself. */
export interface Traits {
  hardware: Hardware;
  datacenter: Datacenter | null;
  additionalGibMax: number | null;
}

/** A constraint that asks for something. */
export interface Rule {
  constraint: 'countries' | 'cities' | 'datacenters' | 'cpu' | 'memory' | 'storage' | 'additionalStorage';
  keeps(traits: Traits): boolean;
}

/** Names are compared as people write them. */
const same = (wanted: string | null, found: string | null) =>
  wanted === null || (found !== null && wanted.toLowerCase() === found.toLowerCase());

/** What constraints ask of hosts, in the order in which hosts are turned down. */
export function rulesOf(constraints: Constraints): Rule[] {
  const { countries, cities = [], datacenters = [], cpu, memory, storage, additionalStorage } = constraints;
  const rules: Rule[] = [];
  if (countries.length > 0) {
    rules.push({
      constraint: 'countries',
      keeps: ({ datacenter }) => datacenter !== null && countries.includes(datacenter.countryCode),
    });
  }
  if (cities.length > 0) {
    rules.push({
      constraint: 'cities',
      keeps: ({ datacenter }) => datacenter !== null && cities.includes(datacenter.cityCode),
    });
  }
  if (datacenters.length > 0) {
    rules.push({
      constraint: 'datacenters',
      keeps: ({ datacenter }) => datacenter !== null && datacenters.includes(datacenter.slug),
    });
  }
  if (cpu.length > 0) {
    const keeps = ({ cpu: found }: Hardware) =>
      cpu.some(
        ({ manufacturer, architecture }) =>
          same(manufacturer, found.manufacturer) && same(architecture, found.architecture),
      );
    rules.push({ constraint: 'cpu', keeps: perHardware(keeps) });
  }
  if (memory.length > 0) {
    const keeps = ({ memory: found }: Hardware) =>
      memory.some(({ type, generation }) => same(type, found.type) && same(generation, found.generation));
    rules.push({ constraint: 'memory', keeps: perHardware(keeps) });
  }
  if (storage.length > 0) {
    const keeps = ({ storage: found }: Hardware) => storage.some(({ type }) => type === found.type);
    rules.push({ constraint: 'storage', keeps: perHardware(keeps) });
  }
  if (additionalStorage.length > 0) {
    const gib = additionalGibOf(constraints);
    rules.push({
      constraint: 'additionalStorage',
      keeps: ({ hardware, additionalGibMax }) =>
        additionalStorage.every(({ type }) => type === null || type === hardware.storage.type) &&
        (additionalGibMax === null || gib <= additionalGibMax),
    });
  }
  return rules;
}

/** Whether a configuration is one that is asked for. */
export function isAskedFor(
  { configuration, vcpusMin, memoryMibMin }: Constraints,
  { slug, size }: { slug: string; size: Size },
): boolean {
  const isLarge = size.vcpus >= (vcpusMin ?? 0) && size.memoryMib >= (memoryMibMin ?? 0);
  return isLarge && (configuration === null || slug === configuration);
}

/** A rule about hardware, asked once of each kind: many classes have the same. */
function perHardware(keeps: (hardware: Hardware) => boolean): Rule['keeps'] {
  const known = new Map<Hardware, boolean>();
  return ({ hardware }) => {
    let answer = known.get(hardware);
    if (answer === undefined) {
      answer = keeps(hardware);
      known.set(hardware, answer);
    }
    return answer;
  };
}

/** Picks from rate cards the classes that keep all rules; of each rate card they are looked up once. */
export function keepersOf(rules: readonly Rule[]): (tier: Tier) => Iterable<HostClass> {
  if (rules.length === 0) return ({ classes }) => classes;
  const known = new Map<Tier, readonly HostClass[]>();
  return (tier) => {
    const keepers = known.get(tier) ?? [...tier.classes].filter((one) => rules.every((rule) => rule.keeps(one)));
    known.set(tier, keepers);
    return keepers;
  };
}
