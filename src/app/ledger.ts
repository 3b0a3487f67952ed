// Money by the operator's hand, and the books for those who read them.

import { csv } from '../model/csv.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import type { Span } from '../model/moment.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import { inTransaction, isBalanceShort } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import {
  type Balance,
  insertTransactions,
  listStatement,
  readBalance as read,
  type StatementLine,
} from '../store/ledger.ts';
import {
  findTransaction,
  type LedgerFilter,
  type LedgerRow,
  listTransactions as readTransactions,
  type SpendRow,
  type StatementSums,
  sumSpend,
  sumStatement,
} from '../store/ledger-list.ts';
import { settleAccounts } from './billing.ts';
import type { Context } from './context.ts';

export type { LedgerFilter, LedgerRow } from '../store/ledger-list.ts';

/** One transaction moves at most this: a billion dollars is a typing error. */
const amountMax: MicroUsd = 1_000_000_000_000_000n;
const reasonLengthMax = 500;
/** What a statement is asked for over the network may hold; a file of it has some ten megabytes. */
const linesMax = 50_000;

/**
 * Gives an account money, and settles at once what it owes.
 * @param amount micro-USD, above 0
 * @returns the transaction's id
 * @throws BerthError `invalid_value`
 */
export async function creditAccount(
  context: Context,
  accountId: string,
  amount: MicroUsd,
  reason: string,
  actor: string,
): Promise<string> {
  return move(context, accountId, 'credit', amount, reason, actor);
}

/**
 * Takes money from an account, of what is available only.
 * @param amount micro-USD, above 0
 * @returns the transaction's id
 * @throws BerthError `invalid_value`; `insufficient_balance` when less is available
 */
export async function debitAccount(
  context: Context,
  accountId: string,
  amount: MicroUsd,
  reason: string,
  actor: string,
): Promise<string> {
  try {
    return await move(context, accountId, 'debit', amount, reason, actor);
  } catch (error) {
    if (!isBalanceShort(error)) throw error;
    const { available } = await read(context.database, accountId);
    const message = `${formatUsd(amount)} USD can't be taken; ${formatUsd(available)} are available.`;
    throw new BerthError('insufficient_balance', message, 'amount');
  }
}

async function move(
  context: Context,
  accountId: string,
  kind: 'credit' | 'debit',
  amount: MicroUsd,
  reason: string,
  actor: string,
): Promise<string> {
  if (amount <= 0n || amount > amountMax) {
    const message = `amount is ${formatUsd(amount)}; it must be above 0 and at most ${formatUsd(amountMax)} USD.`;
    throw new BerthError('invalid_value', message, 'amount');
  }
  if (reason.trim() === '' || reason.length > reasonLengthMax) {
    const message = `reason is ${shown(reason)}; give one of 1 to ${reasonLengthMax} characters.`;
    throw new BerthError('invalid_value', message, 'reason');
  }
  const now = context.clock.now();
  const signed = kind === 'credit' ? amount : -amount;
  const transaction = {
    ...{ id: newUuid(context.entropy), kind, accountId, instanceId: null, hostId: null, reason, actor, createdAt: now },
    entries: [
      { book: 'cash' as const, amount: -signed },
      { book: 'available' as const, amount: signed },
    ],
  };
  const message = `${kind === 'credit' ? 'Credited' : 'Debited'} ${formatUsd(amount)} USD: ${reason}`;
  await inTransaction(context.database, async (tx) => {
    await settleAccounts(context, tx, [accountId], now, () => insertTransactions(tx, [transaction]));
    await insertEvents(tx, [
      { accountId, instanceId: null, hostId: null, kind: `account.${kind}`, message, actor, createdAt: now },
    ]);
  });
  return transaction.id;
}

/** What an account has. */
export function readBalance(context: Context, accountId: string): Promise<Balance> {
  return read(context.database, accountId);
}

/** An account's transactions, oldest first, with what was left after each. */
export function statement(context: Context, accountId: string, span: Span): Promise<StatementLine[]> {
  return listStatement(context.database, accountId, span);
}

/** A statement as a table for spreadsheets. @param idOf how an instance is named there */
export function statementCsv(lines: readonly StatementLine[], idOf = (instanceId: string) => instanceId): string {
  const heading = [
    ...['at', 'kind', 'instanceId', 'instanceName', 'reason', 'actor'],
    ...['availableMoved', 'heldMoved', 'available', 'held', 'id'],
  ];
  const rows = lines.map((line) => [
    ...[
      line.createdAt.toISOString(),
      line.kind,
      line.instanceId === null ? '' : idOf(line.instanceId),
      line.instanceName ?? '',
      line.reason,
      line.actor,
    ],
    ...[line.availableMoved, line.heldMoved, line.available, line.held].map(formatUsd),
    line.id,
  ]);
  return csv(heading, rows);
}

/**
 * {@link statement} for who asks over the network.
 * @throws BerthError `invalid_value` where the span has more than fits into an answer
 */
export async function boundedStatement(context: Context, accountId: string, span: Span): Promise<StatementLine[]> {
  return bounded(await listStatement(context.database, accountId, span, linesMax + 1), span);
}

/**
 * What an account had before and after a span, and what each kind of transaction moved for each instance in it.
 * @throws BerthError `invalid_value` where the span has more than fits into an answer
 */
export async function statementSums(context: Context, accountId: string, span: Span): Promise<StatementSums> {
  const found = await sumStatement(context.database, accountId, span, linesMax + 1);
  bounded(found.sums, span);
  return found;
}

function bounded<Line>(lines: Line[], { from }: Span): Line[] {
  if (lines.length <= linesMax) return lines;
  const message = `from is ${from.toISOString()}, which makes a statement of more than ${linesMax} lines; ask for a shorter span.`;
  throw new BerthError('invalid_value', message, 'from');
}

/** Transactions, the newest first. @param after the last one of the page before */
export function listTransactions(
  context: Context,
  filter: LedgerFilter,
  limit: number,
  after: { at: string; id: string } | null,
): Promise<LedgerRow[]> {
  return readTransactions(context.database, filter, limit, after);
}

/** One transaction. @throws BerthError `not_found` */
export async function readTransaction(context: Context, id: string): Promise<LedgerRow> {
  const found = await findTransaction(context.database, id);
  if (found) return found;
  throw new BerthError('not_found', `There is no transaction ${shown(id)}.`, id);
}

/** What an account was charged day by day, less refunds. */
export function spendByDay(context: Context, accountId: string, span: Span): Promise<SpendRow[]> {
  return sumSpend(context.database, accountId, span);
}
