// What a customer asks of a host: the one object that a search, an estimate and a deployment share (Fluence API: search
// offers). Several entries of one list mean any of them; an empty list, like null, asks for nothing.

import { parseCountry } from './country.ts';
import { BerthError, shown } from './errors.ts';
import { storageTypes } from './hardware.ts';
import type { MicroUsd } from './money.ts';

/** A disk larger than this is a typing error. */
export const additionalStorageGibMax = 1_000_000;

/** Constraints, in no dialect. Null within an entry leaves that part open. */
export interface Constraints {
  /** A configuration's slug; null is any, and at a deployment the smallest that is free. */
  configuration: string | null;
  /** GiB beyond the configuration's own. All of one type, as an instance has one disk; null is any. */
  additionalStorage: readonly { type: string | null; gib: number }[];
  cpu: readonly { manufacturer: string | null; architecture: string | null }[];
  memory: readonly { type: string | null; generation: string | null }[];
  storage: readonly { type: string }[];
  /** ISO 3166-1 alpha-2 codes. */
  countries: readonly string[];
  /** For one instance and epoch, additional storage included. */
  maxPricePerEpoch: MicroUsd | null;
  /** The city's part of UN/LOCODEs, in upper case. This and what follows only Berth's own API asks for. */
  cities?: readonly string[];
  /** Datacenters' slugs. */
  datacenters?: readonly string[];
  /** What a configuration has to have at least. */
  vcpusMin?: number | null;
  memoryMibMin?: number | null;
}

/** How a dialect calls the constraints that can be refused. */
export type ConstraintFields = Record<'additionalStorage' | 'storage' | 'countries', string>;

/** Constraints that ask for nothing. */
export const noConstraints: Constraints = {
  configuration: null,
  additionalStorage: [],
  cpu: [],
  memory: [],
  storage: [],
  countries: [],
  maxPricePerEpoch: null,
};

/**
 * Holds constraints against what they may be.
 * @returns them with countries in upper case
 * @throws BerthError `invalid_value` for an unknown storage type or country, and for additional storage that no disk has
 */
export function checkConstraints(given: Constraints, fields: ConstraintFields): Constraints {
  for (const [index, { type }] of given.storage.entries()) checkStorageType(type, `${fields.storage}[${index}].type`);
  for (const [index, { type, gib }] of given.additionalStorage.entries()) {
    const field = `${fields.additionalStorage}[${index}]`;
    checkStorageType(type, `${field}.type`);
    if (!Number.isInteger(gib) || gib < 0 || gib > additionalStorageGibMax) {
      const message = `${field}.supply is ${shown(gib)}; it must be a whole number of GiB from 0 to ${additionalStorageGibMax}.`;
      throw new BerthError('invalid_value', message, field);
    }
  }
  const types = new Set(given.additionalStorage.map(({ type }) => type));
  if (types.size > 1) {
    const field = fields.additionalStorage;
    const message = `${field} asks for ${[...types].join(' and ')}; an instance has one disk, so all of it must be of one type.`;
    throw new BerthError('invalid_value', message, field);
  }
  const countries = given.countries.map((text, index) => {
    const code = parseCountry(text);
    if (code) return code;
    const field = `${fields.countries}[${index}]`;
    const message = `${field} is ${shown(text)}; it must be an ISO 3166-1 code of two letters, such as "DE".`;
    throw new BerthError('invalid_value', message, field);
  });
  return { ...given, countries };
}

/** What is asked for beyond the configuration's own storage, in GiB. */
export function additionalGibOf({ additionalStorage }: Constraints): number {
  return additionalStorage.reduce((sum, { gib }) => sum + gib, 0);
}

function checkStorageType(type: string | null, field: string): void {
  if (type === null || (storageTypes as readonly string[]).includes(type)) return;
  const message = `${field} is ${shown(type)}; it must be one of ${storageTypes.join(', ')}.`;
  throw new BerthError('invalid_value', message, field);
}
