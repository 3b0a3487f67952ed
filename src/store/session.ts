// Sessions by the SHA-256 of their tokens. In the database, so that every server knows them.

import { sql } from 'kysely';
import type { Factor } from '../model/session.ts';
import type { Database, Tx } from './database.ts';

/** A session that has not ended. */
export interface SessionRow {
  id: string;
  userId: string;
  username: string;
  factors: Factor[];
  authenticatedAt: Date;
  validitySeconds: number;
  expiresAt: Date;
  /** Where it was opened, and by what; null where it isn't known. */
  fromAddress: string | null;
  userAgent: string | null;
}

/** Writes a session. */
export async function insertSession(
  database: Database,
  row: Omit<SessionRow, 'username'> & { tokenSha256: Uint8Array; impersonatorId: string | null },
): Promise<void> {
  await database
    .insertInto('session')
    .values({
      id: row.id,
      token_sha256: row.tokenSha256,
      user_id: row.userId,
      factors: row.factors,
      authenticated_at: row.authenticatedAt,
      impersonator_id: row.impersonatorId,
      validity_seconds: row.validitySeconds,
      expires_at: row.expiresAt,
      from_address: row.fromAddress,
      user_agent: row.userAgent,
    })
    .execute();
}

/** Sessions that have not ended. Who acts as another does so as long as he has a level of the cluster. */
const sessions = (database: Database, now: Date) =>
  database
    .selectFrom('session')
    .innerJoin('user', 'user.id', 'session.user_id')
    .where('expires_at', '>', now)
    .where(
      sql<boolean>`(impersonator_id is null or exists (select from privilege where privilege.user_id = impersonator_id
        and api_key_id is null and level in ('cluster_admin', 'cluster_su')))`,
    )
    .select(['session.id', 'user_id', 'username', 'factors', 'authenticated_at', 'validity_seconds', 'expires_at'])
    .select(['from_address', 'user_agent']);

const toSession = (row: Awaited<ReturnType<ReturnType<typeof sessions>['executeTakeFirstOrThrow']>>): SessionRow => ({
  id: row.id,
  userId: row.user_id,
  username: row.username,
  factors: row.factors as Factor[],
  authenticatedAt: row.authenticated_at,
  validitySeconds: row.validity_seconds,
  expiresAt: row.expires_at,
  fromAddress: row.from_address,
  userAgent: row.user_agent,
});

/** The session of a token, or of an id. */
export async function findSession(
  database: Database,
  by: { tokenSha256: Uint8Array } | { id: string },
  now: Date,
): Promise<SessionRow | undefined> {
  const query = sessions(database, now);
  const found = 'id' in by ? query.where('session.id', '=', by.id) : query.where('token_sha256', '=', by.tokenSha256);
  const row = await found.executeTakeFirst();
  return row && toSession(row);
}

/** A user's sessions, the newest first. */
export async function listSessions(database: Database, userId: string, now: Date): Promise<SessionRow[]> {
  const rows = await sessions(database, now)
    .where('user_id', '=', userId)
    .orderBy('authenticated_at', 'desc')
    .orderBy('session.id')
    .execute();
  return rows.map(toSession);
}

/** Ends a session. */
export async function deleteSession(database: Database, id: string): Promise<void> {
  await database.deleteFrom('session').where('id', '=', id).execute();
}

/** Ends a user's oldest sessions. @param but so many of the newest stay */
export async function endOldest(database: Database, userId: string, but: number): Promise<void> {
  await database
    .deleteFrom('session')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('session')
        .where('user_id', '=', userId)
        .orderBy('authenticated_at', 'desc')
        .orderBy('id')
        .offset(but)
        .select('id'),
    )
    .execute();
}

/** Puts a session's end off. */
export async function extendSession(database: Database, id: string, expiresAt: Date): Promise<void> {
  await database
    .updateTable('session')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .where('expires_at', '<', expiresAt)
    .execute();
}

/** Ends a user's sessions, and those in which he acts as others. @param but the id of one that stays */
export async function endSessions(tx: Tx, userId: string, but?: string): Promise<void> {
  let query = tx
    .deleteFrom('session')
    .where((eb) => eb.or([eb('user_id', '=', userId), eb('impersonator_id', '=', userId)]));
  if (but !== undefined) query = query.where('id', '<>', but);
  await query.execute();
}

/** Forgets sessions that ended before. */
export async function forgetSessions(database: Database, before: Date): Promise<void> {
  await database.deleteFrom('session').where('expires_at', '<=', before).execute();
}
