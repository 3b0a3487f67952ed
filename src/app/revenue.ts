// What was earned: by host, datacenter, account or kind, in one sum or over time.

import { type CalendarUnit, startAfter, unitsWithin } from '../model/calendar.ts';
import { csv } from '../model/csv.ts';
import { BerthError, shown } from '../model/errors.ts';
import { parseSpan, type Span } from '../model/moment.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import { type RevenuePart, type RevenueRow, sumRevenue } from '../store/revenue.ts';
import type { Context } from './context.ts';

export { type RevenuePart, type RevenueRow, revenueParts } from '../store/revenue.ts';

/** More than a year of days: beyond it nobody sees a day in a picture, and weeks and months tell as much. */
const revenuePeriodsMax = 400;
/** Figures in an answer, some two megabytes. */
const revenueFiguresMax = 50_000;
/** Of what is divided over time so many stand for themselves unless asked otherwise: more lines can't be told apart. */
const topOverTime = 10;
/** The most that stand for themselves. */
export const revenueTopMax = 1_000;
/** So far is looked back where nothing is said, the present one being the last. */
const unitsBack: Record<CalendarUnit, number> = { day: 30, week: 26, month: 12 };

/** What is asked, as requests state it. */
export interface AskedRevenue {
  from?: string | undefined;
  to?: string | undefined;
  by?: RevenuePart | undefined;
  per?: CalendarUnit | undefined;
  top?: number | undefined;
}

/** What was earned in all, and in each of the periods. */
interface Earned {
  revenue: MicroUsd;
  byPeriod: MicroUsd[];
}

/** What was earned, who earned most first. */
export interface Revenue extends Earned {
  span: Span;
  by: RevenuePart;
  per: CalendarUnit | null;
  /** The first days of what the span is divided into, in UTC; none where it is not divided. */
  periods: string[];
  items: (Earned & { id: string | null; name: string | null })[];
  /** Those who earned less than the items, together. */
  others: (Earned & { count: number }) | null;
}

/**
 * What was earned in a span of time, less refunds. It counts when it was charged: an epoch that is paid ahead counts where it begins.
 * @throws BerthError `invalid_value` for what is no span, or too much of one
 */
export async function readRevenue(context: Context, asked: AskedRevenue): Promise<Revenue> {
  const { by = 'host', per = null } = asked;
  const now = context.clock.now();
  const span = spanOf(asked, now);
  const planned = per ? unitsWithin(per, { from: span.from, to: endOf(span, asked, now) }, revenuePeriodsMax + 1) : [];
  const top = topOf(asked, planned.length);
  const rows = await sumRevenue(context.database, span, { by, per, top });
  // What a clock has noted that was put back since is told, too.
  const periods = [...new Set([...planned, ...rows.flatMap(({ period }) => period ?? [])])].sort();
  const places = Map.groupBy(rows, ({ place }) => place);
  const named = [...places].filter(([place]) => place <= top).map(([, own]) => own);
  const rest = places.get(top + 1);
  return {
    ...{ span, by, per, periods },
    ...sumOf(rows, periods),
    items: named.map((own) => ({ id: own[0]?.id ?? null, name: own[0]?.name ?? null, ...sumOf(own, periods) })),
    others: rest ? { count: (rest[0]?.places ?? top) - top, ...sumOf(rest, periods) } : null,
  };
}

/** What everyone has earned in one sum, by name. */
export async function revenueBy(context: Context, span: Span, by: RevenuePart): Promise<RevenueRow[]> {
  const rows = await sumRevenue(context.database, span, { by, per: null, top: null });
  return rows.sort((one, other) => (one.name ?? '').localeCompare(other.name ?? ''));
}

function spanOf(asked: AskedRevenue, now: Date): Span {
  const fields = { from: 'from', to: 'to' };
  const span = parseSpan(asked, now, fields);
  const { per, from, to } = asked;
  if (per === undefined || from !== undefined) return span;
  return {
    from: startAfter(per, to === undefined ? now : new Date(span.to.getTime() - 1), 1 - unitsBack[per]),
    to: span.to,
  };
}

const endOf = ({ to }: Span, asked: AskedRevenue, now: Date): Date =>
  asked.to === undefined ? new Date(now.getTime() + 1) : to;

function topOf({ from, per, top }: AskedRevenue, periods: number): number {
  if (per === undefined) return top ?? revenueTopMax;
  if (periods > revenuePeriodsMax) {
    const message = `from is ${shown(from)}, which makes more than ${revenuePeriodsMax} of a ${per}; ask for a shorter span, or for longer parts of it.`;
    throw new BerthError('invalid_value', message, 'from');
  }
  const most = Math.floor(revenueFiguresMax / Math.max(periods, 1));
  if (top === undefined || top <= most) return top ?? topOverTime;
  const message = `top is ${top}, which for ${periods} of a ${per} is more than fits into an answer; it may be at most ${most}.`;
  throw new BerthError('invalid_value', message, 'top');
}

function sumOf(rows: readonly RevenueRow[], periods: readonly string[]): Earned {
  const sums = new Map<string | null, MicroUsd>();
  for (const { period, revenue } of rows) sums.set(period, (sums.get(period) ?? 0n) + revenue);
  return {
    revenue: rows.reduce((sum, { revenue }) => sum + revenue, 0n),
    byPeriod: periods.map((period) => sums.get(period) ?? 0n),
  };
}

/** Revenue as a table for spreadsheets: a row for each period and a column for whoever earned, or a row for whoever earned. */
export function revenueCsv({ by, per, periods, items, others, ...all }: Revenue): string {
  const columns = [
    ...items.map((item) => ({ ...item, title: item.name ?? 'none' })),
    ...(others ? [{ ...others, title: `${others.count} others` }] : []),
    { ...all, title: 'all' },
  ];
  if (!per) {
    return csv(
      [by, 'revenue'],
      columns.map(({ title, revenue }) => [title, formatUsd(revenue)]),
    );
  }
  return csv(
    [per, ...columns.map(({ title }) => title)],
    periods.map((period, index) => [period, ...columns.map(({ byPeriod }) => formatUsd(byPeriod[index] ?? 0n))]),
  );
}
