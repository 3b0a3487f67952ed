// An account's API keys: made, shown once, listed without their secrets, and revoked.

import { checkKeyExpiry, checkKeyName, checkKeyScope, keyState } from '../model/api-key.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newSecret, newUuid } from '../model/id.ts';
import { may, type PrivilegeLevel } from '../model/privilege.ts';
import * as store from '../store/api-key.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { type Caller, reachAccount } from './access.ts';
import { sha256 } from './authenticate.ts';
import type { Context } from './context.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';

/** Enough for a key to each program of a company; the list is looked through when one is made. */
const keysMax = 500;
/** Of those that have ended, the newest are kept to be looked up by the names that stand in events. */
const endedKeysMax = 500;

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
  actor = operatorActor,
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
    await store.forgetEndedKeys(tx, accountId, now, endedKeysMax);
    const valid = (await store.listApiKeys(tx, accountId)).filter((one) => keyState(one, now) === 'valid');
    if (valid.length >= keysMax) {
      throw new BerthError('wrong_state', `The account has ${valid.length} valid keys; revoke one first.`);
    }
    if (valid.some(({ name }) => name === key.name)) {
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
    await insertEvents(tx, [{ ...operatorEvent(context, 'api-key.created', message, { accountId, data }), actor }]);
  });
  return { ...key, revokedAt: null, lastUsedAt: null, state: 'valid', secret };
}

/** An account's keys, oldest first, those that have ended too. */
export async function listApiKeys(context: Context, accountId: string): Promise<ApiKey[]> {
  const now = context.clock.now();
  const keys = await store.listApiKeys(context.database, accountId);
  return keys.map((key) => ({ ...key, state: keyState(key, now) }));
}

/**
 * An account's key that a caller names by its id, and the account.
 * @param level what he has to be on the account
 * @throws BerthError `not_found` where there is none that he may see, `forbidden`
 */
export async function reachApiKey(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel,
): Promise<{ key: ApiKey; accountId: string }> {
  const accountId = await store.findKeyAccount(context.database, id);
  const unknown = () => new BerthError('not_found', `There is no API key ${id}.`, id);
  if (accountId === undefined || !may(caller.grants, 'vm_console', { accountId })) throw unknown();
  await reachAccount(context, caller, { id: accountId }, level);
  const key = (await listApiKeys(context, accountId)).find((one) => one.id === id);
  if (!key) throw unknown();
  return { key, accountId };
}

/**
 * Ends a key at once; one that has ended already stays as it is.
 * @param nameOrId a name means the newest key of that name
 * @throws BerthError `not_found`
 */
export async function revokeApiKey(
  context: Context,
  accountId: string,
  nameOrId: string,
  actor = operatorActor,
): Promise<ApiKey> {
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
    await insertEvents(tx, [{ ...operatorEvent(context, 'api-key.revoked', message, { accountId, data }), actor }]);
    return { ...key, revokedAt: now, state: 'revoked' };
  });
}
