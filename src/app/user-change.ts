// Users as the API makes and changes them: who runs an account adds users who may do less than himself, and everybody changes his
// own password and mail address.

import { checkEmail, checkUsername } from '../model/account.ts';
import { BerthError, InvalidFields } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { checkPassword, hashPasswordAside, newPassword } from '../model/password.ts';
import { clusterLevelOf, type Grant, mayAs } from '../model/privilege.ts';
import { inTransaction } from '../store/database.ts';
import { endSessions } from '../store/session.ts';
import { findUser, insertUser, listUsers, updateUser } from '../store/user.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';
import { grantPrivilege } from './privilege.ts';
import { type Proof, requirePassword } from './second-factor.ts';
import { changeUser, requireRightOver, type UserRow } from './user-directory.ts';
import { tellOfUser } from './user-event.ts';

/** Nobody is asked about users whom an account adds; more than this is a matter for who runs the whole. */
const usersOfAccountMax = 1_000;

/** Whom to add. */
export interface NewUser {
  username: string;
  email: string | null;
  /** Null for one that is made. */
  password: string | null;
  /** What he begins with. */
  grants: readonly Grant[];
}

/** A password that a user is to have, and the slow hash of it. */
export interface HashedPassword {
  password: string;
  hash: string;
  /** Whether it was made here: then its user has to be told. */
  isMade: boolean;
}

/**
 * Hashes the password of a user who may be added, in no transaction: it takes as long as many of them.
 * @throws BerthError `forbidden`, `invalid_value`; InvalidFields
 */
export async function hashForNewUser(
  context: Context,
  caller: Caller,
  { username, email, password, grants }: NewUser,
): Promise<HashedPassword> {
  await requireRightToAdd(context, caller, grants);
  const given = password === null ? newPassword(context.entropy) : checkPassword(password, 'password');
  checkUsername(username, 'username');
  if (email !== null) checkEmail(email, 'email');
  return { password: given, hash: await hashPasswordAside(given, context.entropy), isMade: password === null };
}

/**
 * Adds a user with privileges. Who runs the whole may do so without any.
 * @param hashed his password, by {@link hashForNewUser}
 * @returns the user, and his password where it was made here; it is kept nowhere
 * @throws BerthError `forbidden`, `invalid_value`; InvalidFields
 */
export async function addUserAs(
  context: Context,
  caller: Caller,
  { username, email, grants }: NewUser,
  { password, hash: passwordHash, isMade }: HashedPassword,
): Promise<{ user: UserRow; password: string | null }> {
  // Looked at again: what he may have changed since his password was hashed.
  await requireRightToAdd(context, caller, grants);
  const id = newUuid(context.entropy);
  const row = { id, username: checkUsername(username, 'username'), now: context.clock.now() };
  const checkedEmail = email === null ? null : checkEmail(email, 'email');
  return inTransaction(context.database, async (tx) => {
    if (!(await insertUser(tx, { ...row, passwordHash }))) {
      throw new InvalidFields({ username: ['has already been taken'] });
    }
    await updateUser(tx, id, { email: checkedEmail });
    const terms = { secondFactorRequired: false, secondFactorAgeSecondsMax: null, fromAddresses: null };
    for (const grant of grants) {
      const request = { userId: id, grant, apiKey: null, terms: { ...terms, passwordRequired: true } };
      await grantPrivilege({ ...context, database: tx }, caller, request);
    }
    const user = await findUser(tx, { id });
    if (!user) throw new Error(`There is no user ${id}.`);
    await tellOfUser(context, tx, caller.actor, user, 'user.added', 'was added');
    return { user, password: isMade ? password : null };
  });
}

async function requireRightToAdd({ database }: Context, caller: Caller, grants: readonly Grant[]): Promise<void> {
  if (clusterLevelOf(caller.grants) !== null) return;
  const accountIds = [...new Set(grants.flatMap(({ accountId }) => accountId ?? []))];
  const runsAll = accountIds.every((accountId) => mayAs(caller.grants, 'account_admin', { accountId }));
  if (accountIds.length === 0 || !runsAll) {
    const message = 'To add a user, give them privileges in an account that you run.';
    throw new BerthError('forbidden', message);
  }
  for (const accountId of accountIds) {
    if ((await listUsers(database, [accountId])).length < usersOfAccountMax) continue;
    throw new InvalidFields({ base: [`an account has at most ${usersOfAccountMax} users`] });
  }
}

/** What to change of a user; what is undefined stays as it is. */
export interface UserChange {
  email: string | null | undefined;
  authorizedKeys: readonly string[] | undefined;
  password: string | undefined;
  /** The password that he has, where he changes it himself. */
  currentPassword: string | undefined;
}

/**
 * Changes a user: himself, or as an operator who is above him. Another password ends his other sessions.
 * @throws BerthError `forbidden`, `invalid_value`, `too_many_requests`
 */
export async function changeUserAs(
  context: Context,
  caller: Caller,
  user: UserRow,
  { email, authorizedKeys, password, currentPassword }: UserChange,
  proof: Proof,
): Promise<UserRow> {
  await requireRightOver(context, caller, user);
  if (password !== undefined) await setPassword(context, caller, user, { password, currentPassword }, proof);
  if (email !== undefined) {
    const checked = email === null ? null : checkEmail(email, 'email');
    await inTransaction(context.database, async (tx) => {
      await updateUser(tx, user.id, { email: checked });
      await tellOfUser(context, tx, caller.actor, user, 'user.email_set', 'has another mail address');
    });
  }
  await changeUser(context, caller, user, authorizedKeys?.join('\n'));
  return (await findUser(context.database, { id: user.id })) ?? user;
}

async function setPassword(
  context: Context,
  caller: Caller,
  user: UserRow,
  { password, currentPassword }: { password: string; currentPassword: string | undefined },
  proof: Proof,
): Promise<void> {
  const isOwn = caller.user?.id === user.id;
  checkPassword(password, 'password');
  if (isOwn) await requirePassword(proof, user, currentPassword ?? '');
  const passwordHash = await hashPasswordAside(password, context.entropy);
  await inTransaction(context.database, async (tx) => {
    await updateUser(tx, user.id, { passwordHash });
    await endSessions(tx, user.id, isOwn ? caller.sessionId : undefined);
    await tellOfUser(context, tx, caller.actor, user, 'user.password_set', 'got another password');
  });
}
