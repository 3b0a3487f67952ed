// How figures are written for people. What comes from the server is exact; what is written here may be rounded, and says so by its unit.

const dollars = (digits: Intl.NumberFormatOptions) =>
  new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', ...digits });
const cents = dollars({ minimumFractionDigits: 2 });
const small = dollars({ minimumFractionDigits: 2, maximumFractionDigits: 4 });
const tiny = dollars({ minimumSignificantDigits: 1, maximumSignificantDigits: 4 });
/** Below this the digits after the cents tell something: what an hour costs is often less than a cent. */
const smallBelow = 100;
const tinyBelow = 0.001;
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** US dollars, as `$1,234.50`, `$0.315`, `$0.0131`: the same figure has the same digits wherever it stands. */
export function usd(amount: string | number): string {
  const value = Number(amount);
  const size = Math.abs(value);
  if (size === 0 || size >= smallBelow) return cents.format(value);
  return (size < tinyBelow ? tiny : small).format(value);
}

const hourSeconds = 3_600;
const daySeconds = 24 * hourSeconds;
/** What is shown for a month is for so many days. */
export const monthDays = 30;

/** What is paid for an epoch, for an hour. */
export const perHour = (amount: string, epochSeconds: number): string =>
  usd((Number(amount) * hourSeconds) / epochSeconds);

/** What is paid for an epoch, for a month of 30 days, to the cent. */
export const perMonth = (amount: string, epochSeconds: number): string =>
  cents.format((Number(amount) * monthDays * daySeconds) / epochSeconds);

/** How long an epoch is, as a word: `day`, `hour`, `6 h`. */
export function epochWord(epochSeconds: number): string {
  if (epochSeconds === daySeconds) return 'day';
  return epochSeconds === hourSeconds ? 'hour' : `${trimmed(epochSeconds / hourSeconds)} h`;
}

/** A size, as `2 GiB` or `512 MiB`. */
export function mib(size: number): string {
  if (size >= 1024 * 1024) return `${trimmed(size / 1024 / 1024)} TiB`;
  return size >= 1024 ? `${trimmed(size / 1024)} GiB` : `${size} MiB`;
}

/** A size, as `40 GiB` or `1.5 TiB`. */
export const gib = (size: number): string => mib(size * 1024);

/** Bytes, as `1.2 MiB`. */
export const bytes = (size: number): string => {
  if (size < 1024) return `${Math.round(size)} B`;
  return size < 1024 * 1024 ? `${trimmed(size / 1024)} KiB` : mib(Number(trimmed(size / 1024 / 1024)));
};

/** A fraction, as `42 %`. */
export const percent = (fraction: number): string => `${Math.round(fraction * 100)} %`;

const trimmed = (value: number): string => String(Math.round(value * 10) / 10);

/** A moment as it lies from now, as `3 minutes ago`. */
export function ago(time: string, nowMs = Date.now()): string {
  const seconds = (Date.parse(time) - nowMs) / 1000;
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return Math.abs(seconds) < 10 ? 'just now' : relative.format(Math.round(seconds), 'second');
}

/** A moment in the time zone of who looks, as `22 Nov 2026, 14:03:21`. */
export const at = (time: string): string => absolute.format(new Date(time));

/** One or several, as `1 VM` and `2 VMs`. */
export const many = (count: number, one: string, several = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`;
