// What counts as a public SSH key. Read strictly, because a key goes into the guest's authorized_keys: a line break in it
// would be a second key, and options before it would be options.

import { createHash } from 'node:crypto';
import { BerthError, shown } from './errors.ts';

/** Enough for RSA keys of 16,384 bits with a comment. */
const keyLengthMax = 8192;
/** As many as a person's team has; each ends up in a file that sshd reads at each login. */
export const sshKeysMax = 50;

/** As long as the schema holds; a person's name for a key is far shorter. */
const sshKeyNameLengthMax = 255;
/** Registered keys of an account: far more than one has, few enough to list at once and to look through at each deployment. */
export const registeredKeysMax = 500;

const algorithms = new Set([
  'ssh-rsa',
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
]);

/**
 * Checks one raw public key, in the one-line form of `id_ed25519.pub`.
 * @returns the key on one line, without surrounding white space
 * @throws BerthError `invalid_value`; the message never repeats the key, which may be a private one pasted by mistake
 */
export function checkPublicKey(text: string, field: string): string {
  const fail = (why: string) => new BerthError('invalid_value', `${field} ${why}`, field);
  const key = text.trim();
  if (/PRIVATE KEY/.test(key)) {
    throw fail(
      'holds a private key. Send the public one (the file that ends in .pub), and consider this private key compromised.',
    );
  }
  if (key.length === 0) throw fail('is empty; a public key such as "ssh-ed25519 AAAA…" is needed.');
  if (key.length > keyLengthMax) throw fail(`has ${key.length} characters; a public key has at most ${keyLengthMax}.`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  if (/[\u0000-\u001f\u007f]/.test(key))
    throw fail('has a line break or control character in it; each entry is one key on one line.');
  const [algorithm = '', encoded = ''] = key.split(/ +/);
  if (!algorithms.has(algorithm)) {
    throw fail('does not begin with a known key type (ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, …).');
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || !blobHolds(Buffer.from(encoded, 'base64'), algorithm)) {
    throw fail(`is not a complete ${algorithm} public key; copy the whole line of the .pub file.`);
  }
  return key;
}

/** Whether a key's binary form is a chain of length-prefixed fields whose first names the algorithm (RFC 4253, 6.6). */
function blobHolds(blob: Buffer, algorithm: string): boolean {
  let offset = 0;
  let fields = 0;
  while (offset + 4 <= blob.length) {
    const length = blob.readUInt32BE(offset);
    const field = blob.subarray(offset + 4, offset + 4 + length);
    if (field.length !== length) return false;
    if (fields === 0 && field.toString('latin1') !== algorithm) return false;
    offset += 4 + length;
    fields += 1;
  }
  return offset === blob.length && fields >= 2;
}

/** A public key in its parts. */
export interface PublicKey {
  /** Such as `ssh-ed25519`. */
  algorithm: string;
  /** `SHA256:` and base64 without padding, as ssh-keygen writes it; the same for the same key under any comment. */
  fingerprint: string;
  comment: string;
}

/** The parts of a key that {@link checkPublicKey} has let pass. */
export function partsOf(key: string): PublicKey {
  const [algorithm = '', encoded = '', ...comment] = key.split(/ +/);
  const hash = createHash('sha256').update(Buffer.from(encoded, 'base64')).digest('base64');
  return { algorithm, fingerprint: `SHA256:${hash.replace(/=+$/, '')}`, comment: comment.join(' ') };
}

/** Whether a text means to be a key itself, right or wrong, rather than the name or the fingerprint of one. */
export function isMeantAsKey(text: string): boolean {
  return algorithms.has(text.trim().split(/ +/, 1)[0] ?? '') || !isName(text);
}

const isName = (text: string) =>
  text.length <= sshKeyNameLengthMax && text.isWellFormed() && /^\P{Cc}+$/u.test(text) && text === text.trim();

/**
 * Checks the name under which a key is registered. A name that could be read as a key or as a fingerprint would stand for
 * something else than its key, so it is refused.
 * @throws BerthError `invalid_value`
 */
export function checkSshKeyName(name: string, field: string): string {
  if (!isName(name)) {
    const rule = `a name has 1 to ${sshKeyNameLengthMax} characters on one line, and no space at either end`;
    throw new BerthError('invalid_value', `${field} is ${shown(name)}; ${rule}.`, field);
  }
  if (isMeantAsKey(name) || name.startsWith('SHA256:')) {
    throw new BerthError(
      'invalid_value',
      `${field} is ${shown(name)}, which reads as a key; choose a name for it.`,
      field,
    );
  }
  return name;
}
