// Lines of what an instance has said, and how much of it may be asked for.

import { BerthError, shown } from './errors.ts';

/** A line of output. */
export interface LogLine {
  /** RFC 3339, with as many digits of a second as are known. */
  timestamp: string;
  stream: 'stdout' | 'stderr' | 'system';
  line: string;
}

/** The kind of event that keeps the last lines of a container that is no more, in `data.lines`. */
export const lastWordsKind = 'container.last_words';

/** Which lines of a container's output a host is asked for. */
export interface StreamQuery {
  /** The last so many lines. */
  tail: number;
  /** Only what was said from this moment on, in RFC 3339. */
  since: string | null;
  /** Goes on with what is said from now on, until the container ends. */
  follow: boolean;
}

/** A longer line is cut. */
export const logLineLengthMax = 16 * 1024;
/** Lines that one call can ask for. */
export const logLinesMax = 10_000;
/** Lines that are told where no number is asked for. */
export const logLinesDefault = 100;

/** Why no more lines come: the instance has ended, there is no such instance on the host, or the host can't read them. */
export const logEndings = ['ended', 'gone', 'unavailable'] as const;
/** One of {@link logEndings}. */
export type LogEnding = (typeof logEndings)[number];

const dateTimePattern = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
const secondsPattern = /^\d{1,12}(\.\d{1,9})?$/;
const spanPattern = /^(\d{1,9}(\.\d{1,9})?(ms|[smhd]))+$/;
const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** What a JavaScript date can hold, before and after 1970. */
const dateMsMax = 8.64e15;

/**
 * The moment from which on lines are asked for: an RFC 3339 time, seconds since 1970, or a span back from now such as `10m`
 * or `1h30m`. An empty text is no moment.
 * @throws BerthError `invalid_value`
 */
export function parseSince(text: string, now: Date, field: string): Date | null {
  if (text === '') return null;
  const ms = momentOf(text, now.getTime());
  if (!Number.isNaN(ms) && Math.abs(ms) <= dateMsMax) return new Date(ms);
  const forms = 'a time such as 2026-01-31T12:00:00Z, seconds since 1970, or a span such as 10m';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; it must be ${forms}.`, field);
}

/** Milliseconds since 1970; NaN for what names no moment. */
function momentOf(text: string, nowMs: number): number {
  if (secondsPattern.test(text)) return Number(text) * 1_000;
  if (dateTimePattern.test(text)) return Date.parse(text.toUpperCase().replace(' ', 'T'));
  if (!spanPattern.test(text)) return Number.NaN;
  const parts = text.matchAll(/([\d.]+)([a-z]+)/g);
  return nowMs - parts.reduce((sum, [, number, unit = '']) => sum + Number(number) * (unitMs[unit] ?? Number.NaN), 0);
}

/** The newest lines, said at or after a moment. */
export function newestLines(lines: readonly LogLine[], tail: number, since: Date | null): LogLine[] {
  const recent = since ? lines.filter(({ timestamp }) => Date.parse(timestamp) >= since.getTime()) : lines;
  return recent.slice(Math.max(0, recent.length - tail));
}
