// Money is a whole number of micro-USD (one millionth of a dollar) inside, and a decimal string outside. No floating point.

import { BerthError, shown } from './errors.ts';

/** An amount in micro-USD. */
export type MicroUsd = bigint;

/** What JSON Schemas hold amounts to; more than {@link formatUsd} writes, which may be less than nothing. */
export const usdPattern = '^-?\\d+(\\.\\d{1,6})?$';

const decimalPattern = /^(\d{0,12})(?:\.(\d{0,6}))?$/;

/**
 * Reads a decimal string of US dollars with up to six decimals; `".30697"` without a leading zero is one, as the Fluence
 * API's own examples write it.
 * @returns the amount in micro-USD, or null when the text is no such number
 */
export function parseUsd(text: string): MicroUsd | null {
  const match = decimalPattern.exec(text);
  if (!match || !/\d/.test(text)) return null;
  const [, whole = '', fraction = ''] = match;
  return BigInt(whole || '0') * 1_000_000n + BigInt(fraction.padEnd(6, '0') || '0');
}

/**
 * Reads an amount of US dollars above 0.
 * @throws BerthError `invalid_value`
 */
export function parseAmount(text: string, field: string): MicroUsd {
  const amount = parseUsd(text);
  if (amount !== null && amount > 0n) return amount;
  const rule = 'it must be US dollars above 0 with at most six decimals, such as "25" or "0.5"';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}

/**
 * Writes an amount as a decimal string of US dollars without needless zeros: 306_980n is `"0.30698"`.
 * @param amount micro-USD, may be negative
 */
export function formatUsd(amount: MicroUsd): string {
  const sign = amount < 0n ? '-' : '';
  const absolute = amount < 0n ? -amount : amount;
  const fraction = (absolute % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  return `${sign}${absolute / 1_000_000n}${fraction && `.${fraction}`}`;
}

/** The largest of some amounts; 0 where there is none. */
export function largestOf(amounts: readonly MicroUsd[]): MicroUsd {
  let largest = 0n;
  for (const amount of amounts) if (amount > largest) largest = amount;
  return largest;
}
