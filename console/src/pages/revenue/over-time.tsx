// What was earned over time: bars of who earned most upon each other, and the same as a table.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo } from 'react';
import type { Revenue } from '../../../../sdk/generated/types.ts';
import { many, usd } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import '../../style/charts.css';
import { Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { type Asked, itemName, periodWord } from './asked.ts';

const Chart = lazy(() => import('../../ui/chart.tsx'));

/** So many have a colour of their own; the rest have one together. */
const shownMax = 5;

/** The picture and the table. */
export function OverTime({ by, per, span }: Asked) {
  const berth = useBerth();
  const { data, error, refetch } = useQuery({
    queryKey: ['revenue', 'over-time', by, per, span],
    queryFn: () => berth.money.getRevenue({ by, per, ...span, top: shownMax }),
    placeholderData: keepPreviousData,
  });
  if (error) return <Failure error={error} onRetry={refetch} />;
  if (!data) return <Loading what="Adding up" />;
  return <Shown revenue={data} />;
}

const partsOf = ({ items, others }: Revenue) => [
  ...items.map((item) => ({ label: itemName(item), ...item })),
  ...(others ? [{ label: many(others.count, 'other', 'others'), ...others }] : []),
];

function Shown({ revenue }: { revenue: Revenue }) {
  const { periods, total } = revenue;
  // A day in UTC stands at the axis as that day wherever one looks from.
  const times = useMemo(() => periods.map((day) => Date.parse(`${day}T00:00`) / 1000), [periods]);
  const lines = useMemo(
    () => partsOf(revenue).map(({ label, byPeriod }) => ({ label, values: byPeriod.map(Number) })),
    [revenue],
  );
  const per = revenue.per ?? 'day';
  return (
    <Section title={`${usd(total)} in ${many(periods.length, per)}`}>
      {lines.length === 0 ? (
        <p className="fine">Nothing was earned in this time.</p>
      ) : (
        <Suspense fallback={<Loading what="Loading" />}>
          <Chart
            stacked
            label={`Revenue by ${per}; the table below says the same`}
            {...{ times, lines }}
            write={(value) => usd(String(value))}
          />
        </Suspense>
      )}
      <details>
        <summary>As a table</summary>
        <ByPeriod revenue={revenue} />
      </details>
    </Section>
  );
}

function ByPeriod({ revenue }: { revenue: Revenue }) {
  const { periods, totalByPeriod } = revenue;
  const per = revenue.per ?? 'day';
  const columns: Column<number>[] = [
    { title: periodWord[per], cell: (index) => <span className="nowrap">{periods[index]}</span> },
    ...partsOf(revenue).map(({ label, byPeriod }) => ({
      ...{ title: label, numeric: true },
      cell: (index: number) => usd(byPeriod[index] ?? '0'),
    })),
    { title: 'All', numeric: true, cell: (index) => usd(totalByPeriod[index] ?? '0') },
  ];
  return (
    <Table
      label={`Revenue by ${per}`}
      rows={[...periods.keys()].reverse()}
      columns={columns}
      keyOf={(index) => periods[index] ?? ''}
    />
  );
}
