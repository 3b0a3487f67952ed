// Money by the operator's hand, and the books for those who read them.

import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import { inTransaction, isBalanceShort } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import {
  type Balance,
  insertTransactions,
  listStatement,
  readBalance as read,
  type StatementLine,
  sumRevenue,
} from '../store/ledger.ts';
import { settleAccounts } from './billing.ts';
import type { Context } from './context.ts';

/** One transaction moves at most this: a billion dollars is a typing error. */
const amountMax: MicroUsd = 1_000_000_000_000_000n;
const reasonLengthMax = 500;

/** A span of time, from its first moment to before its last. */
export interface Span {
  from: Date;
  to: Date;
}

/**
 * Gives an account money, and settles at once what it owes.
 * @param amount micro-USD, above 0
 * @throws BerthError `invalid_value`
 */
export async function creditAccount(
  context: Context,
  accountId: string,
  amount: MicroUsd,
  reason: string,
  actor: string,
): Promise<void> {
  await move(context, accountId, 'credit', amount, reason, actor);
}

/**
 * Takes money from an account, of what is available only.
 * @param amount micro-USD, above 0
 * @throws BerthError `invalid_value`; `insufficient_balance` when less is available
 */
export async function debitAccount(
  context: Context,
  accountId: string,
  amount: MicroUsd,
  reason: string,
  actor: string,
): Promise<void> {
  try {
    await move(context, accountId, 'debit', amount, reason, actor);
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
): Promise<void> {
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
}

/** What an account has. */
export function readBalance(context: Context, accountId: string): Promise<Balance> {
  return read(context.database, accountId);
}

/** An account's transactions, oldest first, with what was left after each. */
export function statement(context: Context, accountId: string, span: Span): Promise<StatementLine[]> {
  return listStatement(context.database, accountId, span);
}

/** What each host has earned, less refunds. */
export function revenueByHost(
  context: Context,
  span: Span,
): Promise<{ hostId: string; hostName: string; revenue: MicroUsd }[]> {
  return sumRevenue(context.database, span);
}
