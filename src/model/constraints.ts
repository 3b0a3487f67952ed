// What a customer asks of a host: the one object that a search, an estimate and a deployment share (Fluence API: search
// offers). Several entries of one list mean any of them; an empty list, like null, asks for nothing.

import type { MicroUsd } from './money.ts';

/** Constraints, in no dialect. Null within an entry leaves that part open. */
export interface Constraints {
  /** A configuration's slug; null is any, and at a deployment the smallest that is free. */
  configuration: string | null;
  /** GiB beyond the configuration's own. All of one type, as an instance has one disk. */
  additionalStorage: readonly { type: string; gib: number }[];
  cpu: readonly { manufacturer: string | null; architecture: string | null }[];
  memory: readonly { type: string | null; generation: string | null }[];
  storage: readonly { type: string }[];
  /** ISO 3166-1 alpha-2 codes. */
  countries: readonly string[];
  /** For one instance and epoch, additional storage included. */
  maxPricePerEpoch: MicroUsd | null;
}

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
