// Consoles that somebody opens or has open: how a person's server tells a host of it, and how other servers find that server.

import { sql } from 'kysely';
import type { ConsoleChannel } from '../model/console.ts';
import type { ExecOrder } from '../model/door.ts';
import type { Database, Tx } from './database.ts';

/** Any number does, as long as every replica takes the same. */
const openingLock = 4_242_013;

/** A console that is to be opened. */
export interface NewConsole {
  id: string;
  hostId: string;
  instanceId: string;
  channel: ConsoleChannel;
  /** What is to be run, where it is a command. */
  exec: ExecOrder | null;
  serverUrl: string;
  ticket: string;
  expiresAt: Date;
}

/** A console as its host is told of it. */
export type OfferedConsole = Omit<NewConsole, 'hostId' | 'expiresAt'>;

/** How many consoles a VM has open. Until the transaction ends nobody else opens one. */
export async function countConsoles(tx: Tx, instanceId: string, now: Date): Promise<number> {
  await sql`select pg_advisory_xact_lock(${openingLock})`.execute(tx);
  const row = await tx
    .selectFrom('console')
    .where('instance_id', '=', instanceId)
    .where('expires_at', '>', now)
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Writes a console, for its host to be told of. */
export async function insertConsole(tx: Tx, row: NewConsole): Promise<void> {
  await tx
    .insertInto('console')
    .values({
      id: row.id,
      host_id: row.hostId,
      instance_id: row.instanceId,
      channel: row.channel,
      exec: row.exec && JSON.stringify(row.exec),
      server_url: row.serverUrl,
      ticket: row.ticket,
      offered_at: null,
      expires_at: row.expiresAt,
    })
    .execute();
}

/** A host's consoles that it has not answered, and that it was not told of since `offeredBefore`. It counts as told now. */
export async function offerConsoles(
  database: Database,
  hostId: string,
  now: Date,
  offeredBefore: Date,
): Promise<OfferedConsole[]> {
  const rows = await database
    .updateTable('console')
    .set({ offered_at: now })
    .where('host_id', '=', hostId)
    .where('answered', '=', false)
    .where('expires_at', '>', now)
    .where(({ or, eb }) => or([eb('offered_at', 'is', null), eb('offered_at', '<', offeredBefore)]))
    .returning(['id', 'instance_id', 'channel', 'exec', 'server_url', 'ticket'])
    .execute();
  return rows.map(({ id, instance_id, channel, exec, server_url, ticket }) => ({
    ...{ id, channel, exec, ticket },
    ...{ instanceId: instance_id, serverUrl: server_url },
  }));
}

/** Which server waits for a host's answer; undefined where none does, or the ticket is another's. */
export async function findConsoleServer(
  database: Database,
  id: string,
  ticket: string,
  now: Date,
): Promise<string | undefined> {
  const row = await database
    .selectFrom('console')
    .where('id', '=', id)
    .where('ticket', '=', ticket)
    .where('expires_at', '>', now)
    .select('server_url')
    .executeTakeFirst();
  return row?.server_url;
}

/** Puts off a console's end; its host has answered, and knows what is to be run. */
export async function renewConsole(database: Database, id: string, expiresAt: Date): Promise<void> {
  await database
    .updateTable('console')
    .set({ answered: true, exec: null, expires_at: expiresAt })
    .where('id', '=', id)
    .execute();
}

/** Closes a console. */
export async function deleteConsole(database: Database, id: string): Promise<void> {
  await database.deleteFrom('console').where('id', '=', id).execute();
}

/** Forgets consoles whose server was killed. */
export async function forgetConsoles(database: Database, now: Date): Promise<void> {
  await database.deleteFrom('console').where('expires_at', '<', now).execute();
}
