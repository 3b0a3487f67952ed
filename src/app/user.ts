// An account's users, by the operator's hand. Passwords are kept as hashes.

import { checkUsername } from '../model/account.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { checkPassword, hashPassword, newPassword } from '../model/password.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import * as store from '../store/user.ts';
import type { Context } from './context.ts';
import { operatorEvent, unknownName } from './operator.ts';

/** Users of one account, or of all, by name. */
export function listUsers(context: Context, accountId: string | null): Promise<store.UserRow[]> {
  return store.listUsers(context.database, accountId);
}

/**
 * Adds a user.
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
  const row = { id: newUuid(context.entropy), accountId, username, passwordHash, now: context.clock.now() };
  await inTransaction(context.database, async (tx) => {
    if (!(await store.insertUser(tx, row))) {
      throw new BerthError('name_taken', `There is a user ${shown(username)} already.`, fields.username);
    }
    const message = `User ${username} was added.`;
    await insertEvents(tx, [operatorEvent(context, 'user.added', message, { accountId, data: { username } })]);
  });
  return password;
}

/**
 * Gives a user another password, a random one where none is given.
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
  await inTransaction(context.database, async (tx) => {
    const accountId = await store.updatePassword(tx, username, passwordHash);
    if (accountId === undefined) throw unknownName('user', username);
    const message = `User ${username} got another password.`;
    await insertEvents(tx, [operatorEvent(context, 'user.password_set', message, { accountId, data: { username } })]);
  });
  return password;
}

/**
 * Removes a user. The account and its keys stay.
 * @throws BerthError `not_found`
 */
export async function removeUser(context: Context, username: string): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const accountId = await store.deleteUser(tx, username);
    if (accountId === undefined) throw unknownName('user', username);
    const message = `User ${username} was removed.`;
    await insertEvents(tx, [operatorEvent(context, 'user.removed', message, { accountId, data: { username } })]);
  });
}

function passwordOf(context: Context, given: string | null, field: string): string {
  return given === null ? newPassword(context.entropy) : checkPassword(given, field);
}
