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

/** Which key: the one that was shown, by its SHA-256, or one that was shown before. */
export type KeyRef = { secretSha256: Uint8Array } | { id: string };

/** The account that a key acts for at a moment; undefined when there is none, or it was revoked or has expired. */
export async function findPrincipalByKey(
  database: Database,
  by: KeyRef,
  now: Date,
): Promise<{ principal: Principal; key: KeyUse } | undefined> {
  const row = await database
    .selectFrom('api_key')
    .innerJoin('account', 'account.id', 'api_key.account_id')
    .where((eb) => ('id' in by ? eb('api_key.id', '=', by.id) : eb('secret_sha256', '=', by.secretSha256)))
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .select(['account.id', 'account.name', 'api_key.id as key_id', 'api_key.name as key_name', 'scope', 'last_used_at'])
    .executeTakeFirst();
  if (!row) return undefined;
  const { id: accountId, name: accountName, scope } = row;
  const principal = { accountId, accountName, actor: `key:${row.key_name}`, scope };
  return { principal, key: { id: row.key_id, lastUsedAt: row.last_used_at } };
}

/** When a key was used last, as far as it was noted. */
export interface KeyUse {
  id: string;
  lastUsedAt: Date | null;
}

/** Notes that a key is used, where nothing newer than `since` is noted. */
export async function noteUse(database: Database, id: string, now: Date, since: Date): Promise<void> {
  await database
    .updateTable('api_key')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', since)]))
    .execute();
}

/** The user whose key this is at a moment; undefined when there is none, or it has expired. */
export async function findUserByKey(
  database: Database,
  by: KeyRef,
  now: Date,
): Promise<(KeyUse & { label: string; userId: string; username: string }) | undefined> {
  const row = await database
    .selectFrom('api_key')
    .innerJoin('user', 'user.id', 'api_key.user_id')
    .where((eb) => ('id' in by ? eb('api_key.id', '=', by.id) : eb('secret_sha256', '=', by.secretSha256)))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
    .select(['api_key.id', 'name', 'user_id', 'username', 'last_used_at'])
    .executeTakeFirst();
  if (!row) return undefined;
  const { id, name: label, username, last_used_at: lastUsedAt } = row;
  return { id, label, userId: row.user_id as string, username, lastUsedAt };
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
  /** Noted once an hour at most. */
  lastUsedAt: Date | null;
}

const columns = ['id', 'name', 'scope', 'created_at', 'expires_at', 'revoked_at', 'last_used_at'] as const;

/** Writes a key. */
export async function insertApiKey(
  tx: Tx,
  accountId: string,
  key: Omit<ApiKeyRow, 'revokedAt' | 'lastUsedAt'> & { secretSha256: Uint8Array },
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
    lastUsedAt: row.last_used_at,
  }));
}

/** Forgets an account's keys that have ended, but for those that were made last. */
export async function forgetEndedKeys(tx: Tx, accountId: string, now: Date, but: number): Promise<void> {
  await tx
    .deleteFrom('api_key')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('api_key')
        .where('account_id', '=', accountId)
        .where(({ eb: is, or }) => or([is('revoked_at', 'is not', null), is('expires_at', '<=', now)]))
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .offset(but)
        .select('id'),
    )
    .execute();
}

/** The account whose key this is; undefined where there is none, or it is a user's. */
export async function findKeyAccount(database: Database, id: string): Promise<string | undefined> {
  const row = await database.selectFrom('api_key').where('id', '=', id).select('account_id').executeTakeFirst();
  return row?.account_id ?? undefined;
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
