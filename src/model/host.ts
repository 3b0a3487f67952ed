// A host's standing in the market and the terms that the operator sets for it.

import { type Ipv4Range, parseCidr } from './cidr.ts';
import { BerthError, shown } from './errors.ts';
import { type HardwareOverrides, storageTypes } from './hardware.ts';

/**
 * - `open`: takes new instances
 * - `drained`: takes no new ones and keeps those it has
 * - `retired`: has none, and is kept for the record only
 */
export const hostStates = ['open', 'drained', 'retired'] as const;

/** One of {@link hostStates}. */
export type HostState = (typeof hostStates)[number];

/** How far a host's resources are sold over. */
export interface Overcommit {
  cpu: number;
  memory: number;
  disk: number;
}

/** Nothing is sold twice unless an operator says so. */
export const honestOvercommit: Overcommit = { cpu: 1, memory: 1, disk: 1 };

/** As long as the schema holds; Linux's own host names are hardly longer. */
const hostNameLengthMax = 63;
/** Below it a host would sell next to nothing, above it nobody would get anything. */
const ratioMin = 0.1;
const ratioMax = 64;
/** A processor's brand or generation is a word or two. */
const hardwareTextLengthMax = 63;
/** As large as a configuration's storage can be. */
const additionalDiskGibMax = 1_000_000;
/** The largest there is in private use (10.0.0.0/8). */
const poolPrefixMin = 8;

/**
 * Checks a host's name.
 * @throws BerthError `invalid_value`
 */
export function checkHostName(name: string, field: string): string {
  if (name.length <= hostNameLengthMax && /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(name)) return name;
  const rule = `a host's name has 1 to ${hostNameLengthMax} letters, digits, dots, hyphens and underscores`;
  throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
}

/**
 * Checks a ratio of what is sold to what is there.
 * @throws BerthError `invalid_value`
 */
export function checkRatio(ratio: number, field: string): number {
  const hundredths = ratio * 100;
  const isExact = Math.abs(hundredths - Math.round(hundredths)) < 1e-6;
  if (ratio >= ratioMin && ratio <= ratioMax && isExact) return ratio;
  const rule = `it must be a number from ${ratioMin} to ${ratioMax} with at most two decimals`;
  throw new BerthError('invalid_value', `${field} is ${shown(ratio)}; ${rule}.`, field);
}

/**
 * Checks what one instance may have beyond its configuration's storage, in GiB; null is no limit.
 * @throws BerthError `invalid_value`
 */
export function checkAdditionalDiskMax(gib: number | null, field: string): number | null {
  if (gib === null || (Number.isInteger(gib) && gib >= 0 && gib <= additionalDiskGibMax)) return gib;
  const rule = `it must be a whole number of GiB from 0 to ${additionalDiskGibMax}`;
  throw new BerthError('invalid_value', `${field} is ${shown(gib)}; ${rule}.`, field);
}

/**
 * Checks a word that an operator states of a host's hardware.
 * @throws BerthError `invalid_value`
 */
export function checkHardwareText(text: string, field: string): string {
  const isText = text.isWellFormed() && /^\P{Cc}+$/u.test(text) && text === text.trim();
  if (isText && text.length <= hardwareTextLengthMax) return text;
  const rule = `it must have 1 to ${hardwareTextLengthMax} characters on one line, and no space at either end`;
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}

/**
 * Checks a kind of disk, which is taken in any letter case.
 * @throws BerthError `invalid_value`
 */
export function checkStorageType(text: string, field: string): (typeof storageTypes)[number] {
  const known = storageTypes.find((type) => type.toLowerCase() === text.toLowerCase());
  if (known) return known;
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; it must be ${storageTypes.join(', ')}.`, field);
}

/** Lays changes over an operator's former word: null takes a part back, and what is not named stays. */
export function changedOverrides(before: HardwareOverrides, changes: HardwareChanges): HardwareOverrides {
  const changed: Record<string, Record<string, string>> = {};
  for (const part of ['cpu', 'memory', 'storage'] as const) {
    const merged = Object.entries({ ...before[part], ...changes[part] }).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    if (merged.length > 0) changed[part] = Object.fromEntries(merged);
  }
  return changed;
}

/** Changes to {@link HardwareOverrides}: null takes the operator's word back, undefined leaves it as it is. */
export type HardwareChanges = {
  [Part in keyof HardwareOverrides]?: { [Name in keyof NonNullable<HardwareOverrides[Part]>]?: string | null };
};

/**
 * Checks a range that a host hands out addresses of.
 * @throws BerthError `invalid_value`
 */
export function checkPool(cidr: string, field: string): Ipv4Range {
  const range = parseCidr(cidr);
  if (!range) {
    const rule = 'it must be an IPv4 range that begins at its first address, such as "127.44.0.0/16"';
    throw new BerthError('invalid_value', `${field} is ${shown(cidr)}; ${rule}.`, field);
  }
  if (range.prefix < poolPrefixMin) {
    const message = `${field} is ${shown(cidr)}; a pool is at most a /${poolPrefixMin}, and may be one of several.`;
    throw new BerthError('invalid_value', message, field);
  }
  return range;
}
