// What something uses over time: charts over a span that can be chosen, and the same as a table.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo } from 'react';
import { useFilters } from '../filters.ts';
import { at } from '../format.ts';
import '../style/charts.css';
import { Button } from './button.tsx';
import { Section } from './page.tsx';
import { Empty, Failure, Loading } from './state.tsx';
import { Table } from './table.tsx';
import { When } from './words.tsx';

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

/** A point in time with what was measured then, by name. */
type Point<Field extends string> = { at: string } & Record<Field, number | null>;

/** A chart of some of what was measured. */
export interface Drawn<Field extends string> {
  title: string;
  fields: readonly (readonly [Field, string])[];
  write(value: number): string;
  /** Whether its values are bytes. */
  ofBytes?: boolean;
  /** What the axis reaches to at least. */
  max?: number | undefined;
}

interface MetricsProps<Field extends string> {
  /** What the charts are of. */
  name: string;
  queryKey: readonly unknown[];
  read(from: string): Promise<{ points: Point<Field>[]; latest: { at: string } | null }>;
  charts: readonly Drawn<Field>[];
  /** Why there may be nothing. */
  whyEmpty: string;
}

/** The charts, with the choice of how far back they go. */
export function Metrics<Field extends string>({ name, queryKey, read, charts, whyEmpty }: MetricsProps<Field>) {
  const [{ range }, narrow] = useFilters(names);
  const chosen = ranges.find(({ id }) => id === range) ?? ranges[0];
  const { data, error, refetch } = useQuery({
    queryKey: [...queryKey, chosen.id],
    queryFn: () => read(new Date(Date.now() - chosen.ms).toISOString()),
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
      {data && <Shown points={data.points} {...{ name, charts, whyEmpty }} />}
    </>
  );
}

const has = <Field extends string>(points: readonly Point<Field>[], field: Field) =>
  points.some((point) => point[field] !== null);

type ShownProps<Field extends string> = Pick<MetricsProps<Field>, 'name' | 'charts' | 'whyEmpty'> & {
  points: readonly Point<Field>[];
};

function Shown<Field extends string>({ points, name, charts, whyEmpty }: ShownProps<Field>) {
  const times = useMemo(() => points.map((point) => Date.parse(point.at) / 1000), [points]);
  const shown = charts.filter(({ fields }) => fields.some(([field]) => has(points, field)));
  if (shown.length === 0) {
    return (
      <Empty title="Nothing measured">
        <p>{whyEmpty}</p>
      </Empty>
    );
  }
  return (
    <>
      <div className="cards charts">
        {shown.map((drawn) => (
          <One key={drawn.title} drawn={drawn} times={times} points={points} name={name} />
        ))}
      </div>
      <AsTable points={points} charts={charts} />
    </>
  );
}

interface OneProps<Field extends string> {
  drawn: Drawn<Field>;
  times: number[];
  points: readonly Point<Field>[];
  name: string;
}

function One<Field extends string>({
  drawn: { title, fields, write, max, ofBytes },
  times,
  points,
  name,
}: OneProps<Field>) {
  const lines = useMemo(
    () => fields.map(([field, label]) => ({ label, values: points.map((point): number | null => point[field]) })),
    [fields, points],
  );
  return (
    <Section title={title}>
      <div className="chart-place">
        <Suspense fallback={<Loading what="Loading" />}>
          <Chart
            label={`${title} of ${name} over time; the table below says the same`}
            {...{ times, lines, write, max, ofBytes }}
          />
        </Suspense>
      </div>
    </Section>
  );
}

/** The points that are known, the newest first. */
function AsTable<Field extends string>({ points, charts }: Pick<ShownProps<Field>, 'points' | 'charts'>) {
  const columns = charts.flatMap(({ fields, write }) =>
    fields.map(([field, title]) => ({
      title,
      numeric: true,
      cell: (point: Point<Field>) => {
        const value: number | null = point[field];
        return <span className="nowrap">{value === null ? '–' : write(value)}</span>;
      },
    })),
  );
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
