// The first account's secrets, in a file that only its owner can read. The file is written before the database knows of
// them, and every start makes sure that the database agrees with it; so a start that was killed loses nothing.

import { argon2Sync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { writeDurably } from '../host/durable-file.ts';
import { newSecret } from '../model/id.ts';
import type { Entropy } from '../model/world.ts';

/** `DIR/credentials.json`. */
export interface Credentials {
  url: string;
  account: string;
  apiKey: string;
  username: string;
  password: string;
}

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. */
const argon2 = { memory: 19 * 1024, passes: 2, parallelism: 1, tagLength: 32 };

/** Reads the file, or makes it at the first start. The URL in it follows where Berth listens. */
export async function ensureCredentials(file: string, url: string, entropy: Entropy): Promise<Credentials> {
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  const credentials: Credentials =
    known === null
      ? {
          url,
          account: 'default',
          apiKey: newSecret('berth', entropy),
          username: 'admin',
          password: Buffer.from(entropy.bytes(18)).toString('base64url'),
        }
      : { ...(JSON.parse(known) as Credentials), url };
  const text = `${JSON.stringify(credentials, null, 2)}\n`;
  if (text !== known) await writeDurably(file, text);
  return credentials;
}

/** A password's argon2id hash in PHC string form. */
export function hashPassword(password: string, entropy: Entropy): string {
  const nonce = entropy.bytes(16);
  const tag = argon2Sync('argon2id', { message: password, nonce, ...argon2 });
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  const { memory, passes, parallelism } = argon2;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(nonce)}$${base64(tag)}`;
}
