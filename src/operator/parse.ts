// What an operator types, read into values. What a value may be is the business of model/; here is only what it means.

import { BerthError, shown } from '../model/errors.ts';
import { type MicroUsd, parseUsd } from '../model/money.ts';

const dayMs = 24 * 60 * 60 * 1000;
const unitsMs: Record<string, number> = { h: 60 * 60 * 1000, d: dayMs, w: 7 * dayMs };
/** What is longer is meant to be "for ever". */
const durationMsMax = 100 * 366 * dayMs;

/**
 * Reads a day or a moment in UTC: `2027-01-31`, or `2027-01-31T12:00:00Z`.
 * @throws BerthError `invalid_value`
 */
export function parseMoment(text: string, field: string): Date {
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const moment = new Date(text);
  const isReal = !Number.isNaN(moment.getTime()) && isDayOfMonth(text);
  if (isIso && isReal) return moment;
  const rule = 'write a day such as 2027-01-31 or a moment such as 2027-01-31T12:00:00Z';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}

/** JavaScript takes the 31st of February for the 3rd of March. */
function isDayOfMonth(text: string): boolean {
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === text.slice(0, 10);
}

/**
 * Reads when something ends: `30d`, `12h`, `2w` from now on, or as {@link parseMoment}.
 * @throws BerthError `invalid_value`
 */
export function parseExpiry(text: string, now: Date, field: string): Date {
  const [, count = '', unit = ''] = /^(\d{1,6})([hdw])$/.exec(text) ?? [];
  if (count === '') {
    if (/^\d{4}-/.test(text)) return parseMoment(text, field);
    const rule = 'write a time such as 30d, 12h or 2w, or a day such as 2027-01-31';
    throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
  }
  const durationMs = Number(count) * (unitsMs[unit] ?? 0);
  if (durationMs > 0 && durationMs <= durationMsMax) return new Date(now.getTime() + durationMs);
  throw new BerthError(
    'invalid_value',
    `${field} is ${shown(text)}; it must be more than nothing and at most 100 years.`,
    field,
  );
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
 * Reads a decimal number of at least 0; how large it may be is the model's business.
 * @throws BerthError `invalid_value`
 */
export function parseNumber(text: string, field: string): number {
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; it must be a number, such as 4 or 1.5.`, field);
}

/** `none` takes a word back. */
export function orNone<Value>(text: string | undefined, read: (text: string) => Value): Value | null | undefined {
  if (text === undefined) return undefined;
  return text === 'none' ? null : read(text);
}

/** For an option that may be given more than once. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/**
 * Reads `NAME=VALUE`.
 * @throws BerthError `invalid_value`
 */
export function parsePair(text: string, field: string): [name: string, value: string] {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; write it as ssd=0.002.`, field);
}
