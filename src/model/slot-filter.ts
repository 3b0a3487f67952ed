// What slots can be searched by: a comma-separated list of `key:value`, each of which a slot has to fit. (Hiveon API: list
// machines.)

import { mibPerGib } from './configuration.ts';
import { BerthError, shown } from './errors.ts';

/** What is asked of a slot; what is undefined excludes none. */
export interface SlotFilter {
  slotId?: string;
  isAvailable?: boolean;
  /** Words that the name of one of its GPUs has, each, in any order. */
  gpuName?: readonly string[];
  /** Words that its processor's name has. */
  cpuName?: readonly string[];
  vcpusMin?: number;
  memoryMibMin?: number;
  diskGibMin?: number;
}

/** What a search needs is far below. */
const lengthMax = 1_000;
/** Beyond it nothing is sold, and PostgreSQL's `int` ends. */
const countMax = 1_000_000;

/** Reads a value. @returns null when it is none of this key's */
type Read = (value: string) => SlotFilter | null;

interface Key {
  read: Read;
  /** What would be right. */
  rule: string;
}

const byWords =
  (name: 'gpuName' | 'cpuName'): Read =>
  (value) => {
    const words = wordsOf(value);
    return words.length > 0 ? { [name]: words } : null;
  };

/** A number of gigabytes, with a unit or without; what is told in GB here is counted in GiB. */
function parseGigabytes(text: string): number | null {
  const [, digits] = /^(\d{1,7}(?:\.\d{1,3})?)\s*(?:g|gb|gib)?$/i.exec(text) ?? [];
  return digits !== undefined && Number(digits) <= countMax ? Number(digits) : null;
}

const keys: Readonly<Record<string, Key>> = {
  gpu_name: { read: byWords('gpuName'), rule: 'it is a name such as RTX 3090' },
  memory_size: {
    read: (value) => {
      const gigabytes = parseGigabytes(value);
      return gigabytes === null ? null : { memoryMibMin: Math.ceil(gigabytes * mibPerGib) };
    },
    rule: 'it is a number of gigabytes such as 24GB',
  },
  cpu_name: { read: byWords('cpuName'), rule: 'it is a name such as EPYC 7763' },
  cpu_cores: {
    read: (value) => (/^\d{1,6}$/.test(value) ? { vcpusMin: Number(value) } : null),
    rule: 'it is a whole number such as 16',
  },
  storage_size: {
    read: (value) => {
      const gigabytes = parseGigabytes(value);
      return gigabytes === null ? null : { diskGibMin: Math.ceil(gigabytes) };
    },
    rule: 'it is a number of gigabytes such as 500GB',
  },
  machine_id: { read: (value) => ({ slotId: value.toLowerCase() }), rule: 'it is the id of a machine' },
  machine_status: {
    read: (value) => {
      const isAvailable = value.toLowerCase() === 'available';
      return isAvailable || value.toLowerCase() === 'unavailable' ? { isAvailable } : null;
    },
    rule: 'it is available or unavailable',
  },
};

/**
 * Reads a filter such as `gpu_name:Nvidia RTX 3090,memory_size:24GB`. Numbers are met by slots that have as much or more.
 * @param text values in it may be URL-encoded once more, so that they can have a comma in them
 * @param field how the customer calls it
 * @throws BerthError `invalid_value`
 */
export function parseSlotFilter(text: string, field: string): SlotFilter {
  const refuse = (message: string) => new BerthError('invalid_value', message, field);
  if (text.length > lengthMax) throw refuse(`${field} has ${text.length} characters; at most ${lengthMax} are taken.`);
  const seen = new Set<string>();
  const filter: SlotFilter = {};
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const colon = part.indexOf(':');
    if (colon < 0) throw refuse(`${field} has ${shown(part)} in it; each part is key:value.`);
    const name = part.slice(0, colon).trim();
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (!key) throw refuse(`${field} has the key ${shown(name)}; there are ${Object.keys(keys).join(', ')}.`);
    if (seen.has(name)) throw refuse(`${field} has ${name} twice; give each key once.`);
    seen.add(name);
    const value = decoded(part.slice(colon + 1)).trim();
    const asked = value === '' ? null : key.read(value);
    if (!asked) throw refuse(`${field} asks for the ${name} ${shown(value)}; ${key.rule}.`);
    Object.assign(filter, asked);
  }
  return filter;
}

/** The words of a name in lower case: `Intel(R) Xeon(R)` has the word `xeon`, and an `A100` is no `A10`. */
export function wordsOf(name: string): string[] {
  return [...new Set(name.toLowerCase().match(/[a-z0-9]+/g) ?? [])];
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    // A percent sign that encodes nothing is meant as it stands.
    return value;
  }
}
