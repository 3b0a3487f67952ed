// API keys of users. What each may do stands in privilege.ts.

import type { Database, Tx } from './database.ts';

/** A user's key without its secret. */
export interface UserKeyRow {
  id: string;
  number: bigint;
  userId: string;
  userNumber: bigint;
  username: string;
  label: string;
  createdAt: Date;
  expiresAt: Date | null;
  /** Noted once an hour at most. */
  lastUsedAt: Date | null;
}

const keys = (database: Database) =>
  database
    .selectFrom('api_key')
    .innerJoin('user', 'user.id', 'api_key.user_id')
    .select(['api_key.id', 'api_key.number', 'user.id as user_id', 'user.number as user_number', 'username'])
    .select(['api_key.name', 'api_key.created_at', 'expires_at', 'last_used_at']);

const toKey = (row: Awaited<ReturnType<ReturnType<typeof keys>['executeTakeFirstOrThrow']>>): UserKeyRow => ({
  id: row.id,
  number: row.number,
  userId: row.user_id,
  userNumber: row.user_number,
  username: row.username,
  label: row.name,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});

/** A user's keys, oldest first. */
export async function listUserKeys(database: Database, userId: string): Promise<UserKeyRow[]> {
  return (await keys(database).where('user.id', '=', userId).orderBy('api_key.number').execute()).map(toKey);
}

/** One user's key. */
export async function findUserKey(
  database: Database,
  by: { id: string } | { number: bigint },
): Promise<UserKeyRow | undefined> {
  const query = keys(database);
  const found = 'id' in by ? query.where('api_key.id', '=', by.id) : query.where('api_key.number', '=', by.number);
  const row = await found.executeTakeFirst();
  return row && toKey(row);
}

/** Writes a key. */
export async function insertUserKey(
  tx: Tx,
  row: { id: string; userId: string; label: string; secretSha256: Uint8Array; createdAt: Date; expiresAt: Date | null },
): Promise<void> {
  await tx
    .insertInto('api_key')
    .values({
      id: row.id,
      account_id: null,
      user_id: row.userId,
      name: row.label,
      secret_sha256: row.secretSha256,
      created_at: row.createdAt,
      expires_at: row.expiresAt,
      revoked_at: null,
    })
    .execute();
}

/** Removes a key with what was granted to it. */
export async function deleteUserKey(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('api_key').where('id', '=', id).execute();
}
