// The first account's secrets, in a file that only its owner can read. The file is written before the database knows of
// them, and every start makes sure that the database agrees with it; so a start that was killed loses nothing.

import { readFile } from 'node:fs/promises';
import { writeDurably } from '../host/durable-file.ts';
import { newSecret } from '../model/id.ts';
import { newPassword } from '../model/password.ts';
import type { Entropy } from '../model/world.ts';

/** `DIR/credentials.json`. */
export interface Credentials {
  url: string;
  account: string;
  apiKey: string;
  username: string;
  password: string;
}

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
          password: newPassword(entropy),
        }
      : { ...(JSON.parse(known) as Credentials), url };
  const text = `${JSON.stringify(credentials, null, 2)}\n`;
  if (text !== known) await writeDurably(file, text);
  return credentials;
}
