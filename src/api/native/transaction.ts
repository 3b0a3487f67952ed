// The ledger's transactions: an account's as it sees them, and all of them with their entries as operators do.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import type { Context } from '../../app/context.ts';
import {
  creditAccount,
  debitAccount,
  type LedgerFilter,
  type LedgerRow,
  listTransactions,
  readTransaction,
} from '../../app/ledger.ts';
import { isUuid } from '../../model/id.ts';
import { parseAmount } from '../../model/money.ts';
import { transactionKinds } from '../../model/transaction.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, readId, toId, toIdOrNull } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readMomentWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toUsd, Usd } from './shape.ts';
import { readSpan, spanQuery } from './span.ts';

const parts = {
  id: Id('transaction'),
  account: Id('account'),
  kind: OneOf(transactionKinds),
  instance: Nullable(Id('instance', 'What was paid for')),
  reason: Text('wire transfer 2026-117'),
  actor: Text('user:ann', 'Who did it'),
  availableMoved: Usd("What it moved of the account's available balance; negative where it was taken"),
  heldMoved: Usd('The same of what is held'),
  createdAt: Time(),
};
const TransactionSchema = Shape('Transaction', parts, 'A movement of money; never changes');
const EntrySchema = Shape('LedgerEntry', {
  book: OneOf(
    ['available', 'held', 'revenue', 'cash'],
    "An account's, free or held; a host's earnings; the world outside",
  ),
  account: Nullable(Id('account')),
  host: Nullable(Id('host')),
  amount: Usd(),
});
const LedgerTransactionSchema = Shape('LedgerTransaction', {
  ...parts,
  entries: Type.Array(EntrySchema, { description: 'They sum to zero' }),
});

function toTransaction(row: LedgerRow): Static<typeof TransactionSchema> {
  const movedIn = (book: string) =>
    row.entries.reduce((sum, entry) => (entry.book === book ? sum + entry.amount : sum), 0n);
  return {
    id: toId('transaction', row.id),
    account: toId('account', row.accountId),
    kind: row.kind,
    instance: toIdOrNull('instance', row.instanceId),
    reason: row.reason,
    actor: row.actor,
    availableMoved: toUsd(movedIn('available')),
    heldMoved: toUsd(movedIn('held')),
    createdAt: toTime(row.createdAt),
  };
}

const toLedgerTransaction = (row: LedgerRow): Static<typeof LedgerTransactionSchema> => ({
  ...toTransaction(row),
  entries: row.entries.map(({ book, accountId, hostId, amount }) => ({
    book,
    account: toIdOrNull('account', accountId),
    host: toIdOrNull('host', hostId),
    amount: toUsd(amount),
  })),
});

const filterQuery = {
  ...pageQuery,
  ...spanQuery,
  kind: Type.Optional(OneOf(transactionKinds)),
  instance: Type.Optional(Id('instance', 'Only what was paid for this one')),
};

function readFilter(
  context: Context,
  query: { from?: string; to?: string; kind?: LedgerFilter['kind']; instance?: string },
): LedgerFilter {
  const { kind, instance } = query;
  const instanceId = instance === undefined ? undefined : readId('instance', instance, 'instance');
  return { kind, instanceId, span: readSpan(context, query) };
}

/** Adds the routes. */
export function transactionRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listTransactions',
      tag: 'money',
      summary: 'What moved in an account, transaction by transaction, the newest first',
      path: '/accounts/{account}/transactions',
      query: filterQuery,
      result: PageOf('TransactionPage', TransactionSchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, params, query }) => {
      const { principal } = await accountOf(context, caller, params, 'vm_console');
      const { limit, after } = readMomentWindow(query, isUuid);
      const filter = { ...readFilter(context, query), accountId: principal.accountId };
      const rows = await listTransactions(context, filter, limit + 1, after);
      return toPage(rows, limit, ({ createdAt, id }) => [createdAt, id], toTransaction);
    },
  );

  read(
    api,
    {
      id: 'listLedger',
      tag: 'money',
      summary: 'What moved in all accounts, with every entry, the newest first',
      path: '/ledger',
      query: {
        ...filterQuery,
        account: Type.Optional(AccountRef('Only of this account')),
        host: Type.Optional(Id('host', 'Only what this host earned or gave back')),
      },
      result: PageOf('LedgerPage', LedgerTransactionSchema),
      isForOperators: true,
    },
    async ({ context, caller, query }) => {
      requireCluster(caller);
      const { limit, after } = readMomentWindow(query, isUuid);
      const { account, host } = query;
      const filter = {
        ...readFilter(context, query),
        ...(account === undefined ? {} : { accountId: (await accountOf(context, caller, query, 'see')).account.id }),
        ...(host === undefined ? {} : { hostId: readId('host', host, 'host') }),
      };
      const rows = await listTransactions(context, filter, limit + 1, after);
      return toPage(rows, limit, ({ createdAt, id }) => [createdAt, id], toLedgerTransaction);
    },
  );

  read(
    api,
    {
      id: 'getLedgerTransaction',
      tag: 'money',
      summary: 'A transaction with its entries',
      path: '/ledger/{transaction}',
      result: LedgerTransactionSchema,
      isForOperators: true,
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      return toLedgerTransaction(await readTransaction(context, readId('transaction', params.transaction)));
    },
  );

  addMove(api, 'credit', 'Give an account money; what it owes is paid at once', creditAccount);
  addMove(api, 'debit', 'Take money from an account, of what it has available', debitAccount);
}

/** Adds what an operator moves by hand. */
function addMove(api: Api, verb: 'credit' | 'debit', summary: string, move: typeof creditAccount): void {
  change(
    api,
    {
      id: `${verb}Account`,
      tag: 'money',
      summary,
      method: 'POST',
      path: `/accounts/{account}/${verb}s`,
      body: Shape(verb === 'credit' ? 'NewCredit' : 'NewDebit', {
        amount: Text('25', 'US dollars above 0, with at most six decimals', { maxLength: 30 }),
        reason: Text('wire transfer 2026-117', 'Stands in the statement', { maxLength: 500 }),
      }),
      status: 201,
      result: LedgerTransactionSchema,
      location: ({ id }) => `/ledger/${id}`,
      isForOperators: true,
      refusals: verb === 'debit' ? ['insufficient_balance'] : [],
    },
    async ({ context, caller, params, body }) => {
      requireCluster(caller);
      const { account } = await accountOf(context, caller, params as { account: string }, 'see');
      const id = await move(context, account.id, parseAmount(body.amount, 'amount'), body.reason, caller.actor);
      return toLedgerTransaction(await readTransaction(context, id));
    },
  );
}
