// The feed as it is followed: everything after a place in it, and up to where a place is reached that nothing can precede any more.

import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { EventRow, FeedPlace } from './event.ts';

/** An event of the feed, and where it stands there. */
export interface FeedEvent extends EventRow {
  place: FeedPlace;
}

/** What of the feed is wanted. */
export interface FeedFilter {
  /** Null for every account's, and what belongs to none. */
  accountId: string | null;
  instanceId: string | null;
  /** With all kinds below it. */
  kind: string | null;
}

/** What a look at the feed found. */
export interface FeedPage {
  events: FeedEvent[];
  /** Where to go on: behind the last event, or, where there are no more, at the oldest transaction that is still running. */
  place: FeedPlace;
  /** Whether there may be more right now. */
  isFull: boolean;
}

interface Row {
  horizon: string;
  transaction_id: string | null;
  id: bigint;
  account_id: string | null;
  instance_id: string | null;
  kind: string;
  message: string;
  actor: string;
  data: Record<string, unknown> | null;
  created_at: Date;
}

/** Where the feed ends now: of what is committed from now on, nothing comes before it. */
export async function findFeedEnd(database: Database): Promise<FeedPlace> {
  const { rows } = await sql<{ horizon: string }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as horizon`.execute(database);
  return { transaction: BigInt(rows[0]?.horizon ?? 0), id: 0n };
}

/** What comes after a place in the feed, oldest first. Shows what `listEvents` shows, and no more. */
export async function readFeed(
  database: Database,
  { accountId, instanceId, kind }: FeedFilter,
  after: FeedPlace,
  limit: number,
): Promise<FeedPage> {
  const filters = [
    ...(accountId === null ? [] : [sql`and account_id = ${accountId}::uuid`]),
    ...(instanceId === null ? [] : [sql`and instance_id = ${instanceId}`]),
    ...(kind === null ? [] : [sql`and (kind = ${kind} or starts_with(kind, ${`${kind}.`}))`]),
  ];
  // One row at least, so that where the feed ends is known from the same look.
  const { rows } = await sql<Row>`
    with now as materialized (select pg_snapshot_xmin(pg_current_snapshot()) as horizon)
    select now.horizon::text as horizon, found.* from now left join lateral (
      select transaction_id::text as transaction_id, id, account_id, instance_id, kind, message, actor, data, created_at
      from event
      where (transaction_id, id) > (${String(after.transaction)}::xid8, ${String(after.id)}::bigint)
        and transaction_id < now.horizon ${sql.join(filters, sql` `)}
      order by event.transaction_id, event.id limit ${limit}
    ) as found on true`.execute(database);
  const events = rows.flatMap((row) => (row.transaction_id === null ? [] : [eventOf(row, row.transaction_id)]));
  const isFull = events.length === limit;
  const last = events.at(-1);
  const end = { transaction: BigInt(rows[0]?.horizon ?? 0), id: 0n };
  // An older copy of the database may end before the place that somebody has read up to.
  const place = isFull && last ? last.place : isBefore(end, after) ? after : end;
  return { events, place, isFull };
}

/** Whether one place is before another. */
export function isBefore(one: FeedPlace, other: FeedPlace): boolean {
  return one.transaction === other.transaction ? one.id < other.id : one.transaction < other.transaction;
}

const eventOf = (row: Row, transaction: string): FeedEvent => ({
  place: { transaction: BigInt(transaction), id: row.id },
  cursor: `${transaction}-${row.id}`,
  accountId: row.account_id,
  instanceId: row.instance_id,
  kind: row.kind,
  message: row.message,
  actor: row.actor,
  data: row.data,
  createdAt: row.created_at,
});
