// What an account was charged day by day, for a picture of it.

import Type from 'typebox';
import { spendByDay } from '../../app/ledger.ts';
import type { Api } from '../types.ts';
import { accountOf } from './account.ts';
import { Id, toId } from './id.ts';
import { read } from './operation.ts';
import { Nullable, Shape, Text, Time, toUsd, Usd } from './shape.ts';
import { readSpan, shownSpan, spanQuery } from './span.ts';

const SpendSchema = Shape('Spend', {
  account: Id('account'),
  from: Nullable(Time('Null: from the beginning')),
  to: Nullable(Time('Null: up to now')),
  days: Type.Array(
    Shape('SpendOfDay', { day: Text('2026-11-20', 'In UTC'), spent: Usd('What was charged, less refunds') }),
    { description: 'Days without a charge are left out' },
  ),
  total: Usd(),
});

/** Adds the route. */
export function spendRoutes(api: Api): void {
  read(
    api,
    {
      id: 'getSpend',
      tag: 'money',
      summary: 'What an account was charged in a span of time, day by day',
      path: '/accounts/{account}/spend',
      query: spanQuery,
      result: SpendSchema,
      refusals: ['forbidden'],
    },
    async ({ context, caller, params, query }) => {
      const { principal } = await accountOf(context, caller, params, 'vm_console');
      const span = readSpan(context, query);
      const rows = await spendByDay(context, principal.accountId, span);
      return {
        account: toId('account', principal.accountId),
        ...shownSpan(span, query),
        days: rows.map(({ day, spent }) => ({ day, spent: toUsd(spent) })),
        total: toUsd(rows.reduce((sum, { spent }) => sum + spent, 0n)),
      };
    },
  );
}
