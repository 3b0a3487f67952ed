// Billing: settles what is due, and ends bills with their instances. What is to be paid is decided in the model; here it is
// read and written, in one transaction for each batch of accounts, so that it may be killed at any moment and run twice.

import { type Charge, type Funds, finish, fundsOf, type Settlement, settle } from '../model/bill.ts';
import { firstPaidUntil, isPaidInAdvance } from '../model/billing-period.ts';
import { spanInWords } from '../model/calendar.ts';
import { newUuid } from '../model/id.ts';
import type { MicroUsd } from '../model/money.ts';
import {
  claimAccounts,
  closeBills,
  insertCharges,
  listAccountsWithOldFunds,
  listDueAccounts,
  listOpenBills,
  listOverdue,
  lockBills,
  writeBills,
  writeFunds,
} from '../store/bill.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import { insertTransactions, lockBalances, type NewTransaction, readBalance } from '../store/ledger.ts';
import type { Context } from './context.ts';

/** Accounts settled in one transaction. */
const accountsMax = 20;
/** Transactions at once: while the database writes one batch, the next is worked out. */
const lanes = 2;
/** Accounts whose standing is followed up in one pass; the next pass takes the others. */
const standingMax = 200;

/** The first bill of an instance: how it is billed, how far it is paid at once, and what that and the deposit come to. */
export interface FirstBill {
  period: Context['settings']['billing']['period'];
  paidUntil: Date;
  /** Whether the first epoch is charged at once. */
  inAdvance: boolean;
}

/** How a deployment made now is billed. */
export function firstBill(context: Context, now: Date): FirstBill {
  const { period } = context.settings.billing;
  return { period, paidUntil: firstPaidUntil(period, now), inAdvance: isPaidInAdvance(period) };
}

/** What must be available to deploy one instance at this price: the first epoch where it is paid ahead, and the deposit. */
export function neededToDeploy({ inAdvance }: FirstBill, price: MicroUsd): MicroUsd {
  return inAdvance ? 2n * price : price;
}

/** Settles what is due, account by account. What another replica is settling is left to it. @returns how many periods */
export async function settleDue(context: Context): Promise<number> {
  const due = await listDueAccounts(context.database, context.clock.now());
  let next = 0;
  const lane = async (): Promise<number> => {
    let periods = 0;
    while (next < due.length) {
      const batch = due.slice(next, next + accountsMax);
      next += accountsMax;
      const now = context.clock.now();
      periods += await inTransaction(context.database, async (tx) => {
        return settleAccounts(context, tx, await claimAccounts(tx, batch), now);
      });
    }
    return periods;
  };
  const settled = await Promise.all(Array.from({ length: lanes }, lane));
  return settled.reduce((sum, periods) => sum + periods, 0);
}

/**
 * Settles accounts in a transaction that holds neither bills nor balances yet, or these accounts' bills.
 * @param first done when the bills are locked and before the balances are read, such as a credit
 * @returns how many periods were decided on
 */
export async function settleAccounts(
  context: Context,
  tx: Tx,
  accountIds: readonly string[],
  now: Date,
  first?: () => Promise<void>,
): Promise<number> {
  const open = await lockBills(tx, { accountIds }, now);
  await first?.();
  const balances = await lockBalances(tx, accountIds);
  const transactions: NewTransaction[] = [];
  const charges: (Charge & { transactionId: string | null })[] = [];
  const settlements: Settlement[] = [];
  for (const accountId of accountIds) {
    const own = open.filter((one) => one.accountId === accountId);
    const settlement = settle(
      balances.get(accountId) ?? 0n,
      own.filter(({ assigned }) => assigned),
      now,
    );
    settlements.push(settlement);
    for (const charge of settlement.charges) {
      const transaction = chargeTransaction(context, accountId, charge, now);
      transactions.push(transaction);
      const moves = charge.fromAvailable + charge.fromHeld > 0n;
      charges.push({ ...charge, transactionId: moves ? transaction.id : null });
    }
    for (const { instanceId, amount } of settlement.refills) {
      transactions.push(
        transactionOf(context, accountId, instanceId, now, {
          kind: 'deposit',
          reason: 'Deposit of one epoch, filled up again',
          entries: [
            { book: 'available', amount: -amount },
            { book: 'held', amount },
          ],
        }),
      );
    }
  }
  await writeBills(
    tx,
    settlements.flatMap(({ bills }) => bills),
  );
  await insertTransactions(tx, transactions);
  await insertCharges(tx, charges);
  return charges.length;
}

/**
 * Ends the bills of instances, in the transaction that ends these. What was held goes back; what an instance that never came
 * up was charged goes back too.
 */
export async function endBills(
  context: Context,
  tx: Tx,
  instances: readonly { instanceId: string; neverRan: boolean }[],
  now: Date,
): Promise<void> {
  const neverRan = new Map(instances.map((one) => [one.instanceId, one.neverRan]));
  const open = await lockBills(tx, { instanceIds: [...neverRan.keys()] }, now);
  if (open.length === 0) return;
  const balances = await lockBalances(tx, [...new Set(open.map(({ accountId }) => accountId))]);
  const transactions: NewTransaction[] = [];
  const charges: (Charge & { transactionId: string | null })[] = [];
  for (const { accountId, bill, evidence } of open) {
    const { instanceId, hostId } = bill;
    const available = balances.get(accountId) ?? 0n;
    const ending = finish(bill, evidence, available, now, neverRan.get(instanceId) ?? false);
    const last = ending.charge;
    if (last) {
      const transaction = chargeTransaction(context, accountId, last, now);
      transactions.push(transaction);
      charges.push({ ...last, transactionId: last.fromAvailable + last.fromHeld > 0n ? transaction.id : null });
    }
    balances.set(accountId, available - (last?.fromAvailable ?? 0n) + ending.release + ending.refund);
    const back = (kind: 'release' | 'refund', reason: string, book: 'held' | 'revenue', amount: MicroUsd) => ({
      ...transactionOf(context, accountId, instanceId, now, {
        kind,
        reason,
        entries: [
          { book, amount: -amount },
          { book: 'available', amount },
        ],
      }),
      hostId,
    });
    transactions.push(back('release', 'Deposit released', 'held', ending.release));
    transactions.push(back('refund', 'It never came up; what was charged goes back', 'revenue', ending.refund));
  }
  const spent = open.map(({ bill }) => bill);
  const lastCharges = new Map(charges.map((charge) => [charge.instanceId, charge.fromAvailable + charge.fromHeld]));
  await writeBills(
    tx,
    spent.map((bill) => {
      const refunded = neverRan.get(bill.instanceId) ? bill.spent : 0n;
      return { ...bill, spent: bill.spent + (lastCharges.get(bill.instanceId) ?? 0n) - refunded };
    }),
  );
  await closeBills(tx, [...neverRan.keys()], now);
  await insertTransactions(tx, transactions);
  await insertCharges(tx, charges);
}

/** The ledger's transaction of a charge. */
export function chargeTransaction(context: Context, accountId: string, charge: Charge, now: Date): NewTransaction {
  const { fromAvailable, fromHeld, begins, ends, priceChange } = charge;
  const span = spanInWords(begins, ends);
  return {
    ...transactionOf(context, accountId, charge.instanceId, now, {
      kind: 'charge',
      reason: priceChange === 0 ? span : `${span}, the difference to a higher price`,
      entries: [
        { book: 'available', amount: -fromAvailable },
        { book: 'held', amount: -fromHeld },
        { book: 'revenue', amount: fromAvailable + fromHeld },
      ],
    }),
    hostId: charge.hostId,
  };
}

/** A transaction that Berth makes of itself. */
export function transactionOf(
  context: Context,
  accountId: string,
  instanceId: string,
  now: Date,
  parts: Pick<NewTransaction, 'kind' | 'reason' | 'entries'>,
): NewTransaction {
  const id = newUuid(context.entropy);
  return { id, accountId, instanceId, hostId: null, actor: 'berth', createdAt: now, ...parts };
}

const fundsEvents: Record<Funds, { kind: string; message: string }> = {
  enough: { kind: 'instance.funds_mended', message: 'The next epoch can be paid and the deposit is whole.' },
  small: { kind: 'instance.small_balance', message: 'The balance does not pay the next epoch; credit the account.' },
  none: {
    kind: 'instance.insufficient_funds',
    message: 'The deposit is used and nothing pays the next epoch; credit the account, or the instance is ended.',
  },
};

/** Follows up how bills stand, with an event for each that has changed; who reads an instance is told at once anyway. */
export async function followFunds(context: Context): Promise<void> {
  for (const accountId of await listAccountsWithOldFunds(context.database, standingMax)) {
    const now = context.clock.now();
    await inTransaction(context.database, async (tx) => {
      const open = await lockBills(tx, { accountIds: [accountId] }, now);
      const balances = await lockBalances(tx, [accountId]);
      const standing = fundsOf(
        balances.get(accountId) ?? 0n,
        open.map(({ bill }) => bill),
      );
      const changes = open.flatMap(({ bill: { instanceId, hostId }, funds }) => {
        const next = standing.get(instanceId) ?? funds;
        return next === funds ? [] : [{ instanceId, hostId, funds: next }];
      });
      await writeFunds(tx, changes, now);
      await insertEvents(
        tx,
        changes.map(({ instanceId, hostId, funds }): NewEvent => {
          return { accountId, instanceId, hostId, ...fundsEvents[funds], actor: 'berth', createdAt: now };
        }),
      );
    });
  }
}

/** How each of an account's open bills stands now. */
export async function readFunds(context: Context, accountId: string): Promise<Map<string, Funds>> {
  const bills = await listOpenBills(context.database, accountId);
  return fundsOf((await readBalance(context.database, accountId)).available, bills);
}

/** Instances that nothing has paid for longer than the grace; who ends them takes their hosts first. */
export function findOverdue(context: Context, limit: number): Promise<string[]> {
  return listOverdue(context.database, { paidBefore: graceBegan(context, context.clock.now()), limit });
}

/**
 * Settles the accounts of instances that are about to be ended, in the transaction that holds these: a credit, or the
 * closing by another replica, may have come between.
 * @returns those that are overdue still
 */
export async function settleOverdue(
  context: Context,
  tx: Tx,
  instances: readonly { id: string; accountId: string }[],
  now: Date,
): Promise<Set<string>> {
  const accountIds = [...new Set(instances.map(({ accountId }) => accountId))];
  if (accountIds.length === 0) return new Set();
  await settleAccounts(context, tx, accountIds, now);
  const among = instances.map(({ id }) => id);
  return new Set(await listOverdue(tx, { paidBefore: graceBegan(context, now), limit: among.length, among }));
}

function graceBegan({ settings }: Context, now: Date): Date {
  return new Date(now.getTime() - settings.billing.graceHours * 60 * 60 * 1000);
}
