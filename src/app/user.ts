// Users by the operator's hand. Passwords are kept as hashes, the secret of a second factor is sealed.

import { checkUsername } from '../model/account.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { checkPassword, hashPassword, newPassword } from '../model/password.ts';
import { newTotpSecret, totpUri } from '../model/totp.ts';
import { type Database, inTransaction, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { insertPrivilege, listPrivileges } from '../store/privilege.ts';
import { endSessions } from '../store/session.ts';
import * as store from '../store/user.ts';
import type { Context } from './context.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';
import { tellOfUser } from './user-event.ts';

/** What an app shows beside the code. */
export const totpIssuer = 'Berth';

/** A user with the names of the accounts that he has privileges on, or on anything in. */
export type UserRow = store.UserRow & { accounts: string[] };

/** Users by name: all, or those who have a privilege on an account or on anything in it. */
export async function listUsers(context: Context, accountId: string | null): Promise<UserRow[]> {
  const users = await store.listUsers(context.database, accountId === null ? null : [accountId]);
  const privileges = await listPrivileges(context.database, {});
  return users.map((user) => ({
    ...user,
    accounts: [
      ...new Set(privileges.flatMap((one) => (one.user.id === user.id && one.account ? [one.account.name] : []))),
    ],
  }));
}

/**
 * Adds a user who may do everything with an account.
 * @param given without a password, the user gets a random one
 * @returns the password, which is kept nowhere
 * @throws BerthError `invalid_value`, `name_taken`
 */
export async function addUser(
  context: Context,
  accountId: string,
  given: { username: string; password: string | null },
  fields: { username: string; password: string },
): Promise<string> {
  const username = checkUsername(given.username, fields.username);
  const password = passwordOf(context, given.password, fields.password);
  const passwordHash = hashPassword(password, context.entropy);
  const row = { id: newUuid(context.entropy), username, passwordHash, now: context.clock.now() };
  await inTransaction(context.database, async (tx) => {
    if (!(await insertAccountUser(tx, accountId, row))) {
      throw new BerthError('name_taken', `There is a user ${shown(username)} already.`, fields.username);
    }
    const message = `User ${username} was added.`;
    await insertEvents(tx, [operatorEvent(context, 'user.added', message, { accountId, data: { username } })]);
  });
  return password;
}

/** Writes a user who may do everything with an account. @returns false when the name is taken */
export async function insertAccountUser(
  tx: Tx,
  accountId: string,
  row: { id: string; username: string; passwordHash: string; now: Date },
): Promise<boolean> {
  if (!(await store.insertUser(tx, row))) return false;
  await insertPrivilege(tx, {
    ...{ userId: row.id, grant: { level: 'account_admin', accountId }, apiKeyId: null, grantedBy: null },
    ...{ passwordRequired: true, secondFactorRequired: false, secondFactorAgeSecondsMax: null, fromAddresses: null },
    createdAt: row.now,
  });
  return true;
}

/**
 * Gives a user another password, a random one where none is given, and ends his sessions.
 * @returns the password, which is kept nowhere
 * @throws BerthError `invalid_value`, `not_found`
 */
export async function setPassword(
  context: Context,
  username: string,
  given: string | null,
  field: string,
): Promise<string> {
  const password = passwordOf(context, given, field);
  const passwordHash = hashPassword(password, context.entropy);
  await change(context, username, 'user.password_set', 'got another password', async (tx, { id }) => {
    await store.updateUser(tx, id, { passwordHash });
    await endSessions(tx, id);
  });
  return password;
}

/**
 * Gives a user a second factor in place of what he has, and ends his sessions.
 * @returns the URI for his authenticator app, which is shown once
 * @throws BerthError `not_found`
 */
export async function addSecondFactor(context: Context, username: string): Promise<string> {
  const secret = newTotpSecret(context.entropy);
  const totpSealed = context.vault.seal(secret);
  await change(context, username, 'user.second_factor_set', 'got a second factor', async (tx, { id }) => {
    await store.updateUser(tx, id, { totpSealed });
    await endSessions(tx, id);
  });
  return totpUri(secret, totpIssuer, username);
}

/**
 * Takes a user's second factor away, such as one whose phone is lost.
 * @throws BerthError `not_found`
 */
export async function removeSecondFactor(context: Context, username: string): Promise<void> {
  await change(context, username, 'user.second_factor_removed', 'has no second factor any more', async (tx, { id }) => {
    await store.updateUser(tx, id, { totpSealed: null });
    await endSessions(tx, id);
  });
}

/**
 * Removes a user with his sessions, keys and privileges. Accounts and their own keys stay.
 * @throws BerthError `not_found`
 */
export async function removeUser(context: Context, username: string): Promise<void> {
  await change(context, username, 'user.removed', 'was removed', (tx, { id }) => store.deleteUser(tx, id));
}

/**
 * One user.
 * @throws BerthError `not_found`
 */
export async function requireUser(database: Database, username: string): Promise<store.UserRow> {
  const user = await store.findUser(database, { username });
  if (!user) throw unknownName('user', username);
  return user;
}

/** Changes a user, and tells of it. @param what as it follows his name */
async function change(
  context: Context,
  username: string,
  kind: string,
  what: string,
  make: (tx: Tx, user: store.UserRow) => Promise<void>,
): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const user = await requireUser(tx, username);
    await tellOfUser(context, tx, operatorActor, user, kind, what);
    await make(tx, user);
  });
}

function passwordOf(context: Context, given: string | null, field: string): string {
  return given === null ? newPassword(context.entropy) : checkPassword(given, field);
}
