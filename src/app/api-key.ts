// An account's API keys: made, shown once, listed without their secrets, and revoked.

import { checkKeyExpiry, checkKeyName, checkKeyScope, keyState } from '../model/api-key.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newSecret, newUuid } from '../model/id.ts';
import * as store from '../store/api-key.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { sha256 } from './authenticate.ts';
import type { Context } from './context.ts';
import { operatorEvent, unknownName } from './operator.ts';

/** A key without its secret. */
export type ApiKey = store.ApiKeyRow & { state: ReturnType<typeof keyState> };

/**
 * Makes a key.
 * @param given no expiry means that it holds until it is revoked
 * @param fields how the caller calls the three
 * @returns the key with its secret, which is kept nowhere
 * @throws BerthError `invalid_value`; `name_taken` when a valid key of the account has the name
 */
export async function createApiKey(
  context: Context,
  accountId: string,
  given: { name: string; scope: string; expiresAt: Date | null },
  fields: { name: string; scope: string; expiresAt: string },
): Promise<ApiKey & { secret: string }> {
  const now = context.clock.now();
  const secret = newSecret('berth', context.entropy);
  const key = {
    id: newUuid(context.entropy),
    name: checkKeyName(given.name, fields.name),
    scope: checkKeyScope(given.scope, fields.scope),
    createdAt: now,
    expiresAt: checkKeyExpiry(given.expiresAt, now, fields.expiresAt),
  };
  await inTransaction(context.database, async (tx) => {
    const same = (await store.listApiKeys(tx, accountId)).find(({ name }) => name === key.name);
    if (same && keyState(same, now) === 'valid') {
      throw new BerthError(
        'name_taken',
        `The account has a key ${shown(key.name)} already; revoke it first.`,
        fields.name,
      );
    }
    await store.insertApiKey(tx, accountId, { ...key, secretSha256: sha256(secret) });
    const { id, name, scope, expiresAt } = key;
    const message = `API key ${name} (${scope}) was made.`;
    const data = { id, name, scope, expiresAt: expiresAt?.toISOString() ?? null };
    await insertEvents(tx, [operatorEvent(context, 'api-key.created', message, { accountId, data })]);
  });
  return { ...key, revokedAt: null, state: 'valid', secret };
}

/** An account's keys, oldest first, those that have ended too. */
export async function listApiKeys(context: Context, accountId: string): Promise<ApiKey[]> {
  const now = context.clock.now();
  const keys = await store.listApiKeys(context.database, accountId);
  return keys.map((key) => ({ ...key, state: keyState(key, now) }));
}

/**
 * Ends a key at once; one that has ended already stays as it is.
 * @param nameOrId a name means the newest key of that name
 * @throws BerthError `not_found`
 */
export async function revokeApiKey(context: Context, accountId: string, nameOrId: string): Promise<ApiKey> {
  const now = context.clock.now();
  return inTransaction(context.database, async (tx) => {
    const key = (await store.listApiKeys(tx, accountId)).findLast(
      ({ id, name }) => name === nameOrId || id === nameOrId,
    );
    if (!key) throw unknownName('API key', nameOrId);
    if (key.revokedAt) return { ...key, state: 'revoked' };
    await store.revokeApiKey(tx, key.id, now);
    const message = `API key ${key.name} was revoked.`;
    const data = { id: key.id, name: key.name };
    await insertEvents(tx, [operatorEvent(context, 'api-key.revoked', message, { accountId, data })]);
    return { ...key, revokedAt: now, state: 'revoked' };
  });
}
