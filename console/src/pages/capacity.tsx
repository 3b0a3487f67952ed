// How many instances of each size still fit, datacenter by datacenter.

import { usd } from '../format.ts';
import { useBerth } from '../session.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { Badge } from '../ui/words.tsx';

/** Below this many an operator should think of more hosts. */
const fewBelow = 5;

/** The page. */
export default function CapacityPage() {
  const berth = useBerth();
  const list = useList(['capacity', 'list'], () => berth.offers.listCapacity({ limit: 200 }));
  return (
    <Page title="Capacity">
      <List
        label="Capacity"
        list={list}
        keyOf={({ datacenter, configuration }) => `${datacenter?.id}-${configuration.slug}`}
        columns={[
          { title: 'Datacenter', cell: ({ datacenter }) => datacenter?.slug ?? 'none' },
          { title: 'Configuration', cell: ({ configuration }) => <code>{configuration.slug}</code> },
          { title: 'Hosts', numeric: true, cell: ({ hosts }) => hosts },
          {
            title: 'Still fit',
            numeric: true,
            cell: ({ available }) => (
              <span>
                {available < fewBelow && (
                  <Badge tone={available === 0 ? 'bad' : 'busy'}>{available === 0 ? 'full' : 'few left'}</Badge>
                )}{' '}
                {available.toLocaleString('en-US')}
              </span>
            ),
          },
          {
            title: 'From, an epoch',
            numeric: true,
            cell: ({ pricePerEpochFrom }) => (pricePerEpochFrom ? usd(pricePerEpochFrom) : '–'),
          },
        ]}
        empty={
          <Empty title="Nothing is sold">
            <p>What is here needs hosts that are open, and configurations.</p>
          </Empty>
        }
      />
    </Page>
  );
}
