// What counts as a public SSH key. Read strictly, because a key goes into the guest's authorized_keys: a line break in it
// would be a second key, and options before it would be options.

import { BerthError } from './errors.ts';

/** Enough for RSA keys of 16,384 bits with a comment. */
const keyLengthMax = 8192;
/** As many as a person's team has; each ends up in a file that sshd reads at each login. */
export const sshKeysMax = 50;

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
