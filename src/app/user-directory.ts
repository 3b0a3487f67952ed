// Users as those see and change them who may: himself, the cluster's operators, and for looking also who runs an account that he
// has to do with. Nobody changes who holds as much of the cluster as himself.

import { checkUsername } from '../model/account.ts';
import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { clusterLevelOf, may, mayChange, type PrivilegeLevel, sightOf } from '../model/privilege.ts';
import { parseReference } from '../model/reference.ts';
import { checkPublicKey, sshKeysMax } from '../model/ssh-key.ts';
import { inTransaction } from '../store/database.ts';
import { insertPrivilege } from '../store/privilege.ts';
import {
  deleteUser,
  findUser,
  insertUser,
  listUsers,
  listUsersInSight,
  type UserRow,
  updateUser,
} from '../store/user.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';
import { allGrantsOf } from './grants.ts';
import { accountsOf, tellOfUser } from './user-event.ts';

export type { UserRow } from '../store/user.ts';

/** The users whom a caller may see, by name. */
export async function usersInSight({ database }: Context, caller: Caller): Promise<UserRow[]> {
  const sight = sightOf(caller.grants);
  if (sight === 'everything') return listUsers(database, null);
  const users = await listUsers(database, accountsSeenWhole(caller));
  const { user } = caller;
  if (!user || users.some(({ id }) => id === user.id)) return users;
  const self = await findUser(database, user);
  return (self ? [...users, self] : users).toSorted((one, other) => (one.username < other.username ? -1 : 1));
}

/** The accounts that a caller runs, or may at least look at as a whole. */
const accountsSeenWhole = ({ grants }: Caller): string[] =>
  grants.flatMap((grant) => {
    const { accountId } = grant;
    return accountId !== undefined && may([grant], 'vm_console', { accountId }) ? [accountId] : [];
  });

/** Which users are asked for. */
export interface UserWindow {
  /** Only those who have to do with this account. */
  accountId?: string | undefined;
  username?: string | undefined;
  /** The name that the page begins after. */
  after: string | null;
  limit: number;
}

/** A page of the users whom a caller may see, by name. @returns one more than `limit` where another page follows */
export function pageOfUsers({ database }: Context, caller: Caller, window: UserWindow): Promise<UserRow[]> {
  const isAll = sightOf(caller.grants) === 'everything';
  const sight = isAll ? null : { accountIds: accountsSeenWhole(caller), userId: caller.user?.id ?? null };
  return listUsersInSight(database, sight, window);
}

/**
 * The user whom a caller names by number or name, or by his id.
 * @throws BerthError `not_found` where there is none whom he may see
 */
export async function reachUser(context: Context, caller: Caller, ref: string | { id: string }): Promise<UserRow> {
  const user = typeof ref === 'string' ? await userNamed(context, ref) : await findUser(context.database, ref);
  if (user && (await sees(context, caller, user.id))) return user;
  const name = typeof ref === 'string' ? ref : ref.id;
  throw new BerthError('not_found', `There is no user ${shown(name)}.`, name);
}

/**
 * The user of an id or name, whoever asks: whom one grants something to, one need not have seen before.
 * @param field what the request calls him
 * @throws BerthError `not_found`
 */
export async function requireAnyUser(
  { database }: Context,
  by: { id: string } | { username: string },
  field: string,
): Promise<UserRow> {
  const user = await findUser(database, by);
  if (user) return user;
  throw new BerthError('not_found', `There is no user ${shown(Object.values(by)[0])}.`, field);
}

/** The user of a number or name, whoever asks. */
export function userNamed({ database }: Context, ref: string): Promise<UserRow | undefined> {
  const reference = parseReference(ref);
  return findUser(database, typeof reference === 'bigint' ? { number: reference } : { username: reference });
}

async function sees(context: Context, caller: Caller, userId: string): Promise<boolean> {
  if (caller.user?.id === userId || sightOf(caller.grants) === 'everything') return true;
  const accountIds = await accountsOf(context.database, userId);
  return accountIds.some((accountId) => may(caller.grants, 'vm_console', { accountId }));
}

/**
 * Holds a caller to be the user himself, in a session, or an operator of the cluster who is above him.
 * @throws BerthError `forbidden`
 */
export async function requireRightOver(
  context: Context,
  caller: Caller,
  user: { id: string; username: string },
): Promise<void> {
  if (caller.user?.id === user.id && caller.apiKeyId === null) return;
  const own = clusterLevelOf(caller.grants);
  const theirs = clusterLevelOf(await allGrantsOf(context, user.id));
  if (own !== null && (theirs === null || mayChange([{ level: own }], { level: theirs }))) return;
  throw new BerthError(
    'forbidden',
    `Only ${user.username} in a session of their own may do this, or who runs the cluster.`,
  );
}

/**
 * Changes the public SSH keys of a user.
 * @param authorizedKeys a key a line, as in the file of this name; undefined leaves them as they are
 * @throws BerthError `forbidden`, `invalid_value`
 */
export async function changeUser(
  context: Context,
  caller: Caller,
  user: UserRow,
  authorizedKeys: string | undefined,
): Promise<UserRow> {
  await requireRightOver(context, caller, user);
  if (authorizedKeys === undefined) return user;
  const keys = checkKeys(authorizedKeys);
  await inTransaction(context.database, async (tx) => {
    await updateUser(tx, user.id, { authorizedKeys: keys });
    await tellOfUser(context, tx, caller.actor, user, 'user.keys_set', 'has other SSH keys');
  });
  return { ...user, authorizedKeys: keys };
}

function checkKeys(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const field = 'authorized_keys';
  if (lines.length > sshKeysMax) {
    throw new InvalidFields({ [field]: [`is too long (maximum is ${sshKeysMax} keys)`] });
  }
  return [...new Set(lines.map((line) => checkPublicKey(line, field)))];
}

/**
 * Removes a user with his sessions, keys and privileges. Nobody removes himself: his accounts could be left to nobody.
 * @throws BerthError `forbidden`
 */
export async function removeUserAs(context: Context, caller: Caller, user: UserRow): Promise<void> {
  if (caller.user?.id === user.id) throw new BerthError('forbidden', 'Nobody removes himself; ask the operator.');
  await requireRightOver(context, caller, user);
  await inTransaction(context.database, async (tx) => {
    await tellOfUser(context, tx, caller.actor, user, 'user.removed', 'was removed');
    await deleteUser(tx, user.id);
  });
}

/**
 * Adds a user with a level of the cluster. He can log in when the operator has given him a password. Who is at the top makes
 * his like, since nobody is above.
 * @throws BerthError `forbidden`, `invalid_value`, `name_taken`
 */
export async function addClusterUser(
  context: Context,
  caller: Caller,
  given: { username: string; level: PrivilegeLevel },
  field: string,
): Promise<UserRow> {
  const { level } = given;
  const isAtTop = clusterLevelOf(caller.grants) === 'cluster_su';
  if (!isAtTop && !mayChange(caller.grants, { level })) {
    throw new BerthError('forbidden', `To make a ${level} needs a higher privilege on the cluster.`);
  }
  const username = checkUsername(given.username, field);
  const id = newUuid(context.entropy);
  const createdAt = context.clock.now();
  return inTransaction(context.database, async (tx) => {
    if (!(await insertUser(tx, { id, username, passwordHash: null, now: createdAt }))) {
      throw new InvalidFields({ [field]: ['has already been taken'] });
    }
    await insertPrivilege(tx, {
      ...{ userId: id, grant: { level }, apiKeyId: null, grantedBy: caller.user?.username ?? null, createdAt },
      ...{ passwordRequired: true, secondFactorRequired: false, secondFactorAgeSecondsMax: null, fromAddresses: null },
    });
    const user = await findUser(tx, { id });
    if (!user) throw new Error(`There is no user ${id}.`);
    await tellOfUser(context, tx, caller.actor, user, 'user.added', `was added as ${level}`);
    return user;
  });
}
