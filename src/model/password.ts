// How passwords are kept: as argon2id hashes in PHC string form, slow on purpose, because people's passwords are guessable.

import { argon2Sync } from 'node:crypto';
import { BerthError } from './errors.ts';
import type { Entropy } from './world.ts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const argon2 = { memory: 19 * 1024, passes: 2, parallelism: 1, tagLength: 32 };
/** NIST SP 800-63B asks for at least 8 where it is not the only factor, and for 15 where it is. */
const passwordLengthMin = 15;
/** Far beyond any passphrase; what is longer is a file given by mistake. */
const passwordLengthMax = 1024;

/**
 * Checks a password that somebody chose. The message doesn't repeat it.
 * @throws BerthError `invalid_value`
 */
export function checkPassword(password: string, field: string): string {
  const { length } = [...password];
  if (length >= passwordLengthMin && length <= passwordLengthMax) return password;
  const rule = `a password has ${passwordLengthMin} to ${passwordLengthMax}`;
  throw new BerthError('invalid_value', `${field} has ${length} characters; ${rule}.`, field);
}

/** A fresh password of 144 random bits. */
export function newPassword(entropy: Entropy): string {
  return Buffer.from(entropy.bytes(18)).toString('base64url');
}

/** A password's argon2id hash in PHC string form. */
export function hashPassword(password: string, entropy: Entropy): string {
  const nonce = entropy.bytes(16);
  const tag = argon2Sync('argon2id', { message: password, nonce, ...argon2 });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  const { memory, passes, parallelism } = argon2;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}
