// What an account spends as things are, and how long that can go on.

import { type BillingPeriod, epochMs, isPaidInAdvance, priceInEpochOf } from './billing-period.ts';
import type { MicroUsd } from './money.ts';

/** What something that runs is to be paid for next. */
export interface RunningBill {
  period: BillingPeriod;
  /** For one epoch of `period`. */
  price: MicroUsd;
  paidUntil: Date;
}

/** What runs longer on its money than this runs on without an end that anybody plans for. */
const horizonMs = 100 * 366 * 24 * 60 * 60 * 1000;

/** What an epoch of one kind of billing costs of everything that runs. */
export function spendPerEpoch(bills: readonly RunningBill[], period: BillingPeriod): MicroUsd {
  return bills.reduce((sum, bill) => sum + priceInEpochOf(bill.price, bill.period, period), 0n);
}

/**
 * The first moment at which something can't be paid for out of what is available, if nothing changes until then. Deposits are not
 * counted: they pay for one epoch more.
 * @returns null where the money does not run out within a hundred years
 */
export function lastsUntil(available: MicroUsd, bills: readonly RunningBill[]): Date | null {
  const begin = Math.min(...bills.map(({ paidUntil }) => paidUntil.getTime()));
  const costAt = (moment: number) => bills.reduce((sum, bill) => sum + costUntil(bill, moment), 0n);
  if (!Number.isFinite(begin) || costAt(begin + horizonMs) <= available) return null;
  let [enough, short] = [begin - 1, begin + horizonMs];
  while (short - enough > 1) {
    const middle = Math.floor((enough + short) / 2);
    if (costAt(middle) > available) short = middle;
    else enough = middle;
  }
  return new Date(short);
}

/** What has been paid of a bill by a moment, in milliseconds, beside what is paid already. */
function costUntil({ period, price, paidUntil }: RunningBill, moment: number): MicroUsd {
  const lengthMs = epochMs(period);
  const elapsedMs = moment - paidUntil.getTime();
  if (elapsedMs < 0) return 0n;
  if (isPaidInAdvance(period)) return price * BigInt(Math.floor(elapsedMs / lengthMs) + 1);
  return (price * BigInt(elapsedMs)) / BigInt(lengthMs);
}
