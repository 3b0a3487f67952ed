// What an account has, and what it comes to over a span of time.

import Type from 'typebox';
import { boundedStatement, statementCsv, statementSums } from '../../app/ledger.ts';
import { readOutlook } from '../../app/outlook.ts';
import { transactionKinds } from '../../model/transaction.ts';
import type { Api } from '../types.ts';
import { accountOf } from './account.ts';
import { Id, toId, toIdOrNull } from './id.ts';
import { read } from './operation.ts';
import { Nullable, OneOf, Shape, Text, Time, toTimeOrNull, toUsd, Usd, Whole } from './shape.ts';
import { readSpan, shownSpan, spanQuery } from './span.ts';

const BalanceSchema = Shape('Balance', {
  account: Id('account'),
  currency: OneOf(['USD']),
  available: Usd('What can be spent'),
  held: Usd('Deposits: an epoch of each instance'),
  spendPerEpoch: Usd('What an epoch of everything that is deployed costs'),
  epochSeconds: Whole(86_400, 'How long an epoch is; where things are billed otherwise, they are reckoned to this'),
  lastsUntil: Nullable(
    Time(
      'When the first payment can’t be made, if nothing changes; null where that is not in sight. Deposits are not counted',
    ),
  ),
});

const AmountsSchema = Shape('BalanceAmounts', { available: Usd(), held: Usd() });
const LineSchema = Shape('StatementLine', {
  instance: Nullable(Id('instance')),
  instanceName: Nullable(Text('web-1')),
  kind: OneOf(transactionKinds),
  count: Whole(30, 'Transactions'),
  availableMoved: Usd('Negative where it was taken'),
  heldMoved: Usd(),
});
const StatementSchema = Shape('Statement', {
  account: Id('account'),
  from: Nullable(Time('Null: from the beginning')),
  to: Nullable(Time('Null: up to now')),
  opening: AmountsSchema,
  closing: AmountsSchema,
  lines: Type.Array(LineSchema, {
    description: 'By instance and kind; their sum is what lies between the two balances',
  }),
});

const toAmounts = ({ available, held }: { available: bigint; held: bigint }) => ({
  available: toUsd(available),
  held: toUsd(held),
});

/** Adds the routes. */
export function balanceRoutes(api: Api): void {
  read(
    api,
    {
      id: 'getBalance',
      tag: 'money',
      summary: 'What an account has, spends, and how long that lasts',
      path: '/accounts/{account}/balance',
      result: BalanceSchema,
      refusals: ['forbidden'],
    },
    async ({ context, caller, params }) => {
      const { principal } = await accountOf(context, caller, params, 'vm_console');
      const outlook = await readOutlook(context, principal.accountId);
      return {
        account: toId('account', principal.accountId),
        currency: 'USD' as const,
        ...toAmounts(outlook),
        spendPerEpoch: toUsd(outlook.spendPerEpoch),
        epochSeconds: outlook.epochMs / 1000,
        lastsUntil: toTimeOrNull(outlook.lastsUntil),
      };
    },
  );

  read(
    api,
    {
      id: 'getStatement',
      tag: 'money',
      summary: 'What moved in an account in a span of time, summed up by instance and kind',
      description:
        'With `Accept: text/csv` every single transaction with the balance after it, as `berth local account statement --csv` has them, with ids as they are here.',
      path: '/accounts/{account}/statement',
      query: spanQuery,
      result: StatementSchema,
      refusals: ['forbidden'],
      csv: async ({ context, caller, params, query }) => {
        const { principal } = await accountOf(context, caller, params, 'vm_console');
        const lines = await boundedStatement(context, principal.accountId, readSpan(context, query));
        return statementCsv(lines, (id) => toId('instance', id));
      },
    },
    async ({ context, caller, params, query }) => {
      const { principal } = await accountOf(context, caller, params, 'vm_console');
      const span = readSpan(context, query);
      const { opening, closing, sums } = await statementSums(context, principal.accountId, span);
      return {
        account: toId('account', principal.accountId),
        ...shownSpan(span, query),
        opening: toAmounts(opening),
        closing: toAmounts(closing),
        lines: sums.map(({ instanceId, availableMoved, heldMoved, ...line }) => ({
          instance: toIdOrNull('instance', instanceId),
          instanceName: line.instanceName,
          kind: line.kind,
          count: line.count,
          availableMoved: toUsd(availableMoved),
          heldMoved: toUsd(heldMoved),
        })),
      };
    },
  );
}
