// API keys: what each may do, and for how long. The key itself is shown once and kept as a hash.

import { BerthError, shown } from './errors.ts';

/**
 * - `read-only`: may look at everything of its account and change nothing
 * - `full`: may do whatever its account may
 */
export const keyScopes = ['read-only', 'full'] as const;

/** One of {@link keyScopes}. */
export type KeyScope = (typeof keyScopes)[number];

/** As it stands in events behind `key:`. */
const keyNameLengthMax = 63;

/**
 * Checks the name that tells an account's keys apart.
 * @throws BerthError `invalid_value`
 */
export function checkKeyName(name: string, field: string): string {
  if (/^[\w.@-]+$/.test(name) && name.length <= keyNameLengthMax) return name;
  const rule = `a name has 1 to ${keyNameLengthMax} letters, digits, and characters of "-_.@"`;
  throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
}

/**
 * Checks what a key may do.
 * @throws BerthError `invalid_value`
 */
export function checkKeyScope(scope: string, field: string): KeyScope {
  const known = keyScopes.find((one) => one === scope);
  if (known) return known;
  throw new BerthError('invalid_value', `${field} is ${shown(scope)}; it must be ${keyScopes.join(' or ')}.`, field);
}

/**
 * Checks when a key ends: it must still have time before it.
 * @throws BerthError `invalid_value`
 */
export function checkKeyExpiry(expiresAt: Date | null, now: Date, field: string): Date | null {
  if (expiresAt === null || expiresAt > now) return expiresAt;
  throw new BerthError('invalid_value', `${field} is ${expiresAt.toISOString()}, which is over already.`, field);
}

/** What has become of a key. */
export function keyState(
  { revokedAt, expiresAt }: { revokedAt: Date | null; expiresAt: Date | null },
  now: Date,
): 'valid' | 'revoked' | 'expired' {
  if (revokedAt) return 'revoked';
  return expiresAt && expiresAt <= now ? 'expired' : 'valid';
}
