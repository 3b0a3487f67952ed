// The key that secrets in the database are sealed with, in a file that only its owner can read.

import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeDurably } from '../host/durable-file.ts';
import type { Entropy } from '../model/world.ts';

const keyBytes = 32;

/**
 * Reads the key, or makes it at the first start. Servers on one database need the same file.
 * @throws Error when the file holds no key
 */
export async function ensureSecretKey(file: string, entropy: Entropy): Promise<Uint8Array> {
  const known = await readSecretKey(file);
  if (known) return known;
  await mkdir(dirname(file), { recursive: true });
  const key = Buffer.from(entropy.bytes(keyBytes));
  await writeDurably(file, `${key.toString('base64')}\n`);
  return key;
}

/**
 * Reads the key; null where there is none.
 * @throws Error when the file holds no key
 */
export async function readSecretKey(file: string): Promise<Uint8Array | null> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== keyBytes) throw new Error(`${file} holds no key: ${keyBytes} bytes in base64 were expected.`);
  return key;
}
