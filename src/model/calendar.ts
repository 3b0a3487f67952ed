// Days, weeks and months, in UTC as the ledger has them.

/** What time is divided into where it is looked back on; weeks begin on Mondays, as ISO 8601 and PostgreSQL have it. */
export const calendarUnits = ['day', 'week', 'month'] as const;

/** One of {@link calendarUnits}. */
export type CalendarUnit = (typeof calendarUnits)[number];

const daysOfWeek = 7;

/** The first moment of the unit that a moment is in. */
export function startOf(unit: CalendarUnit, moment: Date): Date {
  const [year, month, day] = [moment.getUTCFullYear(), moment.getUTCMonth(), moment.getUTCDate()];
  if (unit === 'month') return new Date(Date.UTC(year, month, 1));
  const sinceMonday = unit === 'week' ? (moment.getUTCDay() + daysOfWeek - 1) % daysOfWeek : 0;
  return new Date(Date.UTC(year, month, day - sinceMonday));
}

/** The first moment of the unit that lies so many after the one that a moment is in; before it where that is negative. */
export function startAfter(unit: CalendarUnit, moment: Date, count: number): Date {
  const start = startOf(unit, moment);
  const [year, month, day] = [start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()];
  if (unit === 'month') return new Date(Date.UTC(year, month + count, 1));
  return new Date(Date.UTC(year, month, day + count * (unit === 'week' ? daysOfWeek : 1)));
}

/** A day as it is written, such as `2026-11-22`. */
const toDay = (moment: Date): string => moment.toISOString().slice(0, 10);

/** A moment as people read it, to the second where it is not on the minute: `2026-11-22 17:55`. */
const toReadable = (moment: Date): string =>
  moment
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?\.\d+Z$/, '');

/** A span of time as people read it: `2026-11-21 17:55 to 2026-11-22 17:55 UTC`. */
export const spanInWords = (from: Date, to: Date): string => `${toReadable(from)} to ${toReadable(to)} UTC`;

/**
 * The first days of all units that a span has something of.
 * @param limit no more than so many
 */
export function unitsWithin(unit: CalendarUnit, { from, to }: { from: Date; to: Date }, limit: number): string[] {
  const days: string[] = [];
  for (let start = startOf(unit, from); start < to && days.length < limit; start = startAfter(unit, start, 1)) {
    days.push(toDay(start));
  }
  return days;
}
