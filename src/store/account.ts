// Accounts, and what proves that somebody may act for one: API keys by their hashes, users by their passwords' hashes.

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

/** Makes sure of an account with this name. @returns its id, new or not */
export async function ensureAccount(tx: Tx, row: { id: string; name: string; now: Date }): Promise<string> {
  await tx
    .insertInto('account')
    .values({ id: row.id, name: row.name, created_at: row.now })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const found = await tx.selectFrom('account').where('name', '=', row.name).select('id').executeTakeFirstOrThrow();
  return found.id;
}

/** Makes sure of a user of an account; an existing one keeps its password. */
export async function ensureUser(
  tx: Tx,
  row: { id: string; accountId: string; username: string; passwordHash: string; now: Date },
): Promise<void> {
  await tx
    .insertInto('user')
    .values({
      id: row.id,
      account_id: row.accountId,
      username: row.username,
      password_hash: row.passwordHash,
      created_at: row.now,
    })
    .onConflict((conflict) => conflict.column('username').doNothing())
    .execute();
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
