// What was earned, out of the ledger: summed up by whom or what, and over time.

import { type RawBuilder, sql } from 'kysely';
import type { CalendarUnit } from '../model/calendar.ts';
import type { Span } from '../model/moment.ts';
import type { MicroUsd } from '../model/money.ts';
import type { Database } from './database.ts';

/** What revenue is summed up by. */
export const revenueParts = ['host', 'datacenter', 'account', 'kind'] as const;

/** One of {@link revenueParts}. */
export type RevenuePart = (typeof revenueParts)[number];

/** What is asked of the ledger. */
export interface RevenueQuestion {
  by: RevenuePart;
  /** How it is divided over time; null for one sum. */
  per: CalendarUnit | null;
  /** So many that earned most stand for themselves; the rest are one. Null for all. */
  top: number | null;
}

/** What a host, the hosts of a datacenter, an account's instances or all of a kind have earned in a unit of time. */
export interface RevenueRow {
  /** Null of kinds, of hosts in no datacenter, and of the rest. */
  id: string | null;
  /** Null of hosts in no datacenter, and of the rest. */
  name: string | null;
  /** How many have earned as much or more over the whole span: from 1 on, and `top` + 1 of the rest. */
  place: number;
  /** How many there are, the rest counted one by one. */
  places: number;
  /** The first day of the unit, in UTC, as `2026-11-22`; null where nothing is divided. */
  period: string | null;
  revenue: MicroUsd;
}

/** Whom an entry's money is counted for, and that one's name. */
const parts: Record<RevenuePart, { key: RawBuilder<unknown>; join: RawBuilder<unknown>; name: RawBuilder<unknown> }> = {
  host: { key: sql`ledger_entry.host_id`, join: sql``, name: sql`(select name from host where host.id = key)` },
  datacenter: {
    key: sql`datacenter_id`,
    join: sql`join host on host.id = ledger_entry.host_id`,
    name: sql`(select slug from datacenter where datacenter.id = key)`,
  },
  account: {
    key: sql`ledger_transaction.account_id`,
    join: sql``,
    name: sql`(select name from account where account.id = key)`,
  },
  kind: {
    key: sql`instance.kind`,
    join: sql`left join instance on instance.id = ledger_transaction.instance_id`,
    name: sql`key`,
  },
};

/** What was earned in a span less refunds, who earned most first; who and when has earned nothing is left out. */
export async function sumRevenue(
  database: Database,
  { from, to }: Span,
  { by, per, top }: RevenueQuestion,
): Promise<RevenueRow[]> {
  const { key, join, name } = parts[by];
  const period = per ? sql`date_trunc(${per}, ledger_transaction.created_at at time zone 'UTC')` : sql`null::timestamp`;
  const { rows } = await sql<RevenueRow>`
    with moved as (
      select ${key} as key, ${period} as period, sum(amount_micro_usd) as revenue
      from ledger_entry join ledger_transaction on ledger_transaction.id = transaction_id ${join}
      where book = 'revenue' and ledger_transaction.created_at >= ${from}::timestamptz
        and ledger_transaction.created_at < ${to}::timestamptz
      group by 1, 2
    ), summed as (
      select moved.*, sum(revenue) over (partition by key) as whole, ${name} as name from moved
    ), ranked as (
      select summed.*, dense_rank() over (order by whole desc, name nulls last, key) as rank from summed
    ), placed as (
      select ranked.*, rank <= coalesce(${top}::int, rank) as named, least(rank, ${top}::int + 1) as place,
        max(rank) over () as places
      from ranked
    )
    select case when named then ${by === 'kind' ? sql`null::text` : sql`key::text`} end as id, case when named then name end as name,
      place::int, places::int, to_char(period, 'YYYY-MM-DD') as period, sum(revenue)::bigint as revenue
    from placed group by 1, 2, place, places, period order by place, placed.period`.execute(database);
  return rows;
}
