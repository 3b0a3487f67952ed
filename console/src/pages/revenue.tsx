// What was earned: over time, and by host, datacenter, account or kind.

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Revenue, RevenueItem } from '../../../sdk/generated/types.ts';
import { useFilters } from '../filters.ts';
import { many, percent, usd } from '../format.ts';
import { save } from '../save.ts';
import { useBerth } from '../session.tsx';
import '../style/revenue.css';
import { useAct } from '../ui/act.ts';
import { Button } from '../ui/button.tsx';
import { SelectField, TextField } from '../ui/form.tsx';
import { Page, Section } from '../ui/page.tsx';
import { Empty, Failure, Loading } from '../ui/state.tsx';
import { Table } from '../ui/table.tsx';
import { type Asked, askedOf, bys, itemName, pers, revenueFilters } from './revenue/asked.ts';
import { OverTime } from './revenue/over-time.tsx';

/** The page. */
export default function RevenuePage() {
  const berth = useBerth();
  const [filters, narrow] = useFilters(revenueFilters);
  const [busy, act] = useAct();
  const asked = askedOf(filters);
  const { by, per, span } = asked;
  const download = () =>
    act(
      async () =>
        save(await berth.money.revenueCsv({ by, per, ...span, top: csvTop }), `revenue-by-${by}-per-${per}.csv`),
      'The table is downloaded',
    );
  return (
    <Page
      title="Revenue"
      actions={
        <Button busy={busy} onClick={() => void download()}>
          Download CSV
        </Button>
      }
    >
      <div className="filters">
        <SelectField label="By" value={by} choices={bys} onChange={(value) => narrow({ by: value })} />
        <SelectField label="In" value={per} choices={pers} onChange={(value) => narrow({ per: value })} />
        <TextField label="From" type="date" value={filters.from} onChange={(from) => narrow({ from })} />
        <TextField label="Up to before" type="date" value={filters.to} onChange={(to) => narrow({ to })} />
      </div>
      <OverTime {...asked} />
      <Earned {...asked} />
    </Page>
  );
}

/** So many have a column of their own in the file, which with a year of days fits into an answer. */
const csvTop = 100;

function Earned({ by, per, span }: Asked) {
  const berth = useBerth();
  const { data, error, refetch } = useQuery({
    queryKey: ['revenue', 'earned', by, per, span],
    queryFn: () => berth.money.getRevenue({ by, per, ...span, top: csvTop }),
    placeholderData: keepPreviousData,
  });
  // What is wrong with the question is told above already.
  if (error && !data) return null;
  if (!data) return <Loading what="Adding up" />;
  const total = Number(data.total);
  const share = ({ revenue }: Pick<Row, 'revenue'>) => (total > 0 ? Math.max(0, Number(revenue) / total) : 0);
  const word = bys.find(({ value }) => value === by)?.label ?? '';
  return (
    <Section title="Who earned it">
      {data.items.length === 0 ? (
        <Empty title="Nothing was earned">
          <p>What instances are charged is the revenue of the hosts that they run on.</p>
        </Empty>
      ) : (
        <Table
          label={`Revenue by ${by}`}
          rows={rowsOf(data)}
          keyOf={({ key }) => key}
          columns={[
            { title: word, cell: ({ item, name }) => (item ? <Name by={by} item={item} /> : name) },
            {
              title: 'Share',
              cell: (row) => (
                <span className="share">
                  <span className="share-bar" aria-hidden="true">
                    <span style={{ width: percent(share(row)).replace(' ', '') }} />
                  </span>
                  {percent(share(row))}
                </span>
              ),
            },
            { title: 'Revenue', numeric: true, cell: ({ revenue }) => usd(revenue) },
          ]}
        />
      )}
      {error && <Failure error={error} onRetry={refetch} />}
    </Section>
  );
}

interface Row {
  key: string;
  name: string;
  item: RevenueItem | null;
  revenue: string;
}

const rowsOf = ({ items, others }: Revenue): Row[] => [
  ...items.map((item) => ({ key: item.id ?? item.name ?? 'none', name: itemName(item), item, revenue: item.revenue })),
  ...(others
    ? [{ key: 'others', name: many(others.count, 'other', 'others'), item: null, revenue: others.revenue }]
    : []),
];

/** A name that leads to whose it is, where there is a page. */
function Name({ by, item }: { by: Asked['by']; item: RevenueItem }) {
  const name = itemName(item);
  if (item.id && by === 'host') {
    return (
      <Link to="/console/hosts/$host" params={{ host: item.id }}>
        {name}
      </Link>
    );
  }
  if (item.id && by === 'account') {
    return (
      <Link to="/console/accounts/$account" params={{ account: item.id }}>
        {name}
      </Link>
    );
  }
  return name;
}
