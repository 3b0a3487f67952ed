// What an operator types, read into values. What a value may be is the business of model/; here is only what it means.

import { BerthError, shown } from '../model/errors.ts';
import { parseMoment } from '../model/moment.ts';

const dayMs = 24 * 60 * 60 * 1000;
const unitsMs: Record<string, number> = { h: 60 * 60 * 1000, d: dayMs, w: 7 * dayMs };
/** What is longer is meant to be "for ever". */
const durationMsMax = 100 * 366 * dayMs;

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
