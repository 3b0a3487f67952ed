// `berth vm metrics`: what a VM used, as its host has measured it.

import type { InstanceMetricsPoint } from '../../../sdk/generated/types.ts';
import { option, type Verb } from '../command.ts';
import { find, vmKind } from '../find.ts';
import { type Column, relative, size, tableOf } from '../table.ts';

const rate = (bytes: number | null) => (bytes === null ? '' : `${(bytes / 1024).toFixed(1)} KiB/s`);
const mib = (bytes: number | null) => (bytes === null ? '' : size(Math.round(bytes / 1024 ** 2)));

const columns: readonly Column<InstanceMetricsPoint>[] = [
  { title: 'from', cell: ({ at }, look) => relative(at, look) },
  { title: 'vcpus', cell: ({ cpu }) => cpu?.toFixed(2), right: true },
  { title: 'memory', cell: ({ memoryBytes }) => mib(memoryBytes), right: true },
  { title: 'read', cell: (one) => rate(one.diskReadBytesPerSecond), right: true, rank: 1 },
  { title: 'written', cell: (one) => rate(one.diskWriteBytesPerSecond), right: true, rank: 1 },
  { title: 'received', cell: (one) => rate(one.networkReceiveBytesPerSecond), right: true, rank: 2 },
  { title: 'sent', cell: (one) => rate(one.networkSendBytesPerSecond), right: true, rank: 2 },
];

interface Options {
  from?: string;
  to?: string;
  step?: string;
}

/** The verb. */
export const metricsVerb: Verb<Options> = {
  usage: 'metrics <VM>',
  description: 'show what a VM used over a span of time, the last hour unless given',
  operation: 'getInstanceMetrics',
  examples: ['vm metrics web-1', 'vm metrics web-1 --from 2026-11-20T09:00Z --step 300'],
  options: [
    option('--from <TIME>', 'from this day or moment on'),
    option('--to <TIME>', 'up to before this day or moment'),
    option('--step <SECONDS>', 'from one line to the next; 300 unless given'),
  ],
  async run(desk, [text = ''], { from, to, step = '300' }) {
    const { id } = await find(desk, vmKind, text);
    // Which steps there are is the server's to say.
    const value = await desk.berth.instances.getMetrics(id, { from, to, step: Number(step) as 300 });
    const known = value.points.filter(({ cpu, memoryBytes }) => cpu !== null || memoryBytes !== null);
    return {
      value,
      text: (look) => (known.length === 0 ? 'Nothing was measured then.\n' : tableOf(columns, known, look)),
    };
  },
};
