// Deliveries of webhooks: taken by whoever delivers, settled, listed, sent again, forgotten. They are written by the database
// itself, with the events (`schema/0006_webhook.sql`).

import { sql } from 'kysely';
import type { DeliveryState, WebhookEventType } from '../model/webhook.ts';
import { type Database, inTransaction, type Tx } from './database.ts';
import { webhookChannel } from './notify.ts';

/** Queues that are looked at to find those that are taken; more would be of hosts that have work already. */
const lookedAtMax = 1_000;

/** A delivery that was taken, with all that is needed to make it. */
export interface TakenDelivery {
  id: bigint;
  webhookId: string;
  accountId: string;
  eventId: string;
  /** Null where it is told as an event. */
  eventType: WebhookEventType | null;
  callbackUrl: string;
  hostName: string;
  /** Sealed. */
  secret: Uint8Array;
  /** The deployment or the slot; of an event, what orders it among others. */
  subject: string;
  /** What it was when it happened; of an event, the event. */
  snapshot: Record<string, unknown>;
  happenedAt: Date;
  waitingSince: Date;
  /** How often it has been tried, this time included. */
  attempts: number;
  lease: string;
}

/** What is taken. */
export interface Taking {
  now: Date;
  leasedUntil: Date;
  /** A fresh id, by which what was taken is settled. */
  lease: string;
  limit: number;
  perHostMax: number;
  /** How many are being made to each host name. */
  busy: ReadonlyMap<string, number>;
  perAccountMax: number;
  /** How many are being made of each account's. */
  busyAccounts: ReadonlyMap<string, number>;
}

/** Takes the first delivery of each of some queues that are due, those that have waited longest first. */
export async function takeDeliveries(database: Database, taking: Taking): Promise<TakenDelivery[]> {
  const queues = await leaseQueues(database, taking);
  if (queues.length === 0) return [];
  // A statement of its own: the one that leased may have begun before the last holder had settled his delivery.
  const { rows } = await sql<TakenDelivery>`
    update webhook_delivery set attempts = attempts + 1
    from jsonb_to_recordset(${JSON.stringify(queues)}::jsonb) as queue (webhook_id uuid, subject uuid)
      join webhook on webhook.id = queue.webhook_id
      cross join lateral (
        select id from webhook_delivery as pending
        where pending.webhook_id = queue.webhook_id and pending.subject = queue.subject
          and delivered_at is null and dead_at is null
        order by id limit 1) as first
    where webhook_delivery.id = first.id
    returning webhook_delivery.id, webhook_delivery.webhook_id as "webhookId", account_id as "accountId",
      event_id as "eventId", event_type as "eventType", callback_url as "callbackUrl", host_name as "hostName", secret,
      webhook_delivery.subject, snapshot, happened_at as "happenedAt", waiting_since as "waitingSince", attempts,
      ${taking.lease}::text as lease`.execute(database);
  return rows;
}

async function leaseQueues(
  database: Database,
  { now, leasedUntil, lease, limit, perHostMax, busy, perAccountMax, busyAccounts }: Taking,
): Promise<{ webhook_id: string; subject: string }[]> {
  const full = [...busy].filter(([, count]) => count >= perHostMax).map(([name]) => name);
  const fullAccounts = [...busyAccounts].filter(([, count]) => count >= perAccountMax).map(([id]) => id);
  const counted = (counts: ReadonlyMap<string, number>) => JSON.stringify(Object.fromEntries(counts));
  const { rows } = await sql<{ webhook_id: string; subject: string }>`
    with due as materialized (
      select webhook_id, subject, webhook_queue.host_name, account_id, due_at
      from webhook_queue join webhook on webhook.id = webhook_id
      where due_at <= ${now}::timestamptz and webhook_queue.host_name <> all(${full}::text[])
        and account_id <> all(${fullAccounts}::uuid[])
      order by due_at limit ${lookedAtMax}::int
    ), fitting as (
      select webhook_id, subject from (
        select *, row_number() over (partition by host_name order by due_at) as place,
          row_number() over (partition by account_id order by due_at) as place_of_account from due) as placed
      where place <= ${perHostMax}::int - coalesce((${counted(busy)}::jsonb ->> host_name)::int, 0)
        and place_of_account <= ${perAccountMax}::int - coalesce((${counted(busyAccounts)}::jsonb ->> account_id::text)::int, 0)
      order by due_at limit ${limit}::int
    ), free as (
      select webhook_id, subject from webhook_queue join fitting using (webhook_id, subject)
      where due_at <= ${now}::timestamptz
      for no key update of webhook_queue skip locked
    )
    update webhook_queue set due_at = ${leasedUntil}::timestamptz, lease = ${lease}::uuid
    from free where webhook_queue.webhook_id = free.webhook_id and webhook_queue.subject = free.subject
    returning webhook_queue.webhook_id, webhook_queue.subject`.execute(database);
  return rows;
}

/** What has become of an attempt. */
export type Settlement =
  | { kind: 'delivered' }
  | { kind: 'dead'; error: string }
  | { kind: 'retry'; error: string; at: Date }
  /** It was broken off by who made it, and says nothing of the receiver. */
  | { kind: 'given-back' };

/**
 * Notes what has become of an attempt and lets its queue go on. Somebody else has the queue by now when the lease had run
 * out, and nobody when the registration was removed; then nothing is noted.
 */
export async function settleDelivery(
  database: Database,
  taken: TakenDelivery,
  settlement: Settlement,
  now: Date,
): Promise<void> {
  await inTransaction(database, async (tx) => {
    const held = await tx
      .selectFrom('webhook_queue')
      .where('webhook_id', '=', taken.webhookId)
      .where('subject', '=', taken.subject)
      .where('lease', '=', taken.lease)
      .select('lease')
      .forUpdate()
      .executeTakeFirst();
    if (!held) return;
    const delivery = tx.updateTable('webhook_delivery').where('id', '=', taken.id);
    if (settlement.kind === 'delivered') await delivery.set({ delivered_at: now, last_error: null }).execute();
    if (settlement.kind === 'dead') await delivery.set({ dead_at: now, last_error: settlement.error }).execute();
    if (settlement.kind === 'retry') await delivery.set({ last_error: settlement.error }).execute();
    await goOn(tx, taken, settlement.kind === 'retry' ? settlement.at : now);
  });
}

/** Lets a queue, whose row is locked, go on at a moment, or ends it when nothing is pending. */
async function goOn(tx: Tx, { webhookId, subject }: TakenDelivery, at: Date): Promise<void> {
  await sql`
    with pending as materialized (
      select from webhook_delivery where webhook_id = ${webhookId}::uuid and subject = ${subject}::uuid
        and delivered_at is null and dead_at is null limit 1
    ), ended as (
      delete from webhook_queue where webhook_id = ${webhookId}::uuid and subject = ${subject}::uuid
        and not exists (select from pending)
    )
    update webhook_queue set due_at = ${at}::timestamptz, lease = null
    where webhook_id = ${webhookId}::uuid and subject = ${subject}::uuid and exists (select from pending)`.execute(tx);
}

/** A delivery as its account sees it. */
export interface DeliveryRow {
  /** Its place in the list, from the oldest on. */
  id: bigint;
  eventId: string;
  subject: string;
  snapshot: Record<string, unknown>;
  state: DeliveryState;
  attempts: number;
  lastError: string | null;
  happenedAt: Date;
  /** When it was delivered or given up; null while it is pending. */
  endedAt: Date | null;
}

const isIn = {
  pending: sql<boolean>`delivered_at is null and dead_at is null`,
  delivered: sql<boolean>`delivered_at is not null`,
  dead: sql<boolean>`dead_at is not null`,
};

/** A registration's deliveries, the newest first. @param filter `before` is the `id` of the last one seen */
export async function listDeliveries(
  database: Database,
  webhookId: string,
  { state, eventId, before, limit }: { state?: DeliveryState; eventId?: string; before?: bigint; limit: number },
): Promise<DeliveryRow[]> {
  let query = database.selectFrom('webhook_delivery').where('webhook_id', '=', webhookId);
  if (state !== undefined) query = query.where(isIn[state]);
  if (eventId !== undefined) query = query.where('event_id', '=', eventId);
  if (before !== undefined) query = query.where('id', '<', before);
  const rows = await query
    .select([
      'id',
      'event_id',
      'subject',
      'snapshot',
      'attempts',
      'last_error',
      'happened_at',
      'delivered_at',
      'dead_at',
    ])
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    eventId: row.event_id,
    subject: row.subject,
    snapshot: row.snapshot,
    state: row.delivered_at ? 'delivered' : row.dead_at ? 'dead' : 'pending',
    attempts: row.attempts,
    lastError: row.last_error,
    happenedAt: row.happened_at,
    endedAt: row.delivered_at ?? row.dead_at,
  }));
}

/**
 * Has a delivery made again, before whatever else is pending about its subject. One that is pending already is tried now.
 * @returns false when the account has no such delivery
 */
export async function requeueDelivery(
  tx: Tx,
  { accountId, webhookId, eventId }: { accountId: string; webhookId: string; eventId: string },
  now: Date,
): Promise<boolean> {
  const found = await tx
    .selectFrom('webhook_delivery')
    .innerJoin('webhook', 'webhook.id', 'webhook_id')
    .where('webhook.id', '=', webhookId)
    .where('account_id', '=', accountId)
    .where('removed_at', 'is', null)
    .where('event_id', '=', eventId)
    .select(['subject', 'host_name'])
    .forShare('webhook')
    .executeTakeFirst();
  if (!found) return false;
  // First the queue, as who settles does. While it is leased, it goes on by itself.
  await sql`
    insert into webhook_queue (webhook_id, subject, host_name, due_at)
    values (${webhookId}::uuid, ${found.subject}::uuid, ${found.host_name}, ${now}::timestamptz)
    on conflict (webhook_id, subject) do update set due_at = excluded.due_at where webhook_queue.lease is null`.execute(
    tx,
  );
  await tx
    .updateTable('webhook_delivery')
    .set({ attempts: 0, waiting_since: now, delivered_at: null, dead_at: null })
    .where('webhook_id', '=', webhookId)
    .where('event_id', '=', eventId)
    .where((eb) => eb.or([eb('delivered_at', 'is not', null), eb('dead_at', 'is not', null)]))
    .execute();
  await sql`select pg_notify(${webhookChannel}, '')`.execute(tx);
  return true;
}

/** Forgets deliveries that were made, or given up, before a moment. @returns how many, at most `limit` */
export async function forgetDeliveries(
  tx: Tx,
  state: 'delivered' | 'dead',
  before: Date,
  limit: number,
): Promise<number> {
  const result = await tx
    .deleteFrom('webhook_delivery')
    .where('id', 'in', (eb) =>
      eb.selectFrom('webhook_delivery').where(`${state}_at`, '<', before).limit(limit).select('id'),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
