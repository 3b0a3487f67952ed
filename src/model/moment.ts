// Moments and spans of time as people and programs state them.

import { BerthError, shown } from './errors.ts';

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

/** A span of time, from its first moment to before its last. */
export interface Span {
  from: Date;
  to: Date;
}

/** Before anything in any ledger. */
const beginning = new Date('1970-01-01T00:00:00Z');
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Reads a span: from the beginning where no first moment is given, and up to now where no last one is.
 * @param fields how whoever states them calls the two
 * @throws BerthError `invalid_value`
 */
export function parseSpan(
  given: { from?: string | undefined; to?: string | undefined },
  now: Date,
  fields: Record<keyof Span, string>,
): Span {
  const { from, to } = given;
  const span = {
    from: from === undefined ? beginning : parseMoment(from, fields.from),
    // A clock that was put back must not hide what is in the books.
    to: to === undefined ? new Date(now.getTime() + dayMs) : parseMoment(to, fields.to),
  };
  if (span.from < span.to) return span;
  const message = `${fields.from} is ${from}, which is not before ${fields.to}, ${to ?? 'now'}.`;
  throw new BerthError('invalid_value', message, fields.from);
}
