// Users' API keys: made, shown once, listed with what was granted to them, and removed. A key may do nothing until something is
// granted to it, and never more than its user may.

import { checkKeyExpiry } from '../model/api-key.ts';
import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { newSecret, newUuid } from '../model/id.ts';
import { clusterLevelOf } from '../model/privilege.ts';
import { inTransaction } from '../store/database.ts';
import { listPrivileges, type PrivilegeRow } from '../store/privilege.ts';
import type { UserRow } from '../store/user.ts';
import * as store from '../store/user-api-key.ts';
import { sha256 } from './authenticate.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';
import { requireRightOver } from './user-directory.ts';
import { tellOfUser } from './user-event.ts';

/** A key with what was granted to it. */
export type UserKey = store.UserKeyRow & { privileges: PrivilegeRow[] };

/** Enough for a key to each machine and script of a person. */
const keysMax = 100;
const labelLengthMax = 255;

/** The caller's own keys, oldest first. A key sees itself alone, and an account's own key none. */
export async function listUserKeys(context: Context, { user, apiKeyId }: Caller): Promise<UserKey[]> {
  if (!user) return [];
  const keys = await keysOf(context, user.id);
  return apiKeyId === null ? keys : keys.filter(({ id }) => id === apiKeyId);
}

/**
 * A user's keys, oldest first, for himself and who runs the cluster.
 * @throws BerthError `forbidden`
 */
export async function listKeysOf(context: Context, caller: Caller, user: UserRow): Promise<UserKey[]> {
  if (caller.user?.id === user.id) return listUserKeys(context, caller);
  await requireRightOver(context, caller, user);
  return keysOf(context, user.id);
}

async function keysOf({ database }: Context, userId: string): Promise<UserKey[]> {
  const privileges = await listPrivileges(database, { userId });
  const keys = await store.listUserKeys(database, userId);
  return keys.map((key) => ({ ...key, privileges: privileges.filter(({ apiKey }) => apiKey?.id === key.id) }));
}

/**
 * The user's key of an id, with what was granted to it.
 * @returns undefined where there is none that the caller may see
 */
export async function findKeyInSight(context: Context, caller: Caller, id: string): Promise<UserKey | undefined> {
  const key = await store.findUserKey(context.database, { id });
  if (!key) return undefined;
  const isOwn = key.userId === caller.user?.id && (caller.apiKeyId === null || caller.apiKeyId === id);
  if (!isOwn && clusterLevelOf(caller.grants) === null) return undefined;
  return (await keysOf(context, key.userId)).find((one) => one.id === id);
}

/**
 * Makes a key for a user.
 * @param given no expiry means that it holds until it is removed
 * @returns the key with its secret, which is kept nowhere
 * @throws BerthError `forbidden`; InvalidFields
 */
export async function createUserKey(
  context: Context,
  caller: Caller,
  user: UserRow,
  given: { label: string; expiresAt: Date | null },
): Promise<UserKey & { secret: string }> {
  await requireRightOver(context, caller, user);
  const now = context.clock.now();
  const secret = newSecret('berth', context.entropy);
  const id = newUuid(context.entropy);
  const label = checkLabel(given.label);
  const expiresAt = checkKeyExpiry(given.expiresAt, now, 'expires_at');
  return inTransaction(context.database, async (tx) => {
    const keys = await store.listUserKeys(tx, user.id);
    if (keys.some((key) => key.label === label)) throw new InvalidFields({ label: ['has already been taken'] });
    if (keys.length >= keysMax) throw new InvalidFields({ base: [`a user has at most ${keysMax} API keys`] });
    await store.insertUserKey(tx, {
      ...{ id, userId: user.id, label, secretSha256: sha256(secret), createdAt: now, expiresAt },
    });
    await tellOfUser(context, tx, caller.actor, user, 'api-key.created', `got the API key ${label}`);
    const made = await store.findUserKey(tx, { id });
    if (!made) throw new Error(`There is no API key ${id}.`);
    return { ...made, privileges: [], secret };
  });
}

function checkLabel(label: string): string {
  if (label === '') throw new InvalidFields({ label: ["can't be blank"] });
  const isText = label.isWellFormed() && /^\P{Cc}+$/u.test(label) && label === label.trim();
  if (isText && label.length <= labelLengthMax) return label;
  throw new InvalidFields({ label: ['is invalid'] });
}

/**
 * Removes a key, which ends it at once.
 * @param ref its number
 * @throws BerthError `not_found`, `forbidden`
 */
export async function removeUserKey(context: Context, caller: Caller, ref: string): Promise<void> {
  const key = /^\d{1,18}$/.test(ref) ? await store.findUserKey(context.database, { number: BigInt(ref) }) : undefined;
  const isSeen = key && (key.userId === caller.user?.id || clusterLevelOf(caller.grants) !== null);
  if (!key || !isSeen) throw new BerthError('not_found', `There is no API key ${shown(ref)}.`, ref);
  const owner = { id: key.userId, username: key.username };
  await requireRightOver(context, caller, owner);
  await inTransaction(context.database, async (tx) => {
    await store.deleteUserKey(tx, key.id);
    await tellOfUser(context, tx, caller.actor, owner, 'api-key.revoked', `has the API key ${key.label} no more`);
  });
}
