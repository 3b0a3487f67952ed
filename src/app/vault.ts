// Secrets that have to be read again, such as a registry's login, sealed with a key that is not in the database.

import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import type { Entropy } from '../model/world.ts';
import { type Database, inTransaction } from '../store/database.ts';
import { ensureSealingKey, findSealingKey } from '../store/sealing-key.ts';
import { sha256 } from './authenticate.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** Seals secrets for the database, and opens them again. */
export interface Vault {
  /** Seals a text; the same text looks different each time. */
  seal(text: string): Uint8Array;
  /** Opens what was sealed. @throws Error when it was sealed with another key or was changed since */
  open(sealed: Uint8Array): string;
  /**
   * 32 bytes that tell a text from another one. Who has the database alone can't try texts against them, as he could against a
   * bare hash: a request may hold a password.
   */
  digest(text: string): Uint8Array;
}

/** A vault with a key. What is sealed is nonce, tag and cipher text, one after the other. */
export class KeyVault implements Vault {
  readonly #key: Uint8Array;
  readonly #entropy: Entropy;

  /** @param key 32 bytes */
  constructor(key: Uint8Array, entropy: Entropy) {
    this.#key = key;
    this.#entropy = entropy;
  }

  seal(text: string): Uint8Array {
    const nonce = this.#entropy.bytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#key, nonce);
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  open(sealed: Uint8Array): string {
    const bytes = Buffer.from(sealed);
    const decipher = createDecipheriv(algorithm, this.#key, bytes.subarray(0, nonceBytes));
    decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
  }

  digest(text: string): Uint8Array {
    return createHmac('sha256', this.#key).update('berth request digest\n').update(text).digest();
  }

  /** What tells this key from another, and nothing else of it. */
  get fingerprint(): Uint8Array {
    return sha256(`berth sealing key ${Buffer.from(this.#key).toString('base64')}`);
  }
}

/** The vault of who has no key and hardly needs one, such as an operator's command far from the servers. */
export const lockedVault: Vault = {
  seal: () => lockedOut(),
  open: () => lockedOut(),
  digest: () => lockedOut(),
};

function lockedOut(): never {
  throw new Error(
    "Secrets are sealed with the servers' secret.key, which is not in this data directory; run this there.",
  );
}

/** Whether this is the key that the database's secrets are sealed with. Writes nothing. */
export async function isVaultOf(database: Database, vault: KeyVault): Promise<boolean> {
  const known = await findSealingKey(database);
  return known !== undefined && Buffer.from(known).equals(vault.fingerprint);
}

/**
 * Makes sure that this is the key that the database's secrets are sealed with; the first one that comes is.
 * @throws Error that says what to do when it is another
 */
export async function checkVault(database: Database, vault: KeyVault, now: Date): Promise<void> {
  const known = await inTransaction(database, (tx) => ensureSealingKey(tx, vault.fingerprint, now));
  if (Buffer.from(known).equals(vault.fingerprint)) return;
  throw new Error(
    'The secrets in this database are sealed with another key; copy the file secret.key from the data directory of the server that was first.',
  );
}
