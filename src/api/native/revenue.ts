// What hosts, datacenters, accounts and kinds of instances have brought in, in one sum or over time.

import Type from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { type Revenue, readRevenue, revenueCsv, revenueParts, revenueTopMax } from '../../app/revenue.ts';
import { calendarUnits } from '../../model/calendar.ts';
import type { Api } from '../types.ts';
import { Id, toIdOrNull } from './id.ts';
import { read } from './operation.ts';
import { Nullable, OneOf, Shape, Text, Time, toUsd, Usd, Whole } from './shape.ts';
import { spanQuery } from './span.ts';

const earned = {
  revenue: Usd('What was charged, less refunds'),
  byPeriod: Type.Array(Usd(), { description: 'The same for each of the periods' }),
};
const RevenueSchema = Shape('Revenue', {
  from: Nullable(Time('Null: from the beginning')),
  to: Nullable(Time('Null: up to now')),
  by: OneOf(revenueParts),
  per: Nullable(OneOf(calendarUnits)),
  periods: Type.Array(Text('2026-11-20'), {
    description: 'The first day of each day, week or month, in UTC; none unless `per` was asked for',
  }),
  items: Type.Array(
    Shape('RevenueItem', {
      id: Nullable(
        Id('host', 'Of a host, a datacenter or an account; null for hosts that stand in no datacenter, and for kinds'),
      ),
      name: Nullable(Text('host-1', 'Of a kind: `vm` or `container`, which rents a slot')),
      ...earned,
    }),
    { description: 'Who earned most comes first' },
  ),
  others: Nullable(
    Shape('OtherRevenue', { count: Whole(3, 'How many they are'), ...earned }, 'Those who earned less, together'),
  ),
  total: Usd(),
  totalByPeriod: Type.Array(Usd(), { description: 'The same for each of the periods' }),
});

const toEarned = ({ revenue, byPeriod }: Pick<Revenue, 'revenue' | 'byPeriod'>) => ({
  revenue: toUsd(revenue),
  byPeriod: byPeriod.map(toUsd),
});

/** Adds the route. */
export function revenueRoutes(api: Api): void {
  read(
    api,
    {
      id: 'getRevenue',
      tag: 'money',
      summary: 'What hosts, datacenters, accounts or kinds have brought in over a span of time',
      description: [
        'With `per` also for each day, week or month of it, of 400 at most; `from` is then some way back where it is left out.',
        'What was charged counts at the moment at which it was. With `Accept: text/csv` the same as a table.',
      ].join(' '),
      path: '/revenue',
      query: {
        ...spanQuery,
        by: Type.Optional(OneOf(revenueParts, 'What it is summed up by; `host` where left out')),
        per: Type.Optional(OneOf(calendarUnits, 'Divide it into days, weeks from Monday on, or months, in UTC')),
        top: Type.Optional(
          Whole(10, 'So many stand for themselves; 10 with `per` and 1000 else where left out', {
            minimum: 1,
            maximum: revenueTopMax,
          }),
        ),
      },
      result: RevenueSchema,
      isForOperators: true,
      csv: async ({ context, caller, query }) => {
        requireCluster(caller);
        return revenueCsv(await readRevenue(context, query));
      },
    },
    async ({ context, caller, query }) => {
      requireCluster(caller);
      const { span, by, per, periods, items, others, ...all } = await readRevenue(context, query);
      return {
        from: query.from === undefined && per === null ? null : span.from.toISOString(),
        to: query.to === undefined ? null : span.to.toISOString(),
        ...{ by, per, periods },
        items: items.map(({ id, name, ...sums }) => ({
          ...{ id: by === 'kind' ? null : toIdOrNull(by, id), name },
          ...toEarned(sums),
        })),
        others: others && { count: others.count, ...toEarned(others) },
        total: toUsd(all.revenue),
        totalByPeriod: all.byPeriod.map(toUsd),
      };
    },
  );
}
