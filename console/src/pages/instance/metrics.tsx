// What an instance uses: charts over a span that can be chosen, and the same as a table.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo } from 'react';
import type { Instance, InstanceMetrics, InstanceMetricsPoint } from '../../../../sdk/generated/types.ts';
import { useFilters } from '../../filters.ts';
import { at, bytes } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import { Empty, Failure, Loading } from '../../ui/state.tsx';
import { Table } from '../../ui/table.tsx';
import { When } from '../../ui/words.tsx';

const Chart = lazy(() => import('./chart.tsx'));

/** Hosts measure as often, and no event tells of it. */
const askEveryMs = 10_000;
const hourMs = 3_600_000;
const ranges = [
  { id: '', label: '1 hour', ms: hourMs },
  { id: '6h', label: '6 hours', ms: 6 * hourMs },
  { id: '1d', label: '1 day', ms: 24 * hourMs },
  { id: '7d', label: '7 days', ms: 7 * 24 * hourMs },
] as const;
const names = ['range'] as const;

type Field = Exclude<keyof InstanceMetricsPoint, 'at'>;
interface Drawn {
  title: string;
  fields: readonly (readonly [Field, string])[];
  write(value: number): string;
}

const each = (value: number) => `${bytes(value)}/s`;
const count = (value: number) => String(Math.round(value * 100) / 100);
const charts: Drawn[] = [
  { title: 'Processors', fields: [['cpu', 'vCPUs in use']], write: count },
  { title: 'Memory', fields: [['memoryBytes', 'Memory']], write: bytes },
  {
    title: 'Disks',
    fields: [
      ['diskReadBytesPerSecond', 'Read'],
      ['diskWriteBytesPerSecond', 'Written'],
    ],
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
    write: each,
  },
];

/** The part of an instance's page with what it uses. */
export default function Metrics({ instance }: { instance: Instance }) {
  const berth = useBerth();
  const [{ range }, narrow] = useFilters(names);
  const chosen = ranges.find(({ id }) => id === range) ?? ranges[0];
  const { data, error, refetch } = useQuery({
    queryKey: ['instances', instance.id, 'metrics', chosen.id],
    queryFn: () => {
      const from = new Date(Date.now() - chosen.ms).toISOString();
      return berth.instances.getMetrics(instance.id, { from });
    },
    refetchInterval: askEveryMs,
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <div className="section-head">
        <p className="fine">
          {data?.latest ? (
            <>
              Measured by its host <When time={data.latest.at} />
            </>
          ) : (
            'Measured by its host every 10 seconds'
          )}
        </p>
        <fieldset className="buttons bare" aria-label="How far back">
          {ranges.map(({ id, label }) => (
            <Button key={id} aria-pressed={chosen.id === id} onClick={() => narrow({ range: id })}>
              {label}
            </Button>
          ))}
        </fieldset>
      </div>
      {error && <Failure error={error} onRetry={() => refetch()} />}
      {!data && !error && <Loading what="Reading what it uses" />}
      {data && <Shown metrics={data} instance={instance} />}
    </>
  );
}

const has = (points: readonly InstanceMetricsPoint[], field: Field) => points.some((point) => point[field] !== null);

function Shown({ metrics: { points }, instance }: { metrics: InstanceMetrics; instance: Instance }) {
  const times = useMemo(() => points.map((point) => Date.parse(point.at) / 1000), [points]);
  const shown = charts.filter(({ fields }) => fields.some(([field]) => has(points, field)));
  if (shown.length === 0) {
    return (
      <Empty title="Nothing measured">
        <p>
          Its host has not told what it used in this time: it was not on, or is so new that nothing was measured yet.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <div className="cards charts">
        {shown.map((drawn) => (
          <One key={drawn.title} drawn={drawn} times={times} points={points} instance={instance} />
        ))}
      </div>
      <AsTable points={points} />
    </>
  );
}

interface OneProps {
  drawn: Drawn;
  times: number[];
  points: readonly InstanceMetricsPoint[];
  instance: Instance;
}

function One({ drawn: { title, fields, write }, times, points, instance }: OneProps) {
  const lines = useMemo(
    () => fields.map(([field, label]) => ({ label, values: points.map((point) => point[field]) })),
    [fields, points],
  );
  const max =
    title === 'Processors' ? instance.vcpus : title === 'Memory' ? instance.memoryMib * 1024 * 1024 : undefined;
  return (
    <Section title={title}>
      <Suspense fallback={<Loading what="Loading" />}>
        <Chart
          label={`${title} of ${instance.name} over time; the table below says the same`}
          {...{ times, lines, write, max }}
        />
      </Suspense>
    </Section>
  );
}

const columns = charts.flatMap(({ fields, write }) =>
  fields.map(([field, title]) => ({
    title,
    numeric: true,
    cell: (point: InstanceMetricsPoint) => {
      const value = point[field];
      return <span className="nowrap">{value === null ? '–' : write(value)}</span>;
    },
  })),
);

/** The points that are known, the newest first. */
function AsTable({ points }: { points: readonly InstanceMetricsPoint[] }) {
  const known = points.filter((point) => charts.some(({ fields }) => fields.some(([field]) => point[field] !== null)));
  return (
    <details className="card">
      <summary>As a table</summary>
      <Table
        label="What it used"
        rows={known.toReversed()}
        columns={[{ title: 'Time', cell: (point) => <span className="nowrap">{at(point.at)}</span> }, ...columns]}
        keyOf={(point) => point.at}
      />
    </details>
  );
}
