// What was earned: by host, datacenter or account, and month by month.

import { useQuery } from '@tanstack/react-query';
import type { RevenueItem } from '../../../sdk/generated/types.ts';
import { given, useFilters } from '../filters.ts';
import { percent, usd } from '../format.ts';
import { useBerth } from '../session.tsx';
import '../style/revenue.css';
import { SelectField, TextField } from '../ui/form.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Empty, Failure, Loading } from '../ui/state.tsx';
import { Table } from '../ui/table.tsx';

const filterNames = ['by', 'from', 'to'] as const;
const bys = ['host', 'datacenter', 'account'] as const;
const titles = { host: 'Host', datacenter: 'Datacenter', account: 'Account' } as const;
/** So many months are looked back over. */
const monthsShown = 6;

/** The page. */
export default function RevenuePage() {
  const [filters, narrow] = useFilters(filterNames);
  const by = bys.find((one) => one === filters.by) ?? 'host';
  return (
    <Page title="Revenue">
      <Months />
      <div className="filters">
        <SelectField
          label="By"
          value={by}
          choices={bys.map((one) => ({ value: one, label: titles[one] }))}
          onChange={(value) => narrow({ by: value })}
        />
        <TextField label="From" type="date" value={filters.from} onChange={(from) => narrow({ from })} />
        <TextField label="Up to before" type="date" value={filters.to} onChange={(to) => narrow({ to })} />
      </div>
      <Earned by={by} from={filters.from} to={filters.to} />
    </Page>
  );
}

function Earned({ by, from, to }: { by: (typeof bys)[number]; from: string; to: string }) {
  const berth = useBerth();
  const { data, error, refetch } = useQuery({
    queryKey: ['revenue', by, from, to],
    queryFn: () => berth.money.getRevenue({ by, ...given({ from, to }) }),
  });
  if (error) return <Failure error={error} onRetry={refetch} />;
  if (!data) return <Loading what="Adding up" />;
  const total = Number(data.total);
  const share = ({ revenue }: RevenueItem) => (total > 0 ? Math.max(0, Number(revenue) / total) : 0);
  return (
    <Section title={`${usd(data.total)} by ${by}`}>
      {data.items.length === 0 ? (
        <Empty title="Nothing was earned">
          <p>What instances are charged is the revenue of the hosts that they run on.</p>
        </Empty>
      ) : (
        <Table
          label={`Revenue by ${by}`}
          rows={data.items}
          keyOf={({ id }) => id ?? 'none'}
          columns={[
            { title: titles[by], cell: ({ name }) => name ?? 'in no datacenter' },
            {
              title: 'Share',
              cell: (item) => (
                <span className="share">
                  <span className="share-bar" aria-hidden="true">
                    <span style={{ width: percent(share(item)).replace(' ', '') }} />
                  </span>
                  {percent(share(item))}
                </span>
              ),
            },
            { title: 'Revenue', numeric: true, cell: ({ revenue }) => usd(revenue) },
          ]}
        />
      )}
    </Section>
  );
}

interface Month {
  label: string;
  from: string;
  to: string;
}

/** The last months up to this one, in UTC as the ledger has it. */
function lastMonths(now: Date): Month[] {
  const start = (back: number) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1));
  return Array.from({ length: monthsShown }, (_, index) => {
    const back = monthsShown - 1 - index;
    const from = start(back);
    return {
      label: from.toLocaleDateString('en-GB', { month: 'short', year: 'numeric', timeZone: 'UTC' }),
      from: from.toISOString().slice(0, 10),
      to: start(back - 1)
        .toISOString()
        .slice(0, 10),
    };
  });
}

const chart = { width: 600, height: 140, gap: 16 };

function Months() {
  const berth = useBerth();
  const months = lastMonths(new Date());
  const { data, error, refetch } = useQuery({
    queryKey: ['revenue', 'months', months[0]?.from],
    queryFn: () => Promise.all(months.map(async ({ from, to }) => (await berth.money.getRevenue({ from, to })).total)),
  });
  if (error) return <Failure error={error} onRetry={refetch} />;
  if (!data) return <Loading what="Adding up months" />;
  const most = Math.max(...data.map(Number), Number.MIN_VALUE);
  const step = chart.width / months.length;
  const told = months.map(({ label }, index) => `${label}: ${usd(data[index] ?? '0')}`).join(', ');
  return (
    <Section title="Month by month">
      <svg
        className="months"
        role="img"
        aria-label={`Revenue by month. ${told}`}
        viewBox={`0 0 ${chart.width} ${chart.height + 44}`}
      >
        {months.map(({ label }, index) => {
          const height = (Math.max(0, Number(data[index])) / most) * chart.height;
          const middle = index * step + step / 2;
          return (
            <g key={label}>
              <rect
                x={index * step + chart.gap / 2}
                y={chart.height + 20 - height}
                width={step - chart.gap}
                height={height}
                rx="3"
              />
              <text x={middle} y={chart.height + 14 - height}>
                {usd(data[index] ?? '0')}
              </text>
              <text x={middle} y={chart.height + 38}>
                {label}
              </text>
            </g>
          );
        })}
      </svg>
    </Section>
  );
}
