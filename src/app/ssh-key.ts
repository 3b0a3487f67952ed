// The SSH keys of an account: registered once, and then named at deployments by name or fingerprint. A VM keeps the keys it
// was deployed with, whatever becomes of their registration.

import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import type { PrivilegeLevel } from '../model/privilege.ts';
import {
  checkPublicKey,
  checkSshKeyName,
  isMeantAsKey,
  partsOf,
  registeredKeysMax,
  sshKeysMax,
} from '../model/ssh-key.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import * as store from '../store/ssh-key.ts';
import { type Caller, reachAccount } from './access.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

export type { SshKeyRow } from '../store/ssh-key.ts';

/** The account's registered keys, oldest first. */
export function listSshKeys(
  context: Context,
  { accountId }: Principal,
  page?: { page: number; perPage: number },
): Promise<store.SshKeyRow[]> {
  const window = page
    ? { limit: page.perPage, offset: (page.page - 1) * page.perPage }
    : { limit: registeredKeysMax, offset: 0 };
  return store.listSshKeys(context.database, accountId, window);
}

/**
 * One registered key, and the account that has it.
 * @throws BerthError `not_found`, and as {@link reachAccount} does
 */
export async function findSshKey(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel,
): Promise<{ principal: Principal; key: store.SshKeyRow }> {
  const found = await store.findSshKey(context.database, id);
  const unknown = new BerthError('not_found', 'There is no such SSH key.');
  if (!found) throw unknown;
  const { principal } = await reachAccount(context, caller, { id: found.accountId }, level).catch((error) => {
    throw error instanceof BerthError && error.code === 'not_found' ? unknown : error;
  });
  return { principal, key: found.key };
}

/**
 * Registers a key, or finds it registered already, then under the name it has.
 * @param given without a name, the key goes by its fingerprint
 * @param fields how the dialect calls the two
 * @throws BerthError `invalid_value`, and `name_taken` when another key has the name
 */
export async function registerSshKey(
  context: Context,
  principal: Principal,
  given: { name: string | null; publicKey: string },
  fields: { name: string; publicKey: string },
): Promise<{ key: store.SshKeyRow; isNew: boolean }> {
  const { accountId } = principal;
  const publicKey = checkPublicKey(given.publicKey, fields.publicKey);
  const parts = partsOf(publicKey);
  const name = given.name === null ? parts.fingerprint : checkSshKeyName(given.name, fields.name);
  return inTransaction(context.database, async (tx) => {
    const count = await store.lockSshKeys(tx, accountId);
    const known = await store.findSshKeys(tx, accountId, [name, parts.fingerprint]);
    const same = known.find(({ fingerprint }) => fingerprint === parts.fingerprint);
    if (same) return { key: same, isNew: false };
    if (known.length > 0) {
      throw new BerthError('name_taken', `Another SSH key is registered as ${shown(name)} already.`, fields.name);
    }
    if (count >= registeredKeysMax) {
      const message = `${count} SSH keys are registered, as many as an account can have; delete one first.`;
      throw new BerthError('invalid_value', message, fields.publicKey);
    }
    const key = { id: newUuid(context.entropy), name, ...parts, publicKey, createdAt: context.clock.now() };
    await store.insertSshKey(tx, accountId, key);
    await insertEvents(tx, [eventOf(context, principal, 'ssh-key.added', name, parts.fingerprint)]);
    return { key, isNew: true };
  });
}

/**
 * Forgets a registered key. VMs that were deployed with it keep it.
 * @throws BerthError `not_found`
 */
export async function deleteSshKey(context: Context, principal: Principal, fingerprint: string): Promise<void> {
  const unknown = () => new BerthError('not_found', `There is no SSH key ${shown(fingerprint)}.`, fingerprint);
  if (!fingerprint.startsWith('SHA256:') || isMeantAsKey(fingerprint)) throw unknown();
  await inTransaction(context.database, async (tx) => {
    const name = await store.deleteSshKey(tx, principal.accountId, fingerprint);
    if (name === undefined) throw unknown();
    await insertEvents(tx, [eventOf(context, principal, 'ssh-key.removed', name, fingerprint)]);
  });
}

/**
 * The keys that the entries of a deployment stand for: each is a key itself, else the name of a registered one, else its
 * fingerprint.
 * @returns each key once, on one line
 * @throws BerthError `invalid_value` for no entry, too many, or one that is none of the three
 */
export async function resolveSshKeys(
  context: Context,
  { accountId }: Principal,
  entries: readonly string[],
  field: string,
): Promise<string[]> {
  if (entries.length === 0) {
    throw new BerthError('invalid_value', `${field} is empty; give at least one public SSH key.`, field);
  }
  if (entries.length > sshKeysMax) {
    throw new BerthError(
      'invalid_value',
      `${field} has ${entries.length} entries; at most ${sshKeysMax} are taken.`,
      field,
    );
  }
  const references = entries.filter((entry) => !isMeantAsKey(entry));
  const registered = await store.findSshKeys(context.database, accountId, references);
  const keys = new Map<string, string>();
  for (const [index, entry] of entries.entries()) {
    const at = `${field}[${index}]`;
    const key = isMeantAsKey(entry)
      ? checkPublicKey(entry, at)
      : (registered.find(({ name }) => name === entry) ?? registered.find(({ fingerprint }) => fingerprint === entry))
          ?.publicKey;
    if (key === undefined) {
      const message = `${at} is ${shown(entry)}, which is neither a public SSH key nor the name or fingerprint of a registered one.`;
      throw new BerthError('invalid_value', message, at);
    }
    const { fingerprint } = partsOf(key);
    if (!keys.has(fingerprint)) keys.set(fingerprint, key);
  }
  return [...keys.values()];
}

function eventOf(
  context: Context,
  { accountId, actor }: Principal,
  kind: string,
  name: string,
  fingerprint: string,
): NewEvent {
  const message = `SSH key ${name} (${fingerprint}) was ${kind === 'ssh-key.added' ? 'registered' : 'deleted'}.`;
  const data = { name, fingerprint };
  return { accountId, instanceId: null, hostId: null, kind, message, actor, data, createdAt: context.clock.now() };
}
