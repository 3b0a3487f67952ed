// The same questions answered the slow way, one host after the other and by other means than the market's: what the tests
// hold its answers against.

import type { Constraints } from '../../src/model/constraints.ts';
import type { MicroUsd } from '../../src/model/money.ts';
import type { MarketHost } from '../../src/placement/market.ts';
import { configurations } from './support.ts';

const equal = (wanted: string | null, found: string | null) =>
  wanted === null || wanted.toUpperCase() === found?.toUpperCase();

function extraOf(constraints: Constraints): number {
  let sum = 0;
  for (const { gib } of constraints.additionalStorage) sum += gib;
  return sum;
}

/** The price of one instance of a configuration on a host, additional storage included. */
export function priceOn(host: MarketHost, slug: string, constraints: Constraints): MicroUsd {
  const [, vcpus = '', memory = '', disk = ''] = /cpu-(\d+)-ram-(\d+)gb-storage-(\d+)gb/.exec(slug) ?? [];
  const { rates } = host;
  const gib = BigInt(Number(disk) + extraOf(constraints));
  return (
    rates.publicIpMicroUsd +
    rates.vcpuMicroUsd * BigInt(vcpus) +
    rates.memoryGibMicroUsd * BigInt(memory) +
    rates.storageGibMicroUsd * gib
  );
}

/** How many instances of a configuration a host takes under the constraints. */
export function placesOn(host: MarketHost, slug: string, constraints: Constraints): number {
  const size = configurations.find((one) => one.slug === slug)?.size;
  if (!size || host.state !== 'open' || !host.reachable) return 0;
  const { configuration, countries, cpu, memory, storage, additionalStorage, maxPricePerEpoch } = constraints;
  if (configuration !== null && configuration !== slug) return 0;
  const { cities = [], datacenters = [], vcpusMin, memoryMibMin } = constraints;
  if (vcpusMin != null && size.vcpus < vcpusMin) return 0;
  if (memoryMibMin != null && size.memoryMib < memoryMibMin) return 0;
  if (cities.length > 0 && !cities.includes(host.datacenter?.cityCode ?? '')) return 0;
  if (datacenters.length > 0 && !datacenters.includes(host.datacenter?.slug ?? '')) return 0;
  if (countries.length > 0 && !countries.includes(host.datacenter?.countryCode ?? '')) return 0;
  const { hardware } = host;
  const cpuFits = cpu.some((one) => {
    return equal(one.manufacturer, hardware.cpu.manufacturer) && equal(one.architecture, hardware.cpu.architecture);
  });
  if (cpu.length > 0 && !cpuFits) return 0;
  const memoryFits = memory.some((one) => {
    return equal(one.type, hardware.memory.type) && equal(one.generation, hardware.memory.generation);
  });
  if (memory.length > 0 && !memoryFits) return 0;
  if (storage.length > 0 && !storage.some(({ type }) => type === hardware.storage.type)) return 0;
  if (additionalStorage.some(({ type }) => type !== null && type !== hardware.storage.type)) return 0;
  const extra = extraOf(constraints);
  if (host.additionalGibMax !== null && extra > host.additionalGibMax) return 0;
  if (maxPricePerEpoch !== null && priceOn(host, slug, constraints) > maxPricePerEpoch) return 0;
  let { vcpus, memoryMib, diskGib } = host.free;
  for (let places = 0; ; places += 1) {
    vcpus -= size.vcpus;
    memoryMib -= size.memoryMib;
    diskGib -= size.diskGib + extra;
    if (vcpus < 0 || memoryMib < 0 || diskGib < 0) return places;
  }
}

/** The prices of the cheapest places for so many instances of a configuration; null when there are not enough. */
export function cheapest(
  hosts: readonly MarketHost[],
  slug: string,
  constraints: Constraints,
  count: number,
): MicroUsd[] | null {
  const prices = hosts.flatMap((host) =>
    Array.from({ length: placesOn(host, slug, constraints) }, () => priceOn(host, slug, constraints)),
  );
  prices.sort((a, b) => Number(a - b));
  return prices.length < count ? null : prices.slice(0, count);
}
