// Webhooks as accounts register them. What is told to them is in `webhook-delivery.ts`.

import { sql } from 'kysely';
import type { WebhookEventType } from '../model/webhook.ts';
import type { Database, Tx } from './database.ts';

/** A registration. */
export interface WebhookRow {
  id: string;
  eventType: WebhookEventType;
  callbackUrl: string;
  createdAt: Date;
}

/** A registration that is to be written. */
export interface NewWebhook extends WebhookRow {
  accountId: string;
  hostName: string;
  /** Sealed. */
  secret: Uint8Array;
}

/** An account's registrations, oldest first; with an id only that one. */
export async function listWebhooks(database: Database, accountId: string, id?: string): Promise<WebhookRow[]> {
  let query = database
    .selectFrom('webhook')
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .select(['id', 'event_type', 'callback_url', 'created_at'])
    .orderBy('created_at')
    .orderBy('id');
  if (id !== undefined) query = query.where('id', '=', id);
  const rows = await query.execute();
  return rows.map((row) => ({
    id: row.id,
    eventType: row.event_type,
    callbackUrl: row.callback_url,
    createdAt: row.created_at,
  }));
}

/** Makes registrations of an account wait for one another; what refers to the account does not wait. @returns how many it has */
export async function lockWebhooks(tx: Tx, accountId: string): Promise<number> {
  await sql`select from account where id = ${accountId}::uuid for no key update`.execute(tx);
  const { count } = await tx
    .selectFrom('webhook')
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Writes a registration. */
export async function insertWebhook(tx: Tx, row: NewWebhook): Promise<void> {
  await tx
    .insertInto('webhook')
    .values({
      id: row.id,
      account_id: row.accountId,
      event_type: row.eventType,
      callback_url: row.callbackUrl,
      host_name: row.hostName,
      secret: row.secret,
      created_at: row.createdAt,
    })
    .execute();
}

/**
 * Ends a registration: nothing is delivered to it from now on. Its deliveries are forgotten by {@link forgetRemoved}.
 * @returns what it was, or undefined when the account has no such registration
 */
export async function removeWebhook(tx: Tx, accountId: string, id: string, now: Date): Promise<WebhookRow | undefined> {
  const row = await tx
    .updateTable('webhook')
    .set({ removed_at: now })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .returning(['id', 'event_type', 'callback_url', 'created_at'])
    .executeTakeFirst();
  if (!row) return undefined;
  await tx.deleteFrom('webhook_queue').where('webhook_id', '=', id).execute();
  return { id: row.id, eventType: row.event_type, callbackUrl: row.callback_url, createdAt: row.created_at };
}

/** Forgets deliveries of registrations that were removed, and then these. @returns how many deliveries, at most `limit` */
export async function forgetRemoved(tx: Tx, limit: number): Promise<number> {
  const removed = await tx.selectFrom('webhook').where('removed_at', 'is not', null).select('id').execute();
  const ids = removed.map(({ id }) => id);
  if (ids.length === 0) return 0;
  const result = await tx
    .deleteFrom('webhook_delivery')
    .where('id', 'in', (eb) =>
      eb.selectFrom('webhook_delivery').where('webhook_id', 'in', ids).limit(limit).select('id'),
    )
    .executeTakeFirst();
  const count = Number(result.numDeletedRows);
  if (count < limit) await tx.deleteFrom('webhook').where('id', 'in', ids).execute();
  return count;
}
