// `berth vm metrics` and `berth ct metrics`: what an instance used, as its host has measured it.

import type { Instance, InstanceMetricsPoint } from '../../../sdk/generated/types.ts';
import type { Verb } from '../command.ts';
import { find, type Kind } from '../find.ts';
import { type MetricsOptions, mib, queryOf, rate, spanOptions, tableOfPoints } from '../metrics.ts';
import { type Column, relative } from '../table.ts';

const columns: readonly Column<InstanceMetricsPoint>[] = [
  { title: 'from', cell: ({ at }, look) => relative(at, look) },
  { title: 'vcpus', cell: ({ cpu }) => cpu?.toFixed(2), right: true },
  { title: 'memory', cell: ({ memoryBytes }) => mib(memoryBytes), right: true },
  { title: 'read', cell: (one) => rate(one.diskReadBytesPerSecond), right: true, rank: 1 },
  { title: 'written', cell: (one) => rate(one.diskWriteBytesPerSecond), right: true, rank: 1 },
  { title: 'received', cell: (one) => rate(one.networkReceiveBytesPerSecond), right: true, rank: 2 },
  { title: 'sent', cell: (one) => rate(one.networkSendBytesPerSecond), right: true, rank: 2 },
];

/** The verb of a kind of instances. @param noun `vm` or `ct` */
export const metricsVerb = (noun: string, usage: string, what: string, kind: Kind<Instance>): Verb<MetricsOptions> => ({
  usage,
  description: `show what a ${what} used over a span of time, the last hour unless given`,
  operation: 'getInstanceMetrics',
  examples: [`${noun} metrics web-1`, `${noun} metrics web-1 --from 2026-11-20T09:00Z --step 300`],
  options: spanOptions(),
  async run(desk, [text = ''], options) {
    const { id } = await find(desk, kind, text);
    const value = await desk.berth.instances.getMetrics(id, queryOf(options));
    return { value, text: tableOfPoints(columns, value.points) };
  },
});
