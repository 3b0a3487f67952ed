// Sessions by the SHA-256 of their tokens. In the database, so that every server knows them.

import { sql } from 'kysely';
import type { Factor } from '../model/session.ts';
import type { Database, Tx } from './database.ts';

/** A session that has not ended. */
export interface SessionRow {
  userId: string;
  username: string;
  factors: Factor[];
  authenticatedAt: Date;
  validitySeconds: number;
  expiresAt: Date;
}

/** Writes a session. */
export async function insertSession(
  database: Database,
  row: Omit<SessionRow, 'username'> & { tokenSha256: Uint8Array; impersonatorId: string | null },
): Promise<void> {
  await database
    .insertInto('session')
    .values({
      token_sha256: row.tokenSha256,
      user_id: row.userId,
      factors: row.factors,
      authenticated_at: row.authenticatedAt,
      impersonator_id: row.impersonatorId,
      validity_seconds: row.validitySeconds,
      expires_at: row.expiresAt,
    })
    .execute();
}

/** The session of a token. Who acts as another does so as long as he has a level of the cluster. */
export async function findSession(
  database: Database,
  tokenSha256: Uint8Array,
  now: Date,
): Promise<SessionRow | undefined> {
  const row = await database
    .selectFrom('session')
    .innerJoin('user', 'user.id', 'session.user_id')
    .where('token_sha256', '=', tokenSha256)
    .where('expires_at', '>', now)
    .where(
      sql<boolean>`(impersonator_id is null or exists (select from privilege where privilege.user_id = impersonator_id
        and api_key_id is null and level in ('cluster_admin', 'cluster_su')))`,
    )
    .select(['user_id', 'username', 'factors', 'authenticated_at', 'validity_seconds', 'expires_at'])
    .executeTakeFirst();
  return (
    row && {
      userId: row.user_id,
      username: row.username,
      factors: row.factors as Factor[],
      authenticatedAt: row.authenticated_at,
      validitySeconds: row.validity_seconds,
      expiresAt: row.expires_at,
    }
  );
}

/** Puts a session's end off. */
export async function extendSession(database: Database, tokenSha256: Uint8Array, expiresAt: Date): Promise<void> {
  await database
    .updateTable('session')
    .set({ expires_at: expiresAt })
    .where('token_sha256', '=', tokenSha256)
    .where('expires_at', '<', expiresAt)
    .execute();
}

/** Ends a user's sessions, and those in which he acts as others. */
export async function endSessions(tx: Tx, userId: string): Promise<void> {
  await tx
    .deleteFrom('session')
    .where((eb) => eb.or([eb('user_id', '=', userId), eb('impersonator_id', '=', userId)]))
    .execute();
}

/** Forgets sessions that ended before. */
export async function forgetSessions(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('session').where('expires_at', '<=', before).execute();
}
