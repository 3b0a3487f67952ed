// What is asked of a host, in a query and in a body: the same, but that a query writes lists with commas.

import Type, { type Static, type TObject } from 'typebox';
import type { PlaceFields } from '../../app/offer.ts';
import { additionalStorageGibMax, type Constraints } from '../../model/constraints.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { type StorageType, storageTypes } from '../../model/hardware.ts';
import { parseUsd } from '../../model/money.ts';
import { parseId, sampleId } from './id.ts';
import { OneOf, Shape, Text, toUsd, Usd, Whole } from './shape.ts';

/** Far more than anybody lists; there are some 250 countries. */
const entriesMax = 300;
const nameLengthMax = 100;
const listLengthMax = 4_000;

const Name = (example: string, description?: string) => Text(example, description, { maxLength: nameLengthMax });
const Names = (example: string, description?: string) =>
  Type.Array(Name(example), { maxItems: entriesMax, ...(description ? { description } : {}) });

const single = {
  cpuManufacturer: Type.Optional(Name('AMD')),
  cpuArchitecture: Type.Optional(Name('Zen')),
  memoryType: Type.Optional(Name('DDR')),
  memoryGeneration: Type.Optional(Name('4')),
  storageType: Type.Optional(OneOf(storageTypes, "The host's, and so of all disks")),
  vcpusMin: Type.Optional(Whole(1, 'Only configurations with at least so many', { minimum: 1, maximum: 10_000 })),
  memoryMibMin: Type.Optional(
    Whole(1024, 'Only configurations with at least so much', { minimum: 1, maximum: 2 ** 31 - 1 }),
  ),
};

/** The body's part that says what is asked of a host. */
export const ConstraintsSchema = Shape(
  'Constraints',
  {
    countries: Type.Optional(Names('PL', 'ISO 3166-1 alpha-2; any of them')),
    cities: Type.Optional(Names('POZ', 'Parts of UN/LOCODEs; any of them')),
    datacenters: Type.Optional(Names('pl-poz-1', 'Slugs or ids; any of them')),
    ...single,
    maxPricePerEpoch: Type.Optional(Usd('US dollars for one instance and epoch, all of its storage included')),
  },
  'What is asked of a host; what is left out may be anything',
);

/** A configuration's slug in a request. */
export const ConfigurationSlug = Name('cpu-2-ram-4gb-storage-25gb', 'Slug of a configuration; left out for any');

/** GiB beyond a configuration's own storage. */
export const AdditionalStorage = Whole(0, "GiB beyond the configuration's own storage", {
  minimum: 0,
  maximum: additionalStorageGibMax,
});

const list = (example: string, description: string) =>
  Type.Optional(Text(example, `${description}; several with commas between them`, { maxLength: listLengthMax }));

/** The fields of a query that say what is asked of a host. */
export const constraintQuery = {
  configuration: Type.Optional(ConfigurationSlug),
  additionalStorageGib: Type.Optional(AdditionalStorage),
  country: list('PL', 'ISO 3166-1 alpha-2'),
  city: list('POZ', 'Part of a UN/LOCODE'),
  datacenter: list(sampleId('datacenter'), 'Id or slug'),
  ...single,
  maxPrice: Type.Optional(Usd('US dollars for one instance and epoch, additional storage included')),
};

/** How a query calls the constraints that can be refused. */
export const queryFields = {
  additionalStorage: 'additionalStorageGib',
  storage: 'storageType',
  countries: 'country',
  datacenters: 'datacenter',
  maxPrice: 'maxPrice',
} satisfies PlaceFields & Record<string, string>;

/** How a body calls them. */
export const bodyFields = {
  additionalStorage: 'additionalStorageGib',
  storage: 'constraints.storageType',
  countries: 'constraints.countries',
  datacenters: 'constraints.datacenters',
  maxPrice: 'constraints.maxPricePerEpoch',
} satisfies PlaceFields & Record<string, string>;

type ConstraintsBody = Static<typeof ConstraintsSchema>;

/** What a request says beside the body's part. */
interface Beside {
  configuration?: string | undefined;
  additionalStorageGib?: number | undefined;
}

/**
 * Constraints as a body writes them.
 * @throws BerthError `invalid_value` for an amount that is none
 */
export function readConstraints(
  given: ConstraintsBody,
  { configuration, additionalStorageGib = 0 }: Beside,
  fields: { maxPrice: string },
): Constraints {
  const { cpuManufacturer, cpuArchitecture, memoryType, memoryGeneration, storageType, maxPricePerEpoch } = given;
  const hasCpu = cpuManufacturer !== undefined || cpuArchitecture !== undefined;
  const hasMemory = memoryType !== undefined || memoryGeneration !== undefined;
  return {
    configuration: configuration ?? null,
    additionalStorage: additionalStorageGib > 0 ? [{ type: storageType ?? null, gib: additionalStorageGib }] : [],
    cpu: hasCpu ? [{ manufacturer: cpuManufacturer ?? null, architecture: cpuArchitecture ?? null }] : [],
    memory: hasMemory ? [{ type: memoryType ?? null, generation: memoryGeneration ?? null }] : [],
    storage: storageType === undefined ? [] : [{ type: storageType }],
    countries: given.countries ?? [],
    cities: (given.cities ?? []).map((city) => city.toUpperCase()),
    datacenters: (given.datacenters ?? []).map((ref) => parseId('datacenter', ref) ?? ref),
    vcpusMin: given.vcpusMin ?? null,
    memoryMibMin: given.memoryMibMin ?? null,
    maxPricePerEpoch: maxPricePerEpoch === undefined ? null : readPrice(maxPricePerEpoch, fields.maxPrice),
  };
}

function readPrice(text: string, field: string): bigint {
  const price = parseUsd(text);
  if (price !== null) return price;
  const message = `${field} is ${shown(text)}; it must be a decimal number of US dollars, such as "1.5".`;
  throw new BerthError('invalid_value', message, field);
}

/**
 * Constraints as a query writes them.
 * @throws BerthError as {@link readConstraints} does
 */
export function readConstraintQuery(query: Static<TObject<typeof constraintQuery>>): Constraints {
  const { country, city, datacenter, maxPrice, configuration, additionalStorageGib, ...rest } = query;
  const body = {
    ...rest,
    ...(country === undefined ? {} : { countries: entriesOf(country) }),
    ...(city === undefined ? {} : { cities: entriesOf(city) }),
    ...(datacenter === undefined ? {} : { datacenters: entriesOf(datacenter) }),
    ...(maxPrice === undefined ? {} : { maxPricePerEpoch: maxPrice }),
  };
  return readConstraints(body, { configuration, additionalStorageGib }, queryFields);
}

const entriesOf = (text: string): string[] => text.split(',').flatMap((entry) => entry.trim() || []);

/** Constraints as a body writes them, to be sent as they are. */
export function toConstraints(constraints: Constraints): ConstraintsBody {
  const { countries, cities = [], datacenters = [], cpu, memory, storage, maxPricePerEpoch: max } = constraints;
  const [[oneCpu], [oneMemory], [oneStorage]] = [cpu, memory, storage];
  const filled = {
    ...(countries.length > 0 ? { countries: [...countries] } : {}),
    ...(cities.length > 0 ? { cities: [...cities] } : {}),
    ...(datacenters.length > 0 ? { datacenters: [...datacenters] } : {}),
    ...withoutNull({ cpuManufacturer: oneCpu?.manufacturer, cpuArchitecture: oneCpu?.architecture }),
    ...withoutNull({ memoryType: oneMemory?.type, memoryGeneration: oneMemory?.generation }),
    ...(oneStorage ? { storageType: oneStorage.type as StorageType } : {}),
    ...withoutNull({ vcpusMin: constraints.vcpusMin, memoryMibMin: constraints.memoryMibMin }),
    ...(max === null ? {} : { maxPricePerEpoch: toUsd(max) }),
  };
  return filled;
}

function withoutNull<Value>(fields: Record<string, Value | null | undefined>): Record<string, Value> {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, Value] => entry[1] != null));
}
