// Tickets for instances' doors, by their SHA-256. In the database, so that every server knows them.

import type { Door, ExecOrder } from '../model/door.ts';
import type { Database } from './database.ts';

/** A ticket, and who has asked for it: in a session, or with a key. */
export interface DoorTicket {
  instanceId: string;
  door: Door;
  sessionId: string | null;
  apiKeyId: string | null;
  exec: ExecOrder | null;
}

/** Writes a ticket. */
export async function insertTicket(
  database: Database,
  row: DoorTicket & { sha256: Uint8Array; expiresAt: Date },
): Promise<void> {
  await database
    .insertInto('door_ticket')
    .values({
      ...{ sha256: row.sha256, instance_id: row.instanceId, door: row.door, expires_at: row.expiresAt },
      ...{ session_id: row.sessionId, api_key_id: row.apiKeyId, exec: row.exec && JSON.stringify(row.exec) },
    })
    .execute();
}

/** Uses a ticket up; undefined where there is none for this door of this instance, or it has expired. */
export async function takeTicket(
  database: Database,
  { sha256, instanceId, door }: { sha256: Uint8Array; instanceId: string; door: Door },
  now: Date,
): Promise<DoorTicket | undefined> {
  const row = await database
    .deleteFrom('door_ticket')
    .where('sha256', '=', sha256)
    .where('instance_id', '=', instanceId)
    .where('door', '=', door)
    .where('expires_at', '>', now)
    .returning(['session_id', 'api_key_id', 'exec'])
    .executeTakeFirst();
  return row && { instanceId, door, sessionId: row.session_id, apiKeyId: row.api_key_id, exec: row.exec };
}

/** Forgets tickets that nobody has used. */
export async function forgetTickets(database: Database, now: Date): Promise<void> {
  await database.deleteFrom('door_ticket').where('expires_at', '<=', now).execute();
}
