// Moments in requests.

import { BerthError, shown } from '../../model/errors.ts';

const pattern = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * The moment that a request names.
 * @throws BerthError `invalid_value`
 */
export function readTime(text: string, field: string): Date {
  const day = pattern.exec(text)?.[1];
  const moment = new Date(text);
  // JavaScript takes the 31st of June for the 1st of July.
  const isReal = day !== undefined && !Number.isNaN(moment.getTime()) && isDay(day);
  if (isReal) return moment;
  const message = `${field} is ${shown(text)}; a moment looks like 2027-01-31T12:00:00Z.`;
  throw new BerthError('invalid_value', message, field);
}

function isDay(day: string): boolean {
  const date = new Date(`${day}T00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
