// Who is asking. Secrets are looked up by their SHA-256: they are 256 random bits, so nothing slower protects them better.

import { createHash } from 'node:crypto';
import { BerthError } from '../model/errors.ts';
import { findPrincipalByKey, type KeyUse, noteUse, type Principal } from '../store/api-key.ts';
import { findHostByCredential } from '../store/host.ts';
import type { Context } from './context.ts';

export type { Principal } from '../store/api-key.ts';

/** The SHA-256 of a secret, the form in which secrets are stored. */
export function sha256(secret: string): Uint8Array {
  return createHash('sha256').update(secret).digest();
}

/**
 * The account that an API key acts for.
 * @throws BerthError `unauthenticated` when the key is missing, unknown, revoked or expired, always in the same words
 */
export async function authenticateKey(context: Context, key: string | undefined): Promise<Principal> {
  const found = key && (await findPrincipalByKey(context.database, { secretSha256: sha256(key) }, context.clock.now()));
  if (!found) throw new BerthError('unauthenticated', 'There is no such API key.');
  await noteKeyUse(context, found.key);
  return found.principal;
}

/** Precise enough to tell which keys nobody needs any more, and a write that no request notices. */
const useNotedEveryMs = 60 * 60 * 1000;

/** Notes that a key is used, once an hour at most. */
export async function noteKeyUse({ database, clock }: Context, { id, lastUsedAt }: KeyUse): Promise<void> {
  const now = clock.now();
  const since = new Date(now.getTime() - useNotedEveryMs);
  if (lastUsedAt === null || lastUsedAt <= since) await noteUse(database, id, now, since);
}

/**
 * The host that an agent's credential belongs to.
 * @returns the host's id
 * @throws BerthError `unauthenticated`
 */
export async function authenticateAgent(context: Context, credential: string | undefined): Promise<string> {
  const hostId = credential && (await findHostByCredential(context.database, sha256(credential)));
  if (!hostId) throw new BerthError('unauthenticated', 'This credential belongs to no host; enrol the host again.');
  return hostId;
}
