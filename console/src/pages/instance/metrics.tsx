// What an instance uses.

import { useMemo } from 'react';
import type { Instance, InstanceMetricsPoint } from '../../../../sdk/generated/types.ts';
import { bytes } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { type Drawn, Metrics } from '../../ui/metrics.tsx';

type Field = Exclude<keyof InstanceMetricsPoint, 'at'>;

const each = (value: number) => `${bytes(value)}/s`;
const count = (value: number) => String(Math.round(value * 100) / 100);
const chartsOf = ({ vcpus, memoryMib }: Pick<Instance, 'vcpus' | 'memoryMib'>): Drawn<Field>[] => [
  { title: 'Processors', fields: [['cpu', 'vCPUs in use']], write: count, max: vcpus },
  { title: 'Memory', fields: [['memoryBytes', 'Memory']], ofBytes: true, write: bytes, max: memoryMib * 1024 * 1024 },
  {
    title: 'Disks',
    fields: [
      ['diskReadBytesPerSecond', 'Read'],
      ['diskWriteBytesPerSecond', 'Written'],
    ],
    ofBytes: true,
    write: each,
  },
  {
    title: 'Reads and writes',
    fields: [
      ['diskReadsPerSecond', 'Reads a second'],
      ['diskWritesPerSecond', 'Writes a second'],
    ],
    write: count,
  },
  {
    title: 'Network',
    fields: [
      ['networkReceiveBytesPerSecond', 'Received'],
      ['networkSendBytesPerSecond', 'Sent'],
    ],
    ofBytes: true,
    write: each,
  },
];

/** The part of an instance's page with what it uses. */
export default function InstanceUse({ instance }: { instance: Instance }) {
  const berth = useBerth();
  const { vcpus, memoryMib } = instance;
  const charts = useMemo(() => chartsOf({ vcpus, memoryMib }), [vcpus, memoryMib]);
  return (
    <Metrics
      name={instance.name}
      queryKey={['instances', instance.id, 'metrics']}
      read={(from) => berth.instances.getMetrics(instance.id, { from })}
      charts={charts}
      whyEmpty="Its host has not told what it used in this time: it was not on, or is so new that nothing was measured yet."
    />
  );
}
