// What happened to what, by whom. Written in the transaction of the change itself; read by customers and by the feed.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';

/** An event to be written. */
export interface NewEvent {
  accountId: string | null;
  instanceId: string | null;
  hostId: string | null;
  kind: string;
  message: string;
  actor: string;
  data?: Record<string, unknown>;
  /** Set for what an agent reports; a second report of the same id writes nothing. */
  agentEventId?: string;
  createdAt: Date;
}

/** An event as it is read. `cursor` is where to go on reading. */
export interface EventRow {
  cursor: string;
  accountId: string | null;
  instanceId: string | null;
  kind: string;
  message: string;
  actor: string;
  data: Record<string, unknown> | null;
  createdAt: Date;
}

/** Events written by one statement: PostgreSQL takes 65,535 parameters at most, and nothing else is done while a long one is built. */
const rowsMax = 500;

/** Writes events, however many. */
export async function insertEvents(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  for (let first = 0; first < events.length; first += rowsMax) {
    await insertSome(tx, events.slice(first, first + rowsMax));
  }
}

async function insertSome(tx: Tx, events: readonly NewEvent[]): Promise<void> {
  await tx
    .insertInto('event')
    .values(
      events.map((event) => ({
        account_id: event.accountId,
        instance_id: event.instanceId,
        host_id: event.hostId,
        kind: event.kind,
        message: event.message,
        actor: event.actor,
        data: event.data ? JSON.stringify(event.data) : null,
        agent_event_id: event.agentEventId ?? null,
        created_at: event.createdAt,
      })),
    )
    .onConflict((conflict) => conflict.column('agent_event_id').doNothing())
    .execute();
}

/**
 * Writes an event that tells and proves nothing else, in a transaction of its own that does not wait for the disk: it can
 * be read at once, and is lost only when the database's machine falls over within the next moment.
 */
export async function insertEventUnflushed(database: Database, event: NewEvent): Promise<void> {
  await sql`
    with unflushed as materialized (select set_config('synchronous_commit', 'off', true) as is_set)
    insert into event (account_id, instance_id, host_id, kind, message, actor, data, created_at)
    select ${event.accountId}::uuid, ${event.instanceId}::text, ${event.hostId}::uuid, ${event.kind}, ${event.message},
      ${event.actor}, ${event.data ? JSON.stringify(event.data) : null}::jsonb, ${event.createdAt}::timestamptz
    from unflushed where is_set is not null`.execute(database);
}

const cursorPattern = /^(\d{1,20})-(\d{1,19})$/;

/** PostgreSQL's largest xid8 and largest bigint; it takes a larger number for an error of ours. */
const transactionIdMax = 2n ** 64n - 1n;
const eventIdMax = 2n ** 63n - 1n;

/** A place in the feed: whatever comes before it has been read, and so has the event that stands there. */
export interface FeedPlace {
  transaction: bigint;
  id: bigint;
}

/** The place that a cursor names, or null where the text can be none. */
export function parseEventCursor(text: string): FeedPlace | null {
  const [, transaction, id] = cursorPattern.exec(text) ?? [];
  if (transaction === undefined || id === undefined) return null;
  const place = { transaction: BigInt(transaction), id: BigInt(id) };
  return place.transaction <= transactionIdMax && place.id <= eventIdMax ? place : null;
}

/** What is wanted of the events. */
export interface EventFilter {
  instanceId?: string;
  /** With all kinds below it. */
  kind?: string;
  /** The cursor of an event: only those that come behind it, in the order that is asked for. */
  after?: string;
  /** Only what happened at this moment or later. */
  createdAfter?: Date | undefined;
  /** Only what happened before this moment. */
  createdBefore?: Date | undefined;
  limit: number;
}

/**
 * An account's events after a cursor, oldest first; those of every account, and of none, where it is null. Only rows are shown that
 * no transaction still running can precede, so a reader who goes on from the last cursor misses nothing.
 */
export async function listEvents(
  database: Database,
  accountId: string | null,
  filter: EventFilter,
): Promise<EventRow[]> {
  const [, transaction = '0', id = '0'] = cursorPattern.exec(filter.after ?? '') ?? [];
  const rows = await filteredFeed(database, accountId, filter)
    .where(sql<boolean>`(transaction_id, id) > (${transaction}::xid8, ${id}::bigint)`)
    .orderBy('transaction_id')
    .orderBy('id')
    .limit(filter.limit)
    .execute();
  return rows.map(eventOf);
}

/** The same from the newest on, or from before a cursor, to the oldest. */
export async function listEventsBackwards(
  database: Database,
  accountId: string | null,
  filter: EventFilter,
): Promise<EventRow[]> {
  let query = filteredFeed(database, accountId, filter);
  const [, transaction, id] = cursorPattern.exec(filter.after ?? '') ?? [];
  if (transaction !== undefined) {
    query = query.where(sql<boolean>`(transaction_id, id) < (${transaction}::xid8, ${id}::bigint)`);
  }
  const rows = await query.orderBy('transaction_id', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
  return rows.map(eventOf);
}

function filteredFeed(
  database: Database,
  accountId: string | null,
  { instanceId, kind, createdAfter, createdBefore }: EventFilter,
) {
  let query = feedOf(database, accountId).where(shownNow);
  if (instanceId) query = query.where('instance_id', '=', instanceId);
  if (kind) query = query.where(sql<boolean>`(kind = ${kind} or starts_with(kind, ${`${kind}.`}))`);
  if (createdAfter) query = query.where('created_at', '>=', createdAfter);
  if (createdBefore) query = query.where('created_at', '<', createdBefore);
  return query;
}

/** An instance's newest events, oldest first, as far as {@link listEvents} shows them. */
export async function listNewestEvents(
  database: Database,
  accountId: string,
  filter: { instanceId: string; kind?: string; limit: number },
): Promise<EventRow[]> {
  let query = feedOf(database, accountId).where(shownNow).where('instance_id', '=', filter.instanceId);
  if (filter.kind) query = query.where('kind', '=', filter.kind);
  const rows = await query.orderBy('transaction_id', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
  return rows.reverse().map(eventOf);
}

/** Whether an instance has events after a cursor that {@link listEvents} holds back as yet. */
export async function isEventHeldBack(
  database: Database,
  accountId: string,
  instanceId: string,
  after: string | undefined,
): Promise<boolean> {
  const [, transaction = '0', id = '0'] = cursorPattern.exec(after ?? '') ?? [];
  const row = await database
    .selectFrom('event')
    .where('account_id', '=', accountId)
    .where('instance_id', '=', instanceId)
    .where(sql<boolean>`(transaction_id, id) > (${transaction}::xid8, ${id}::bigint)`)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

const feedOf = (database: Database, accountId: string | null) =>
  database
    .selectFrom('event')
    .$if(accountId !== null, (query) => query.where('account_id', '=', accountId))
    .select(['id', 'transaction_id', 'account_id', 'instance_id', 'kind', 'message', 'actor', 'data', 'created_at']);

const shownNow = sql<boolean>`transaction_id < pg_snapshot_xmin(pg_current_snapshot())`;

const eventOf = (row: Awaited<ReturnType<ReturnType<typeof feedOf>['execute']>>[number]): EventRow => ({
  cursor: `${row.transaction_id}-${row.id}`,
  accountId: row.account_id,
  instanceId: row.instance_id,
  kind: row.kind,
  message: row.message,
  actor: row.actor,
  data: row.data,
  createdAt: row.created_at,
});

/** Forgets events older than `before`. @returns how many, at most `limit` */
export async function forgetEvents(tx: Tx, before: Date, limit: number): Promise<number> {
  const result = await tx
    .deleteFrom('event')
    .where('id', 'in', (eb) => eb.selectFrom('event').where('created_at', '<', before).limit(limit).select('id'))
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
