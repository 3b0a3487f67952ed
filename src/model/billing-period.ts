// How time is cut into what is paid for. A price is for one epoch; an epoch is a day, or an hour where billing is by the
// hour or by the second.

import { nextEpochBoundary } from './epoch.ts';
import type { MicroUsd } from './money.ts';

/**
 * - `global-daily`: days that end for everyone at 17:55 UTC (Fluence API: billing)
 * - `daily-per-vm`: days counted from the instance's activation
 * - `hourly`: hours counted from the instance's activation
 * - `per-second`: what ran, by the second, after it ran; prices are for an hour
 * - `daily-per-second`: the same, with prices for a day
 */
export const billingPeriods = ['global-daily', 'daily-per-vm', 'hourly', 'per-second', 'daily-per-second'] as const;

/** One of {@link billingPeriods}. */
export type BillingPeriod = (typeof billingPeriods)[number];

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** What ran by the second is charged this often, and at the end. */
const meteringMs = 60 * 1000;

/** How long an epoch is, the time that a price is for, in milliseconds. */
export function epochMs(period: BillingPeriod): number {
  return period === 'hourly' || period === 'per-second' ? hourMs : dayMs;
}

/** A price for the epoch of one kind of billing as a price for the epoch of another, rounded up to a micro-USD. */
export function priceInEpochOf(price: MicroUsd, from: BillingPeriod, to: BillingPeriod): MicroUsd {
  const [length, wanted] = [BigInt(epochMs(from)), BigInt(epochMs(to))];
  return (price * wanted + length - 1n) / length;
}

/** Whether a period is paid when it begins; otherwise once it is over. */
export function isPaidInAdvance(period: BillingPeriod): boolean {
  return period !== 'per-second' && period !== 'daily-per-second';
}

/** Where the period that begins at `begins` ends. `anchor` is where an instance's own periods are counted from. */
export function periodEnd(period: BillingPeriod, anchor: Date, begins: Date): Date {
  if (period === 'global-daily') return nextEpochBoundary(begins);
  const lengthMs = isPaidInAdvance(period) ? epochMs(period) : meteringMs;
  const whole = Math.floor((begins.getTime() - anchor.getTime()) / lengthMs);
  return new Date(anchor.getTime() + (whole + 1) * lengthMs);
}

/** Where the period that `moment` lies in begins; the first one begins at the anchor. */
export function periodBegin(period: BillingPeriod, anchor: Date, moment: Date): Date {
  const lengthMs = isPaidInAdvance(period) ? epochMs(period) : meteringMs;
  return new Date(Math.max(anchor.getTime(), periodEnd(period, anchor, moment).getTime() - lengthMs));
}

/** How far a deployment at `now` is paid when it is made. */
export function firstPaidUntil(period: BillingPeriod, now: Date): Date {
  return isPaidInAdvance(period) ? periodEnd(period, now, now) : now;
}
