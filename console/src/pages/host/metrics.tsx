// What a host uses, with all that runs on it.

import { useMemo } from 'react';
import type { Host, HostMetricsPoint } from '../../../../sdk/generated/types.ts';
import { bytes } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { type Drawn, Metrics } from '../../ui/metrics.tsx';

type Field = Exclude<keyof HostMetricsPoint, 'at'>;

const mibBytes = 1024 * 1024;
const count = (value: number) => String(Math.round(value * 100) / 100);

function chartsOf(cores: number | undefined, memoryMib: number | undefined): Drawn<Field>[] {
  const memoryBytes = memoryMib === undefined ? undefined : memoryMib * mibBytes;
  return [
    { title: 'Processors', fields: [['cpu', 'Cores in use']], write: count, max: cores },
    { title: 'Memory', fields: [['memoryBytes', 'Memory']], ofBytes: true, write: bytes, max: memoryBytes },
    { title: 'Storage', fields: [['diskBytes', 'Taken']], ofBytes: true, write: bytes },
    {
      title: 'Network',
      fields: [
        ['networkReceiveBytesPerSecond', 'Received'],
        ['networkSendBytesPerSecond', 'Sent'],
      ],
      ofBytes: true,
      write: (value) => `${bytes(value)}/s`,
    },
    { title: 'Instances that run', fields: [['instances', 'Instances']], write: count },
  ];
}

/** The part of a host's page with what it uses. */
export function HostUse({ host: { id, name, machine } }: { host: Host }) {
  const berth = useBerth();
  const charts = useMemo(() => chartsOf(machine?.cores, machine?.memoryMib), [machine?.cores, machine?.memoryMib]);
  return (
    <Metrics
      name={name}
      queryKey={['hosts', id, 'metrics']}
      read={(from) => berth.hosts.getMetrics(id, { from })}
      charts={charts}
      whyEmpty="Its agent has told nothing in this time: it was out of reach, or is so new that nothing was measured yet."
    />
  );
}
