// Identifiers. An instance's is `0x` and 40 hexadecimal digits, the form that Fluence's clients expect; always lower case
// here, and read in either case.

import type { Entropy } from './world.ts';

const instanceIdPattern = /^0x[0-9a-f]{40}$/;

/** A fresh instance id. */
export function newInstanceId(entropy: Entropy): string {
  return `0x${Buffer.from(entropy.bytes(20)).toString('hex')}`;
}

/** An instance id in its one letter case, or null when the text can't be one. */
export function parseInstanceId(text: string): string | null {
  const id = text.toLowerCase();
  return instanceIdPattern.test(id) ? id : null;
}

/** A fresh random UUID (version 4), for rows that no customer names. */
export function newUuid(entropy: Entropy): string {
  const bytes = Buffer.from(entropy.bytes(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Whether a text can be the id of a row. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** A fresh secret such as `berth_…` with 256 bits of randomness: API keys, enrolment tokens, agents' credentials. */
export function newSecret(prefix: string, entropy: Entropy): string {
  return `${prefix}_${Buffer.from(entropy.bytes(32)).toString('base64url')}`;
}
