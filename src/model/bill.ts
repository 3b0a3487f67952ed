// What instances owe and how it is paid: one account's bills, balance and evidence in; movements of money and new bills
// out. Pure. A period is charged only where the instance is known to have run in it; what nobody knows yet waits. Bills are
// paid in the order in which their instances were deployed, from what is available first and then from their own deposits.

import { type BillingPeriod, epochMs, isPaidInAdvance, periodBegin, periodEnd } from './billing-period.ts';
import type { MicroUsd } from './money.ts';

/** What one instance owes and how far it is paid. Amounts are in micro-USD, prices for one epoch. */
export interface Bill {
  instanceId: string;
  hostId: string;
  period: BillingPeriod;
  /** Where its own periods are counted from. */
  anchorAt: Date;
  price: MicroUsd;
  /** The dearest price that the present period was paid at, where that is more than {@link price} by now. */
  periodPrice: MicroUsd | null;
  /** How often its price has changed. */
  priceChanges: number;
  paidUntil: Date;
  held: MicroUsd;
  spent: MicroUsd;
}

/** What is known of when an instance ran. */
export interface Evidence {
  /** Its current run, from when on; null while it does not run. */
  runningSince: Date | null;
  /** Since when it is known to be switched off; it keeps its place, which is as good as running, but by the second. */
  offSince: Date | null;
  /** The end of the last run that is over. */
  ranUntil: Date | null;
  /** Up to when anything is known: when its host was last heard of. */
  knownUntil: Date | null;
  /** Begins of periods from `paidUntil` on that were charged already, in milliseconds: the clock went back since. */
  chargedBegins: ReadonlySet<number>;
}

/** A period that is charged, and from where it is paid. */
export interface Charge {
  instanceId: string;
  hostId: string;
  begins: Date;
  ends: Date;
  fromAvailable: MicroUsd;
  fromHeld: MicroUsd;
  /** Which change of the price it is for; 0 for what is charged of a period as such. */
  priceChange: number;
}

/** What is to be written of one account. */
export interface Settlement {
  available: MicroUsd;
  /** Those that have changed. */
  bills: Bill[];
  charges: Charge[];
  /** Deposits filled up again from what is available. */
  refills: { instanceId: string; amount: MicroUsd }[];
  /** Instances with a period that is due and that nothing pays. */
  unpaid: Set<string>;
}

/** Settles everything that is due of one account's open bills, given in the order of deployment. */
export function settle(
  available: MicroUsd,
  bills: readonly { bill: Bill; evidence: Evidence }[],
  now: Date,
): Settlement {
  const settlement: Settlement = { available, bills: [], charges: [], refills: [], unpaid: new Set() };
  const settled = bills.map(({ bill, evidence }) => settleBill(settlement, bill, evidence, now));
  for (const [index, bill] of settled.entries()) {
    const lacking = bill.price - bill.held;
    if (lacking > 0n && !settlement.unpaid.has(bill.instanceId) && settlement.available >= lacking) {
      settlement.available -= lacking;
      settlement.refills.push({ instanceId: bill.instanceId, amount: lacking });
      settled[index] = { ...bill, held: bill.price };
    }
  }
  settlement.bills = settled.filter((bill, index) => bill !== bills[index]?.bill);
  return settlement;
}

/** Settles everything that is due of one bill, and adds to `settlement` what that takes. */
export function settleBill(settlement: Settlement, given: Bill, evidence: Evidence, now: Date): Bill {
  let bill = putBack(given, now);
  while (bill.paidUntil <= now) {
    const begins = bill.paidUntil;
    const ends = periodEnd(bill.period, bill.anchorAt, begins);
    if (!isPaidInAdvance(bill.period) && ends > now) break;
    if (evidence.chargedBegins.has(begins.getTime())) {
      bill = { ...bill, paidUntil: ends, periodPrice: null };
      continue;
    }
    const amount = amountOf(bill, evidence, begins, ends);
    if (amount === null) break;
    // That it did not run is not written down: should the clock have been wrong, the period is looked at again.
    const paid = amount === 0n ? bill : pay(settlement, bill, { begins, ends }, amount);
    if (!paid) {
      settlement.unpaid.add(bill.instanceId);
      break;
    }
    bill = { ...paid, paidUntil: ends, periodPrice: null };
  }
  return bill;
}

/**
 * A bill that is paid further ahead than one epoch was so before the clock went back: the present period is looked at
 * again, and is not charged again where it was.
 */
function putBack(bill: Bill, now: Date): Bill {
  if (bill.paidUntil.getTime() <= now.getTime() + epochMs(bill.period)) return bill;
  const { period, anchorAt } = bill;
  // The first period was paid at the deployment, before its instance's own periods had a begin.
  const first = isPaidInAdvance(period) ? periodEnd(period, anchorAt, anchorAt) : anchorAt;
  const present = periodBegin(period, anchorAt, now);
  return { ...bill, paidUntil: new Date(Math.max(present.getTime(), first.getTime())) };
}

/** What a period costs: nothing when the instance is known not to have run in it, null while nobody knows. */
function amountOf(bill: Bill, evidence: Evidence, begins: Date, ends: Date): MicroUsd | null {
  const { knownUntil } = evidence;
  const isOver = knownUntil !== null && knownUntil >= ends;
  if (!isPaidInAdvance(bill.period)) return isOver ? meter(bill, evidence, begins, ends) : null;
  if (runsOf(evidence).some(({ from, to }) => from < ends.getTime() && to > begins.getTime())) return bill.price;
  return isOver ? 0n : null;
}

/** The price of the seconds that it ran within a span, rounded so that spans next to each other sum up exactly. */
export function meter({ price, anchorAt, period }: Bill, evidence: Evidence, begins: Date, ends: Date): MicroUsd {
  const upTo = (moment: number) => (price * BigInt(moment - anchorAt.getTime())) / BigInt(epochMs(period));
  return runsOf({ ...evidence, offSince: null }).reduce((sum, { from, to }) => {
    const [first, last] = [Math.max(from, begins.getTime()), Math.min(to, ends.getTime())];
    return first < last ? sum + upTo(last) - upTo(first) : sum;
  }, 0n);
}

/** The runs that are known of, which don't overlap; a run that began before anybody looked began long ago. */
function runsOf({ runningSince, offSince, ranUntil, knownUntil }: Evidence): { from: number; to: number }[] {
  const runs = [];
  const current = runningSince ?? offSince;
  if (ranUntil !== null) {
    const to = current ? Math.min(ranUntil.getTime(), current.getTime()) : ranUntil.getTime();
    runs.push({ from: Number.NEGATIVE_INFINITY, to });
  }
  // Being seen switched off for the first time tells of that moment, and of nothing before it.
  if (current && knownUntil) {
    const from = runningSince ? runningSince.getTime() : Math.min(current.getTime(), knownUntil.getTime()) - 1;
    runs.push({ from, to: knownUntil.getTime() });
  }
  return runs;
}

/** Pays for a period, from what is available first. @returns null where that and the deposit are too little */
export function pay(
  settlement: Settlement,
  bill: Bill,
  { begins, ends }: { begins: Date; ends: Date },
  amount: MicroUsd,
): Bill | null {
  if (settlement.available + bill.held < amount) return null;
  const fromAvailable = settlement.available < amount ? settlement.available : amount;
  const fromHeld = amount - fromAvailable;
  settlement.available -= fromAvailable;
  const { instanceId, hostId } = bill;
  settlement.charges.push({ instanceId, hostId, begins, ends, fromAvailable, fromHeld, priceChange: 0 });
  return { ...bill, held: bill.held - fromHeld, spent: bill.spent + amount };
}

/** How an instance ends: what it still owes, and what goes back to the customer. */
export interface Ending {
  /** What ran by the second and was not charged yet; null where nothing was. */
  charge: Charge | null;
  /** What is left of the deposit. */
  release: MicroUsd;
  /** What was charged for an instance that never came up. */
  refund: MicroUsd;
}

/**
 * Ends a bill.
 * @param neverRan the instance failed before it was active, so that everything goes back
 */
export function finish(bill: Bill, evidence: Evidence, available: MicroUsd, now: Date, neverRan: boolean): Ending {
  if (neverRan) return { charge: null, release: bill.held, refund: bill.spent };
  const ended = { ...evidence, knownUntil: now };
  const owed = isPaidInAdvance(bill.period) || bill.paidUntil >= now ? 0n : meter(bill, ended, bill.paidUntil, now);
  // What can't be paid any more is given up.
  const fromAvailable = available < owed ? available : owed;
  const rest = owed - fromAvailable;
  const fromHeld = rest < bill.held ? rest : bill.held;
  const { instanceId, hostId, paidUntil: begins } = bill;
  const charge = owed > 0n ? { instanceId, hostId, begins, ends: now, fromAvailable, fromHeld, priceChange: 0 } : null;
  return { charge, release: bill.held - fromHeld, refund: 0n };
}

/** - `enough` · `small`: the next epoch can't be paid · `none`: the deposit is used (Fluence API: VM statuses) */
export type Funds = 'enough' | 'small' | 'none';

/** How each of an account's open bills stands, given in the order of deployment. */
export function fundsOf(
  available: MicroUsd,
  bills: readonly Pick<Bill, 'instanceId' | 'price' | 'held'>[],
): Map<string, Funds> {
  let needed = 0n;
  return new Map(
    bills.map(({ instanceId, price, held }): [string, Funds] => {
      if (held < price) return [instanceId, 'none'];
      needed += price;
      return [instanceId, needed > available ? 'small' : 'enough'];
    }),
  );
}
