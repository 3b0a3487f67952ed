// Privileges as callers of the API see, grant, change and revoke them. Nobody has to do with what is as high as his own, except
// that a user gives his own API keys what he has himself.

import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { type Grant, may, mayAs, mayChange, sightOf } from '../model/privilege.ts';
import type { PrivilegeTerms } from '../model/privilege-terms.ts';
import { type Database, inTransaction, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import * as store from '../store/privilege.ts';
import { findUserKey } from '../store/user-api-key.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';

export type { PrivilegeFilter, PrivilegeRow } from '../store/privilege.ts';

/**
 * What a user may hold on one account and in it: more than any person needs, and few enough to be read at each of his requests.
 * Not in all, because nobody is asked whether he wants a privilege: whoever runs one account could keep him from all others.
 */
const privilegesMax = 500;

/** The privileges among these that a caller may see, in the order in which they were granted. */
export async function listPrivileges(
  context: Context,
  caller: Caller,
  filter: store.PrivilegeFilter,
): Promise<store.PrivilegeRow[]> {
  return (await store.listPrivileges(context.database, filter)).filter((one) => sees(caller, one));
}

/** So many are read at once where only some of them are in sight. */
const readAtOnce = 500;

/**
 * A page of the privileges that a caller may see, in the order in which they were granted. Without a filter of what they are
 * held on or by whom: his own, and those in accounts that he has to do with.
 * @returns one more than `limit` where another page follows
 */
export async function pageOfPrivileges(
  context: Context,
  caller: Caller,
  filter: store.PrivilegeFilter,
  { after, limit }: { after: bigint; limit: number },
): Promise<store.PrivilegeRow[]> {
  const sight = sightOf(caller.grants);
  const accountIds = caller.grants.flatMap(({ accountId }) => accountId ?? []);
  const own = sight === 'everything' ? {} : { ofUserOrIn: { userId: caller.user?.id ?? null, accountIds } };
  const base = Object.keys(filter).length > 0 ? filter : own;
  const found: store.PrivilegeRow[] = [];
  let from = after;
  while (found.length <= limit) {
    const read = await store.listPrivileges(context.database, { ...base, after: from, limit: readAtOnce });
    found.push(...read.filter((one) => sees(caller, one)));
    from = read.at(-1)?.id ?? from;
    if (read.length < readAtOnce) break;
  }
  return found.slice(0, limit + 1);
}

/** A caller's own privileges: a user's, with those of his keys; a key's; for an account's own key those on the account. */
export function listOwnPrivileges(context: Context, caller: Caller): Promise<store.PrivilegeRow[]> {
  const { user, apiKeyId } = caller;
  const sight = sightOf(caller.grants);
  if (!user) return listPrivileges(context, caller, sight === 'everything' ? {} : { inAccounts: sight.accountIds });
  return listPrivileges(context, caller, { userId: user.id, ...(apiKeyId === null ? {} : { apiKeyId }) });
}

/**
 * One privilege.
 * @throws BerthError `not_found` where there is none that the caller may see
 */
export async function readPrivilege(context: Context, caller: Caller, ref: string): Promise<store.PrivilegeRow> {
  const [found] = /^\d{1,18}$/.test(ref) ? await listPrivileges(context, caller, { id: BigInt(ref) }) : [];
  if (!found) throw new BerthError('not_found', `There is no privilege ${shown(ref)}.`, ref);
  return found;
}

/** Who may see it: whose it is, who manages what it is held on and holds as much there, and who may look at the whole account. */
function sees(caller: Caller, privilege: store.PrivilegeRow): boolean {
  const { user, apiKeyId, grants } = caller;
  const isOwn = user?.id === privilege.user.id && (apiKeyId === null || apiKeyId === privilege.apiKey?.id);
  const { level, ...place } = store.grantOf(privilege);
  const { accountId } = place;
  const seesAll = accountId !== undefined && may(grants, 'vm_console', { accountId });
  return isOwn || seesAll || mayAs(grants, level === 'vm_console' ? 'vm_admin' : level, place);
}

/** What is granted to whom. */
export interface PrivilegeRequest {
  userId: string;
  /** With its object and all that this is in. */
  grant: Grant;
  /** The number of a key of the user's, which holds it in his place. */
  apiKey: bigint | null;
  terms: PrivilegeTerms;
}

/**
 * Grants a privilege.
 * @throws BerthError `forbidden`; InvalidFields
 */
export async function grantPrivilege(
  context: Context,
  caller: Caller,
  { userId, grant, apiKey, terms }: PrivilegeRequest,
): Promise<store.PrivilegeRow> {
  const key = apiKey === null ? null : await findUserKey(context.database, { number: apiKey });
  if (key === undefined || (key && key.userId !== userId)) throw new InvalidFields({ api_key_id: ['is invalid'] });
  const { level, ...place } = grant;
  const isForOwnKey = key !== null && caller.user?.id === userId && caller.apiKeyId === null;
  const mayGrant = isForOwnKey ? mayAs(caller.grants, level, place) : mayChange(caller.grants, grant);
  if (!mayGrant) throw new BerthError('forbidden', `To grant ${level} needs a higher privilege there than ${level}.`);
  return writePrivilege(context, caller.actor, {
    ...{ userId, grant, apiKeyId: key?.id ?? null, grantedBy: caller.user?.username ?? null, ...terms },
    createdAt: context.clock.now(),
  });
}

/**
 * Writes a privilege, whoever grants it.
 * @throws InvalidFields when it is held already, or its user holds very many
 */
export function writePrivilege(
  context: Context,
  actor: string,
  privilege: store.NewPrivilege,
): Promise<store.PrivilegeRow> {
  return inTransaction(context.database, async (tx) => {
    const id = await store.insertPrivilege(tx, { ...privilege, grant: ownObject(privilege.grant) });
    if (id === undefined) throw new InvalidFields({ level: ['has already been taken'] });
    const held = await store.listPrivileges(tx, { userId: privilege.userId });
    const made = held.find((one) => one.id === id);
    if (!made) throw new InvalidFields({ virtual_machine_id: ['is invalid'] });
    if (held.filter(({ account }) => account?.id === made.account?.id).length > privilegesMax)
      throw new InvalidFields({ base: [`a user has at most ${privilegesMax} privileges on an account and in it`] });
    await tell(context, tx, actor, 'privilege.granted', made);
    return made;
  });
}

/** A grant with the object alone that it is held on. */
function ownObject({ level, accountId, groupId, instanceId }: Grant): Grant {
  if (instanceId !== undefined) return { level, instanceId };
  if (groupId !== undefined) return { level, groupId };
  return accountId === undefined ? { level } : { level, accountId };
}

/**
 * Changes the terms of a privilege.
 * @throws BerthError `forbidden`
 */
export async function changePrivilege(
  context: Context,
  caller: Caller,
  privilege: store.PrivilegeRow,
  terms: Partial<PrivilegeTerms>,
): Promise<store.PrivilegeRow> {
  requireRight(caller, privilege);
  return inTransaction(context.database, async (tx) => {
    await store.updateTerms(tx, privilege.id, terms);
    const changed = await reread(tx, privilege);
    await tell(context, tx, caller.actor, 'privilege.changed', changed);
    return changed;
  });
}

/**
 * Takes a privilege away.
 * @throws BerthError `forbidden`
 */
export async function revokePrivilege(context: Context, caller: Caller, privilege: store.PrivilegeRow): Promise<void> {
  requireRight(caller, privilege);
  await erasePrivilege(context, caller.actor, privilege);
}

/** Takes a privilege away, whoever does it. */
export async function erasePrivilege(context: Context, actor: string, privilege: store.PrivilegeRow): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    await store.deletePrivilege(tx, privilege.id);
    await tell(context, tx, actor, 'privilege.revoked', privilege);
  });
}

function requireRight(caller: Caller, privilege: store.PrivilegeRow): void {
  const { user, apiKeyId, grants } = caller;
  const isOfOwnKey = privilege.apiKey !== null && user?.id === privilege.user.id && apiKeyId === null;
  if (isOfOwnKey || mayChange(grants, store.grantOf(privilege))) return;
  throw new BerthError(
    'forbidden',
    `To change ${privilege.level} needs a higher privilege there than ${privilege.level}.`,
  );
}

async function reread(database: Database, { id }: store.PrivilegeRow): Promise<store.PrivilegeRow> {
  const [found] = await store.listPrivileges(database, { id });
  if (!found) throw new BerthError('not_found', `There is no privilege ${id}.`);
  return found;
}

const verbs = {
  'privilege.granted': 'was granted to',
  'privilege.changed': 'has other terms for',
  'privilege.revoked': 'was taken from',
};

async function tell(
  context: Context,
  tx: Tx,
  actor: string,
  kind: keyof typeof verbs,
  privilege: store.PrivilegeRow,
): Promise<void> {
  const { level, user, account, group, vm, apiKey } = privilege;
  const what = vm
    ? ` on VM ${vm.name}`
    : group
      ? ` on group ${group.name}`
      : account
        ? ` on account ${account.name}`
        : '';
  const whose = apiKey ? `API key ${apiKey.number} of user ${user.name}` : `user ${user.name}`;
  const data = { privilege: Number(privilege.id), level, username: user.name };
  await insertEvents(tx, [
    {
      ...{ accountId: account?.id ?? null, instanceId: vm?.id ?? null, hostId: null, kind, actor, data },
      ...{ message: `${level}${what} ${verbs[kind]} ${whose}.`, createdAt: context.clock.now() },
    },
  ]);
}
