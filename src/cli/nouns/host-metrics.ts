// `berth host metrics`: what a host used, as its agent has measured it.

import type { HostMetricsPoint } from '../../../sdk/generated/types.ts';
import type { Verb } from '../command.ts';
import { find, hostKind } from '../find.ts';
import { type MetricsOptions, mib, queryOf, rate, spanOptions, tableOfPoints } from '../metrics.ts';
import { type Column, relative } from '../table.ts';

const columns: readonly Column<HostMetricsPoint>[] = [
  { title: 'from', cell: ({ at }, look) => relative(at, look) },
  { title: 'cores', cell: ({ cpu }) => cpu?.toFixed(2), right: true },
  { title: 'memory', cell: ({ memoryBytes }) => mib(memoryBytes), right: true },
  { title: 'storage', cell: ({ diskBytes }) => mib(diskBytes), right: true, rank: 1 },
  { title: 'received', cell: (one) => rate(one.networkReceiveBytesPerSecond), right: true, rank: 2 },
  { title: 'sent', cell: (one) => rate(one.networkSendBytesPerSecond), right: true, rank: 2 },
  { title: 'inst', cell: ({ instances }) => instances, right: true, rank: 3 },
];

/** The verb. */
export const hostMetricsVerb: Verb<MetricsOptions> = {
  usage: 'metrics <HOST>',
  description: 'show what a host used over a span of time, the last hour unless given',
  operation: 'getHostMetrics',
  examples: ['host metrics rack-1', 'host metrics rack-1 --from 2026-11-20 --step 3600'],
  options: spanOptions(),
  async run(desk, [text = ''], options) {
    const { id } = await find(desk, hostKind, text);
    const value = await desk.berth.hosts.getMetrics(id, queryOf(options));
    return { value, text: tableOfPoints(columns, value.points) };
  },
};
