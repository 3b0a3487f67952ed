// How passwords are kept: as argon2id hashes in PHC string form, slow on purpose, because people's passwords are guessable.

import { argon2, argon2Sync, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { BerthError } from './errors.ts';
import type { Entropy } from './world.ts';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const parameters = { memory: 19 * 1024, passes: 2, parallelism: 1, tagLength: 32 };
const nonceBytes = 16;
/** NIST SP 800-63B asks for at least 8 where it is not the only factor, and for 15 where it is. */
const passwordLengthMin = 15;
/** Far beyond any passphrase; what is longer is a file given by mistake. */
export const passwordLengthMax = 1024;

const hashInThread = promisify(argon2);

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
  const nonce = entropy.bytes(nonceBytes);
  return toPhc(nonce, argon2Sync('argon2id', { message: password, nonce, ...parameters }));
}

/** {@link hashPassword} in a thread of its own, for who serves others meanwhile. */
export async function hashPasswordAside(password: string, entropy: Entropy): Promise<string> {
  const nonce = entropy.bytes(nonceBytes);
  return toPhc(nonce, await hashInThread('argon2id', { message: password, nonce, ...parameters }));
}

function toPhc(nonce: Uint8Array, tag: Uint8Array): string {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  const { memory, passes, parallelism } = parameters;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}

/**
 * Whether a hash is of this password. It takes as long where there is no hash, so that the time tells nobody whether there is
 * such a user. The work is done in a thread of its own.
 * @param hash in PHC string form, or null where there is none
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const known = hash === null ? null : parseHash(hash);
  const { nonce, tag, ...cost } = known ?? { ...parameters, nonce: Buffer.alloc(nonceBytes), tag: null };
  const found = await hashInThread('argon2id', { message: password, nonce, ...cost });
  return tag !== null && timingSafeEqual(found, tag);
}

/** @throws Error when the text is no argon2id hash; none other is ever written */
function parseHash(hash: string) {
  const [, memory, passes, parallelism, nonce = '', tag = ''] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(hash) ?? [];
  if (tag === '') throw new Error('A stored password hash is not argon2id in PHC string form.');
  const bytes = Buffer.from(tag, 'base64');
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  return { ...cost, tagLength: bytes.length, nonce: Buffer.from(nonce, 'base64'), tag: bytes };
}
