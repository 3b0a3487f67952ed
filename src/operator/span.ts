// `--from` and `--to`, as the books take them: from the first moment to before the last.

import type { Command } from 'commander';
import { parseSpan, type Span } from '../model/moment.ts';

/** The options of {@link withSpan}. */
export interface SpanOptions {
  from?: string;
  to?: string;
}

/** Adds `--from` and `--to`. */
export const withSpan = (command: Command) =>
  command
    .option('--from <DAY>', 'from this day or moment on (default: from the beginning)')
    .option('--to <DAY>', 'up to before this day or moment (default: up to now)');

/**
 * The span that was asked for.
 * @throws BerthError `invalid_value`
 */
export const spanOf = (options: SpanOptions, now: Date): Span =>
  parseSpan(options, now, { from: '--from', to: '--to' });
