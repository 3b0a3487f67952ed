// Users: people who may act for an account. Names are one space for all accounts, as nobody names an account to log in.

import type { Database, Tx } from './database.ts';

/** A user as an operator may see it. */
export interface UserRow {
  id: string;
  accountId: string;
  accountName: string;
  username: string;
  createdAt: Date;
}

/** Writes a user. @returns false when the name is taken */
export async function insertUser(
  tx: Tx,
  row: { id: string; accountId: string; username: string; passwordHash: string; now: Date },
): Promise<boolean> {
  const written = await tx
    .insertInto('user')
    .values({
      id: row.id,
      account_id: row.accountId,
      username: row.username,
      password_hash: row.passwordHash,
      created_at: row.now,
    })
    .onConflict((conflict) => conflict.column('username').doNothing())
    .returning('id')
    .executeTakeFirst();
  return written !== undefined;
}

/** Users, of one account or of all, by their names. */
export async function listUsers(database: Database, accountId: string | null): Promise<UserRow[]> {
  let query = database.selectFrom('user').innerJoin('account', 'account.id', 'user.account_id');
  if (accountId !== null) query = query.where('account_id', '=', accountId);
  const rows = await query
    .select(['user.id', 'account_id', 'account.name', 'username', 'user.created_at'])
    .orderBy('username')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    accountId: row.account_id,
    accountName: row.name,
    username: row.username,
    createdAt: row.created_at,
  }));
}

/** Gives a user another password. @returns the user's account, or undefined when there is no such user */
export async function updatePassword(tx: Tx, username: string, passwordHash: string): Promise<string | undefined> {
  const row = await tx
    .updateTable('user')
    .set({ password_hash: passwordHash })
    .where('username', '=', username)
    .returning('account_id')
    .executeTakeFirst();
  return row?.account_id;
}

/** Removes a user. @returns the user's account, or undefined when there is no such user */
export async function deleteUser(tx: Tx, username: string): Promise<string | undefined> {
  const row = await tx.deleteFrom('user').where('username', '=', username).returning('account_id').executeTakeFirst();
  return row?.account_id;
}
