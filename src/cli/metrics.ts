// What instances and hosts used, as tables: the span that is asked for, and the figures as people read them.

import { option } from './command.ts';
import { type Column, type Look, size, tableOf } from './table.ts';

/** Which span, and how fine. */
export interface MetricsOptions {
  from?: string;
  to?: string;
  step?: string;
}

/** The options. */
export const spanOptions = () => [
  option('--from <TIME>', 'from this day or moment on; an hour before --to unless given'),
  option('--to <TIME>', 'up to before this day or moment; now unless given'),
  option('--step <SECONDS>', 'seconds from one line to the next; 300 unless given'),
];

/** What they ask for. Which steps there are is the server's to say. */
export const queryOf = ({ from, to, step = '300' }: MetricsOptions) => ({ from, to, step: Number(step) as 300 });

/** A rate. */
export const rate = (bytes: number | null) => (bytes === null ? '' : `${(bytes / 1024).toFixed(1)} KiB/s`);
/** An amount. */
export const mib = (bytes: number | null) => (bytes === null ? '' : size(Math.round(bytes / 1024 ** 2)));

/** The points of which anything is known. */
export function tableOfPoints<Point extends { cpu: number | null; memoryBytes: number | null }>(
  columns: readonly Column<Point>[],
  points: readonly Point[],
): (look: Look) => string {
  const known = points.filter(({ cpu, memoryBytes }) => cpu !== null || memoryBytes !== null);
  return (look) => (known.length === 0 ? 'Nothing was measured then.\n' : tableOf(columns, known, look));
}
