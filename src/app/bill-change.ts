// Bills that change while their instances live, in the transaction of the change itself: both are there or neither is. Who
// calls this holds the hosts' and the instances' rows, and no bills or balances yet.

import type { Charge, Evidence } from '../model/bill.ts';
import { type Refusal, reprice, transfer } from '../model/bill-change.ts';
import { BerthError } from '../model/errors.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import {
  insertCharges,
  listBillHandles,
  lockBills,
  moveBill,
  type OpenBill,
  writeBills,
  writePrices,
} from '../store/bill.ts';
import type { Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { insertTransactions, lockBalances, type NewTransaction } from '../store/ledger.ts';
import { chargeTransaction, settleAccounts, transactionOf } from './billing.ts';
import type { Context } from './context.ts';
import { silenceMsMax } from './host.ts';

/** What an instance is to cost from now on. */
export interface NewPrice {
  instanceId: string;
  /** For an epoch, in micro-USD. */
  price: MicroUsd;
  /** What it is paid for now, such as `2 vCPUs`; for whoever reads events and statements. */
  paidFor: string;
}

/**
 * Gives instances other prices. Those whose bills are closed, or that cost as much already, are left out.
 * @param actor who brought it about, as events name him
 * @throws BerthError `insufficient_balance` when one gets dearer than its account can pay, `unavailable` when one gets dearer
 *   and nobody knows what it owes; the caller's transaction is to be undone then
 */
export async function changePrices(context: Context, tx: Tx, given: readonly NewPrice[], actor: string): Promise<void> {
  const now = context.clock.now();
  const wanted = new Map(given.map((one) => [one.instanceId, one]));
  const priceOf = (bill: { instanceId: string; price: MicroUsd }) => wanted.get(bill.instanceId)?.price ?? bill.price;
  const before = (await listBillHandles(tx, [...wanted.keys()])).filter((bill) => priceOf(bill) !== bill.price);
  if (before.length === 0) return;
  // What is due of an account comes before what its owner wants beyond it.
  if (before.some((bill) => priceOf(bill) > bill.price)) await settleAccounts(context, tx, accountsOf(before), now);
  const open = await lockBills(tx, { instanceIds: before.map(({ instanceId }) => instanceId) }, now);
  const balances = await lockBalances(tx, accountsOf(open));
  // What gets cheaper comes first: the deposit that it sets free may pay for what gets dearer.
  const falling = open.filter(({ bill }) => priceOf(bill) < bill.price);
  const rising = open.filter(({ bill }) => priceOf(bill) > bill.price);
  const changes = [...falling, ...rising].map((one) => {
    const { accountId, bill: old } = one;
    const available = balances.get(accountId) ?? 0n;
    const outcome = reprice(available, old, evidenceAt(one, now), priceOf(old), now);
    if ('refused' in outcome) throw refusal(outcome, available);
    balances.set(accountId, outcome.available);
    return { accountId, old, ...outcome };
  });
  const moves = changes.map(({ accountId, bill: { instanceId }, charges, deposit }) => {
    return { accountId, instanceId, charges, deposit, reason: 'Deposit of one epoch at another price' };
  });
  await writeMoves(context, tx, moves, now);
  const bills = changes.map(({ bill }) => bill);
  await writeBills(tx, bills);
  await writePrices(tx, bills);
  await insertEvents(
    tx,
    changes.map(({ accountId, old, bill: { instanceId, hostId, price } }) => ({
      ...{ accountId, instanceId, hostId, kind: 'instance.priced', actor, createdAt: now },
      message: `Costs ${formatUsd(price)} USD an epoch instead of ${formatUsd(old.price)}, for ${wanted.get(instanceId)?.paidFor}.`,
      data: { from: formatUsd(old.price), to: formatUsd(price) },
    })),
  );
}

/**
 * Lets another account pay for an instance from now on. The old one is charged up to now and has its deposit back; what it
 * has paid ahead stays paid.
 * @throws BerthError `insufficient_balance` when the old account owes what it can't pay or the new one can't pay the deposit,
 *   `unavailable` when nobody knows what is owed; the caller's transaction is to be undone then
 */
export async function transferBill(context: Context, tx: Tx, instanceId: string, accountId: string): Promise<void> {
  const now = context.clock.now();
  const [before] = await listBillHandles(tx, [instanceId]);
  if (!before || before.accountId === accountId) return;
  await settleAccounts(context, tx, [before.accountId, accountId], now);
  const [open] = await lockBills(tx, { instanceIds: [instanceId] }, now);
  const balances = await lockBalances(tx, [before.accountId, accountId]);
  if (!open) return;
  const available = { from: balances.get(before.accountId) ?? 0n, to: balances.get(accountId) ?? 0n };
  const outcome = transfer(available, open.bill, evidenceAt(open, now), now);
  if ('refused' in outcome) throw refusal(outcome, available.to);
  const { bill, charges, release } = outcome;
  const moves = [
    { accountId: before.accountId, charges, deposit: -release, reason: 'Deposit released: another account pays now' },
    { accountId, charges: [], deposit: bill.held, reason: 'Deposit of one epoch, of an instance taken over' },
  ];
  await writeMoves(
    context,
    tx,
    moves.map((move) => ({ instanceId, ...move })),
    now,
  );
  await writeBills(tx, [bill]);
  await moveBill(tx, instanceId, accountId);
}

const accountsOf = (bills: readonly { accountId: string }[]) => [...new Set(bills.map(({ accountId }) => accountId))];

/** What is known of an instance's runs; a host that was heard of just now would have said it if one had ended since. */
function evidenceAt({ evidence }: OpenBill, now: Date): Evidence {
  const { knownUntil } = evidence;
  const isFresh = knownUntil !== null && now.getTime() - knownUntil.getTime() <= silenceMsMax;
  return isFresh ? { ...evidence, knownUntil: now } : evidence;
}

function refusal(outcome: Refusal, available: MicroUsd): BerthError {
  if (outcome.refused === 'unknown') {
    const message = 'Its host is out of reach, so nobody knows yet what is owed; try again when it is back.';
    return new BerthError('unavailable', message);
  }
  if (outcome.refused === 'owing') {
    return new BerthError('insufficient_balance', 'Something is due that the balance does not pay.');
  }
  const needed = `what it costs more in this epoch and for the deposit comes to ${formatUsd(outcome.needed)} USD`;
  const message = `The balance is too low: ${needed}, and ${formatUsd(available)} USD are available.`;
  return new BerthError('insufficient_balance', message);
}

/** What is moved of one account's for one instance. */
interface Move {
  accountId: string;
  instanceId: string;
  charges: readonly Charge[];
  /** Into the deposit; below 0 out of it. */
  deposit: MicroUsd;
  reason: string;
}

async function writeMoves(context: Context, tx: Tx, moves: readonly Move[], now: Date): Promise<void> {
  const transactions: NewTransaction[] = [];
  const charges: (Charge & { transactionId: string })[] = [];
  for (const { accountId, instanceId, charges: due, deposit, reason } of moves) {
    for (const charge of due) {
      const transaction = chargeTransaction(context, accountId, charge, now);
      transactions.push(transaction);
      charges.push({ ...charge, transactionId: transaction.id });
    }
    transactions.push(
      transactionOf(context, accountId, instanceId, now, {
        kind: deposit < 0n ? 'release' : 'deposit',
        reason,
        entries: [
          { book: 'available', amount: -deposit },
          { book: 'held', amount: deposit },
        ],
      }),
    );
  }
  await insertTransactions(tx, transactions);
  await insertCharges(tx, charges);
}
