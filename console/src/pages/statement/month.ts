// Months in UTC, as statements go by them.

/** So many are offered, the running one among them. */
const monthsOffered = 12;
const name = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });
const textLength = 'yyyy-mm'.length;

const startOf = (month: string) => new Date(`${month}-01T00:00:00Z`);

/** The month so many after another one. */
function monthAfter(month: string, count: number): string {
  const start = startOf(month);
  return new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + count)).toISOString().slice(0, textLength);
}

/** The last months, the running one first, as `2026-11`. */
export function lastMonths(now: Date): string[] {
  const running = now.toISOString().slice(0, textLength);
  return Array.from({ length: monthsOffered }, (_, index) => monthAfter(running, -index));
}

/** `November 2026`. */
export const monthName = (month: string): string => name.format(startOf(month));

/** A month as the API takes spans of time. */
export const spanOf = (month: string): { from: string; to: string } => ({
  from: `${month}-01`,
  to: `${monthAfter(month, 1)}-01`,
});

/** Its days, as `2026-11-01`. */
export function daysOf(month: string): string[] {
  const start = startOf(month);
  const count = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 0)).getUTCDate();
  return Array.from({ length: count }, (_, index) => `${month}-${String(index + 1).padStart(2, '0')}`);
}
