// How a bill changes while its instance lives: it gets another price, or another account pays it. Pure. What was before the
// change is settled at the old terms, what comes after it at the new ones. A period that is paid ahead is not paid for again:
// what it gets dearer by is charged for the rest of it, and what it gets cheaper by counts from the next one on.

import { type Bill, type Charge, type Evidence, meter, pay, type Settlement, settleBill } from './bill.ts';
import { epochMs, isPaidInAdvance } from './billing-period.ts';
import { largestOf, type MicroUsd } from './money.ts';

/** A changed bill. */
export interface BillChange {
  bill: Bill;
  /** Of the account that it was. */
  charges: Charge[];
  /** What goes into the deposit; below 0, what comes out of it. */
  deposit: MicroUsd;
  /** What the account has after it. */
  available: MicroUsd;
}

/**
 * Why a bill can't be changed: who is to pay has less than is `needed`; something is due that nothing pays; or nobody knows
 * what is due.
 */
export type Refusal = { refused: 'short'; needed: MicroUsd } | { refused: 'owing' } | { refused: 'unknown' };

/**
 * Gives a bill another price. One that is lower is never refused: who can't pay may always make do with less.
 * @param evidence of a host that was heard of lately, up to `now`
 */
export function reprice(
  available: MicroUsd,
  given: Bill,
  evidence: Evidence,
  price: MicroUsd,
  now: Date,
): BillChange | Refusal {
  const isDearer = price > given.price;
  const settled = settleUpTo(available, given, evidence, now);
  const { bill } = settled;
  if (isDearer && settled.refused) return { refused: settled.refused };
  const paidAt = bill.periodPrice ?? bill.price;
  const restMs = isPaidInAdvance(bill.period)
    ? Math.min(bill.paidUntil.getTime() - now.getTime(), epochMs(bill.period))
    : 0;
  const rest = restMs > 0 && price > paidAt ? shareOf(price - paidAt, restMs, epochMs(bill.period)) : 0n;
  const lacking = isDearer ? largestOf([price - bill.held, 0n]) : 0n;
  if (isDearer && settled.available < rest + lacking) return { refused: 'short', needed: rest + lacking };
  const deposit = isDearer ? lacking : -largestOf([bill.held - price, 0n]);
  const priceChanges = bill.priceChanges + 1;
  const { instanceId, hostId, paidUntil: ends } = bill;
  const charges = [...settled.charges];
  if (rest > 0n) {
    charges.push({
      instanceId,
      hostId,
      begins: now,
      ends,
      fromAvailable: rest,
      fromHeld: 0n,
      priceChange: priceChanges,
    });
  }
  return {
    bill: {
      ...{ ...bill, price, priceChanges, held: bill.held + deposit, spent: bill.spent + rest },
      periodPrice: restMs > 0 && price < paidAt ? paidAt : null,
    },
    charges,
    deposit,
    available: settled.available - rest - deposit,
  };
}

/** A bill that another account pays from now on. */
export interface Transfer {
  /** With the new account's deposit. */
  bill: Bill;
  /** Of the old account. */
  charges: Charge[];
  /** What goes back to the old account. */
  release: MicroUsd;
}

/**
 * Lets another account pay a bill. The old one has its deposit back and the period that it has paid for is not paid again.
 * @param available what the old and the new account have
 * @param evidence of a host that was heard of lately, up to `now`
 */
export function transfer(
  available: { from: MicroUsd; to: MicroUsd },
  given: Bill,
  evidence: Evidence,
  now: Date,
): Transfer | Refusal {
  const settled = settleUpTo(available.from, given, evidence, now);
  const { bill } = settled;
  if (settled.refused) return { refused: settled.refused };
  if (available.to < bill.price) return { refused: 'short', needed: bill.price };
  return { bill: { ...bill, held: bill.price }, charges: settled.charges, release: bill.held };
}

interface Settled {
  bill: Bill;
  available: MicroUsd;
  charges: Charge[];
  /** Why what was before `now` is not settled; null where it is. */
  refused: 'owing' | 'unknown' | null;
}

/** Settles a bill up to now; by the second, that is in the middle of a period. */
function settleUpTo(available: MicroUsd, given: Bill, evidence: Evidence, now: Date): Settled {
  const settlement: Settlement = { available, bills: [], charges: [], refills: [], unpaid: new Set() };
  let bill = settleBill(settlement, given, evidence, now);
  let isPaid = !settlement.unpaid.has(bill.instanceId);
  const isKnown = evidence.knownUntil !== null && evidence.knownUntil >= now;
  if (isPaid && isKnown && !isPaidInAdvance(bill.period) && bill.paidUntil < now) {
    const begins = bill.paidUntil;
    // Where the clock went back, what begins there was charged before.
    const isCharged = evidence.chargedBegins.has(begins.getTime());
    const amount = isCharged ? 0n : meter(bill, evidence, begins, now);
    const paid = amount === 0n ? bill : pay(settlement, bill, { begins, ends: now }, amount);
    isPaid = paid !== null;
    bill = paid ? { ...paid, paidUntil: now } : bill;
  }
  // A period that is paid ahead and in which it has not run yet is charged once it does.
  const isSettled = isKnown || bill.paidUntil > now;
  const refused = isPaid ? (isSettled ? null : 'unknown') : 'owing';
  return { bill, available: settlement.available, charges: settlement.charges, refused };
}

/** The share of an amount for a part of a time, rounded up: a part of a micro-USD is one. */
function shareOf(amount: MicroUsd, partMs: number, wholeMs: number): MicroUsd {
  const whole = BigInt(wholeMs);
  return (amount * BigInt(partMs) + whole - 1n) / whole;
}
