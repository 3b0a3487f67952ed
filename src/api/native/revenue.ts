// What hosts, datacenters and accounts have brought in.

import Type from 'typebox';
import { requireCluster } from '../../app/access.ts';
import { revenueBy, revenueParts } from '../../app/ledger.ts';
import type { Api } from '../types.ts';
import { Id, toIdOrNull } from './id.ts';
import { read } from './operation.ts';
import { Nullable, OneOf, Shape, Text, Time, toUsd, Usd } from './shape.ts';
import { readSpan, shownSpan, spanQuery } from './span.ts';

const RevenueSchema = Shape('Revenue', {
  from: Nullable(Time('Null: from the beginning')),
  to: Nullable(Time('Null: up to now')),
  by: OneOf(revenueParts),
  items: Type.Array(
    Shape('RevenueItem', {
      id: Nullable(Id('host', 'Of a host, a datacenter or an account; null for hosts that stand in no datacenter')),
      name: Nullable(Text('host-1')),
      revenue: Usd('What was charged, less refunds'),
    }),
  ),
  total: Usd(),
});

/** Adds the route. */
export function revenueRoutes(api: Api): void {
  read(
    api,
    {
      id: 'getRevenue',
      tag: 'money',
      summary: 'What hosts, datacenters or accounts have brought in over a span of time',
      path: '/revenue',
      query: { ...spanQuery, by: Type.Optional(OneOf(revenueParts, 'What it is summed up by; `host` where left out')) },
      result: RevenueSchema,
      isForOperators: true,
      refusals: [422],
    },
    async ({ context, caller, query }) => {
      requireCluster(caller);
      const { by = 'host' } = query;
      const span = readSpan(context, query);
      const rows = await revenueBy(context, span, by);
      return {
        ...shownSpan(span, query),
        by,
        items: rows.map(({ id, name, revenue }) => ({ id: toIdOrNull(by, id), name, revenue: toUsd(revenue) })),
        total: toUsd(rows.reduce((sum, { revenue }) => sum + revenue, 0n)),
      };
    },
  );
}
