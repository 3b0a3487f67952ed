// What is asked of the market, as the page's address has it: the same names and texts that the API's query has.

import type { Berth } from '../../../../sdk/berth.ts';
import type { Offer, Relaxation } from '../../../../sdk/generated/types.ts';
import type { Filters } from '../../filters.ts';

/** What can be asked for. */
export const askedNames = [
  'configuration',
  'country',
  'city',
  'datacenter',
  'cpuManufacturer',
  'cpuArchitecture',
  'memoryType',
  'memoryGeneration',
  'storageType',
  'vcpusMin',
  'memoryMibMin',
  'additionalStorageGib',
  'maxPrice',
] as const;

/** One of these names. */
export type AskedName = (typeof askedNames)[number];

/** What is asked for; '' is anything. */
export type Asked = Filters<AskedName>;

/** Nothing is asked for. */
export const nothingAsked = Object.fromEntries(askedNames.map((name) => [name, ''])) as Asked;

/** A query of the API's. */
export type OfferQuery = NonNullable<Parameters<Berth['offers']['list']>[0]>;

/** What is asked for as a query of the API's; the server says what is wrong with what was typed. */
export function toQuery(asked: Asked): OfferQuery {
  const given = askedNames.flatMap((name) => (asked[name] === '' ? [] : [[name, asked[name]]]));
  return Object.fromEntries(given) as OfferQuery;
}

/** What a suggestion of the server's asks for. */
export function ofRelaxation({ configuration, additionalStorageGib, constraints }: Relaxation): Asked {
  const { countries, cities, datacenters, maxPricePerEpoch, ...rest } = constraints;
  const text = (value: unknown) => (value === undefined || value === null ? '' : String(value));
  return {
    ...nothingAsked,
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, text(value)])),
    configuration: text(configuration),
    country: text(countries?.join(',')),
    city: text(cities?.join(',')),
    datacenter: text(datacenters?.join(',')),
    maxPrice: text(maxPricePerEpoch),
    additionalStorageGib: additionalStorageGib > 0 ? String(additionalStorageGib) : '',
  };
}

/** What the page that makes an instance begins with for an offer: its size and place, on hardware like it. */
export function toPrefill({ configuration, datacenter, hardware }: Offer, asked: Asked): Record<string, string> {
  const { cpuManufacturer, cpuArchitecture, storageType } = hardware;
  return {
    kind: 'vm',
    configuration: configuration.slug,
    ...(datacenter ? { datacenter: datacenter.slug } : {}),
    ...(cpuManufacturer ? { cpuManufacturer } : {}),
    ...(cpuArchitecture ? { cpuArchitecture } : {}),
    storageType,
    ...(asked.additionalStorageGib ? { additionalStorageGib: asked.additionalStorageGib } : {}),
  };
}
