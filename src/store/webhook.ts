// Webhooks as accounts register them. What is told to them is in `webhook-delivery.ts`.

import { type Selectable, sql } from 'kysely';
import type { WebhookEventType } from '../model/webhook.ts';
import type { Database, Tx } from './database.ts';
import { webhookChannel } from './notify.ts';
import type { Tables } from './tables.ts';

/** A registration. */
export interface WebhookRow {
  id: string;
  accountId: string;
  /** What is told, in the types of one dialect; null where it is told by kinds. */
  eventType: WebhookEventType | null;
  /** What is told, as events are: these kinds and those below them, or `*`; null where it is told by a type. */
  kinds: string[] | null;
  callbackUrl: string;
  enabled: boolean;
  createdAt: Date;
}

/** A registration that is to be written. */
export interface NewWebhook extends WebhookRow {
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
    .select(columns)
    .orderBy('created_at')
    .orderBy('id');
  if (id !== undefined) query = query.where('id', '=', id);
  const rows = await query.execute();
  return rows.map(webhookOf);
}

const columns = ['id', 'account_id', 'event_type', 'kinds', 'callback_url', 'enabled', 'created_at'] as const;

const webhookOf = (row: Pick<Selectable<Tables['webhook']>, (typeof columns)[number]>): WebhookRow => ({
  id: row.id,
  accountId: row.account_id,
  eventType: row.event_type,
  kinds: row.kinds,
  callbackUrl: row.callback_url,
  enabled: row.enabled,
  createdAt: row.created_at,
});

/** The account that a registration is of, or undefined where there is none. */
export async function findWebhookAccount(database: Database, id: string): Promise<string | undefined> {
  const row = await database
    .selectFrom('webhook')
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .select('account_id')
    .executeTakeFirst();
  return row?.account_id;
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
      kinds: row.kinds,
      enabled: row.enabled,
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
    .returning(columns)
    .executeTakeFirst();
  if (!row) return undefined;
  await tx.deleteFrom('webhook_queue').where('webhook_id', '=', id).execute();
  return webhookOf(row);
}

/**
 * Changes a registration. While it is switched off nothing is sent to it; what was pending goes on when it is switched on.
 * @returns what it is then, or undefined when the account has no such registration
 */
export async function changeWebhook(
  tx: Tx,
  accountId: string,
  id: string,
  change: { kinds?: string[]; target?: { callbackUrl: string; hostName: string }; enabled?: boolean },
  now: Date,
): Promise<WebhookRow | undefined> {
  const { kinds, target, enabled } = change;
  const row = await tx
    .updateTable('webhook')
    .set({
      // One that changes nothing is an update, too.
      account_id: accountId,
      ...(kinds ? { kinds } : {}),
      ...(target ? { callback_url: target.callbackUrl, host_name: target.hostName } : {}),
      ...(enabled === undefined ? {} : { enabled }),
    })
    .where('id', '=', id)
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .returning([...columns, 'host_name'])
    .executeTakeFirst();
  if (!row) return undefined;
  if (!row.enabled) await tx.deleteFrom('webhook_queue').where('webhook_id', '=', id).execute();
  else {
    // Those that are there go on when their time comes.
    await sql`
      insert into webhook_queue (webhook_id, subject, host_name, due_at)
      select webhook_id, subject, ${row.host_name}, ${now}::timestamptz from webhook_delivery
      where webhook_id = ${id}::uuid and delivered_at is null and dead_at is null group by webhook_id, subject
      on conflict (webhook_id, subject) do update set host_name = excluded.host_name`.execute(tx);
    await sql`select pg_notify(${webhookChannel}, '')`.execute(tx);
  }
  return webhookOf(row);
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
