// `--from` and `--to`, as the books take them: from the first moment to before the last.

import type { Command } from 'commander';
import type { Span } from '../app/ledger.ts';
import { BerthError } from '../model/errors.ts';
import { parseMoment } from './parse.ts';

/** The options of {@link withSpan}. */
export interface SpanOptions {
  from?: string;
  to?: string;
}

/** Before anything in any ledger. */
const beginning = new Date('1970-01-01T00:00:00Z');
const dayMs = 24 * 60 * 60 * 1000;

/** Adds `--from` and `--to`. */
export const withSpan = (command: Command) =>
  command
    .option('--from <DAY>', 'from this day or moment on (default: from the beginning)')
    .option('--to <DAY>', 'up to before this day or moment (default: up to now)');

/**
 * The span that was asked for.
 * @throws BerthError `invalid_value`
 */
export function spanOf({ from, to }: SpanOptions, now: Date): Span {
  const span = {
    from: from === undefined ? beginning : parseMoment(from, '--from'),
    // A clock that was put back must not hide what is in the books.
    to: to === undefined ? new Date(now.getTime() + dayMs) : parseMoment(to, '--to'),
  };
  if (span.from < span.to) return span;
  throw new BerthError('invalid_value', `--from is ${from}, which is not before --to, ${to ?? 'now'}.`, '--from');
}
