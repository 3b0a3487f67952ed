// Users: people. Names are one space for all accounts, as nobody names an account to log in; what they may do stands in
// privilege.ts.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/** A user as he may be shown. */
export interface UserRow {
  id: string;
  number: bigint;
  username: string;
  email: string | null;
  /** Public SSH keys, one each. */
  authorizedKeys: string[];
  hasSecondFactor: boolean;
  createdAt: Date;
}

/** Writes a user. @returns false when the name is taken */
export async function insertUser(
  tx: Tx,
  row: { id: string; username: string; passwordHash: string | null; now: Date },
): Promise<boolean> {
  const written = await tx
    .insertInto('user')
    .values({ id: row.id, username: row.username, password_hash: row.passwordHash, created_at: row.now })
    .onConflict((conflict) => conflict.column('username').doNothing())
    .returning('id')
    .executeTakeFirst();
  return written !== undefined;
}

const users = (database: Database) =>
  database
    .selectFrom('user')
    .select(['id', 'number', 'username', 'email', 'authorized_keys', 'created_at'])
    .select(sql<boolean>`totp_sealed is not null`.as('has_second_factor'));

const toUser = (row: Awaited<ReturnType<ReturnType<typeof users>['executeTakeFirstOrThrow']>>): UserRow => ({
  id: row.id,
  number: row.number,
  username: row.username,
  email: row.email,
  authorizedKeys: row.authorized_keys,
  hasSecondFactor: row.has_second_factor,
  createdAt: row.created_at,
});

/** One user. */
export async function findUser(
  database: Database,
  by: { id: string } | { number: bigint } | { username: string },
): Promise<UserRow | undefined> {
  const [[column, value]] = Object.entries(by) as [['id' | 'number' | 'username', string & bigint]];
  const row = await users(database).where(column, '=', value).executeTakeFirst();
  return row && toUser(row);
}

/** Users by name: all, or those who have a privilege on one of some accounts or on anything in them. */
export async function listUsers(database: Database, accountIds: readonly string[] | null): Promise<UserRow[]> {
  let query = users(database).orderBy('username');
  if (accountIds !== null) {
    query = query.where(
      sql<boolean>`exists (select from privilege join privilege_place on privilege_id = privilege.id
        where privilege.user_id = "user".id and privilege_place.account_id = any(${[...accountIds]}::uuid[]))`,
    );
  }
  return (await query.execute()).map(toUser);
}

/**
 * Users by name, from one on: all, or one himself and those who have a privilege on one of some accounts or on anything in them.
 * @returns at most one more than `limit`
 */
export async function listUsersInSight(
  database: Database,
  sight: { accountIds: readonly string[]; userId: string | null } | null,
  window: { accountId?: string | undefined; username?: string | undefined; after: string | null; limit: number },
): Promise<UserRow[]> {
  const hasToDoWith = (accountIds: readonly string[]) =>
    sql<boolean>`exists (select from privilege join privilege_place on privilege_id = privilege.id
      where privilege.user_id = "user".id and privilege_place.account_id = any(${[...accountIds]}::uuid[]))`;
  const { accountId, username, after, limit } = window;
  let query = users(database)
    .orderBy('username')
    .limit(limit + 1);
  if (sight !== null) {
    query = query.where(({ or, eb }) => or([eb('id', '=', sight.userId), hasToDoWith(sight.accountIds)]));
  }
  if (accountId !== undefined) query = query.where(hasToDoWith([accountId]));
  if (username !== undefined) query = query.where('username', '=', username);
  if (after !== null) query = query.where('username', '>', after);
  return (await query.execute()).map(toUser);
}

/** What a login is checked against. */
export interface CredentialsRow {
  id: string;
  /** Null where the user can't log in. */
  passwordHash: string | null;
  hasSecondFactor: boolean;
}

/** What a user's login is checked against. */
export async function findCredentials(database: Database, username: string): Promise<CredentialsRow | undefined> {
  const row = await database
    .selectFrom('user')
    .where('username', '=', username)
    .select(['id', 'password_hash'])
    .select(sql<boolean>`totp_sealed is not null`.as('has_second_factor'))
    .executeTakeFirst();
  return row && { id: row.id, passwordHash: row.password_hash, hasSecondFactor: row.has_second_factor };
}

/**
 * Whether a user can be logged in with as he was when his credentials were read. Until the transaction ends nobody changes them.
 */
export async function holdCredentials(tx: Tx, { id, passwordHash, hasSecondFactor }: CredentialsRow): Promise<boolean> {
  const row = await tx
    .selectFrom('user')
    .where('id', '=', id)
    .where('password_hash', 'is not distinct from', passwordHash)
    .where(sql<boolean>`(totp_sealed is not null) = ${hasSecondFactor}`)
    .select('id')
    .forShare()
    .executeTakeFirst();
  return row !== undefined;
}

/** A user's second factor, under lock: the sealed secret, and the step of the newest code that was taken. */
export async function lockTotp(
  tx: Tx,
  userId: string,
): Promise<{ sealed: Uint8Array; takenStep: bigint | null } | undefined> {
  const row = await tx
    .selectFrom('user')
    .where('id', '=', userId)
    .select(['totp_sealed', 'totp_step'])
    .forUpdate()
    .executeTakeFirst();
  return row?.totp_sealed ? { sealed: row.totp_sealed, takenStep: row.totp_step } : undefined;
}

/** The sealed secret of a second factor that a user has not confirmed yet, under lock. */
export async function lockPendingTotp(tx: Tx, userId: string): Promise<Uint8Array | null> {
  const row = await tx
    .selectFrom('user')
    .where('id', '=', userId)
    .select('totp_pending_sealed')
    .forUpdate()
    .executeTakeFirst();
  return row?.totp_pending_sealed ?? null;
}

/** Notes the step of a code that was taken. */
export async function updateTotpStep(tx: Tx, userId: string, step: bigint): Promise<void> {
  await tx.updateTable('user').set({ totp_step: step }).where('id', '=', userId).execute();
}

/** What can be changed of a user. */
export interface UserChange {
  passwordHash?: string;
  email?: string | null;
  authorizedKeys?: readonly string[];
  /** A new secret, sealed, or none any more. */
  totpSealed?: Uint8Array | null;
  /** One that is not confirmed yet. */
  totpPendingSealed?: Uint8Array | null;
}

/** Changes a user. */
export async function updateUser(tx: Tx, userId: string, change: UserChange): Promise<void> {
  const { passwordHash, email, authorizedKeys, totpSealed, totpPendingSealed } = change;
  await tx
    .updateTable('user')
    .set({
      ...(passwordHash === undefined ? {} : { password_hash: passwordHash }),
      ...(authorizedKeys === undefined ? {} : { authorized_keys: [...authorizedKeys] }),
      ...(email === undefined ? {} : { email }),
      ...(totpSealed === undefined ? {} : { totp_sealed: totpSealed, totp_step: null }),
      ...(totpPendingSealed === undefined ? {} : { totp_pending_sealed: totpPendingSealed }),
    })
    .where('id', '=', userId)
    .execute();
}

/** Removes a user with all that hangs on him: sessions, keys and privileges. */
export async function deleteUser(tx: Tx, userId: string): Promise<void> {
  await tx.deleteFrom('user').where('id', '=', userId).execute();
}
