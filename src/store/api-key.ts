// Accounts' API keys by their SHA-256, and whom each acts for; and whose a user's key is. More of users' keys stands in
// user-api-key.ts.

import type { KeyScope } from '../model/api-key.ts';
import type { Database, Tx } from './database.ts';

/** Who a request acts for. */
export interface Principal {
  accountId: string;
  accountName: string;
  /** How the actor is named in events, such as `key:default`. */
  actor: string;
  scope: KeyScope;
}

/** The account that a key, given by its SHA-256, acts for at a moment; undefined when there is none, or it was revoked or has expired. */
export async function findPrincipalByKey(
  database: Database,
  secretSha256: Uint8Array,
  now: Date,
): Promise<Principal | undefined> {
  const row = await database
    .selectFrom('api_key')
    .innerJoin('account', 'account.id', 'api_key.account_id')
    .where('secret_sha256', '=', secretSha256)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .select(['account.id', 'account.name', 'api_key.name as key_name', 'scope'])
    .executeTakeFirst();
  return row && { accountId: row.id, accountName: row.name, actor: `key:${row.key_name}`, scope: row.scope };
}

/** The user whose key this is at a moment, given by its SHA-256; undefined when there is none, or it has expired. */
export async function findUserByKey(
  database: Database,
  secretSha256: Uint8Array,
  now: Date,
): Promise<{ id: string; label: string; userId: string; username: string } | undefined> {
  const row = await database
    .selectFrom('api_key')
    .innerJoin('user', 'user.id', 'api_key.user_id')
    .where('secret_sha256', '=', secretSha256)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .select(['api_key.id', 'name', 'user_id', 'username'])
    .executeTakeFirst();
  return row && { id: row.id, label: row.name, userId: row.user_id as string, username: row.username };
}

/** Makes sure that an API key, given by its SHA-256, acts for an account. */
export async function ensureApiKey(
  tx: Tx,
  row: { id: string; accountId: string; name: string; secretSha256: Uint8Array; now: Date },
): Promise<void> {
  await tx
    .insertInto('api_key')
    .values({
      id: row.id,
      account_id: row.accountId,
      name: row.name,
      secret_sha256: row.secretSha256,
      created_at: row.now,
      revoked_at: null,
    })
    .onConflict((conflict) => conflict.column('secret_sha256').doNothing())
    .execute();
}

/** A key as its owner may see it. */
export interface ApiKeyRow {
  id: string;
  name: string;
  scope: KeyScope;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
}

const columns = ['id', 'name', 'scope', 'created_at', 'expires_at', 'revoked_at'] as const;

/** Writes a key. */
export async function insertApiKey(
  tx: Tx,
  accountId: string,
  key: Omit<ApiKeyRow, 'revokedAt'> & { secretSha256: Uint8Array },
): Promise<void> {
  await tx
    .insertInto('api_key')
    .values({
      id: key.id,
      account_id: accountId,
      name: key.name,
      secret_sha256: key.secretSha256,
      scope: key.scope,
      created_at: key.createdAt,
      expires_at: key.expiresAt,
      revoked_at: null,
    })
    .execute();
}

/** An account's keys, oldest first. */
export async function listApiKeys(database: Database, accountId: string): Promise<ApiKeyRow[]> {
  const rows = await database
    .selectFrom('api_key')
    .where('account_id', '=', accountId)
    .select(columns)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    scope: row.scope,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }));
}

/** Ends a key. */
export async function revokeApiKey(tx: Tx, id: string, now: Date): Promise<void> {
  await tx
    .updateTable('api_key')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
}
