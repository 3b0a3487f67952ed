// What an operator looks at first: whether the hosts are up, how full they are, what they bring in.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Host } from '../../../../sdk/generated/types.ts';
import { gib, many, mib, percent, usd } from '../../format.ts';
import { hostPath, hostsPath } from '../../paths.ts';
import { useSession } from '../../session.tsx';
import { Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/state.tsx';
import { When } from '../../ui/words.tsx';

/** More hosts than this are in their own list. */
const hostsRead = 1_000;
const downShown = 5;

/** Hosts, capacity and revenue. */
export function OperatorCards() {
  const { berth } = useSession();
  const hosts = useQuery({
    queryKey: ['hosts', 'overview'],
    queryFn: async () => {
      const found: Host[] = [];
      for await (const host of berth.hosts.list({ limit: 200 })) {
        found.push(host);
        if (found.length === hostsRead) break;
      }
      return found.filter(({ state }) => state !== 'retired');
    },
  });
  const revenue = useQuery({
    queryKey: ['ledger', 'revenue-today'],
    queryFn: () => berth.money.getRevenue({ from: new Date().toISOString().slice(0, 10), by: 'account' }),
  });
  return (
    <div className="cards overview-row">
      <Section title="Hosts" actions={<Link to={hostsPath}>All hosts</Link>}>
        {hosts.error && <Failure error={hosts.error} onRetry={() => hosts.refetch()} />}
        {hosts.data ? <HostHealth hosts={hosts.data} /> : <Loading what="Reading hosts" />}
      </Section>
      <Section title="Capacity sold">{hosts.data && <Sold hosts={hosts.data} />}</Section>
      <Section title="Revenue today">
        {revenue.error && <Failure error={revenue.error} onRetry={() => revenue.refetch()} />}
        {revenue.data && (
          <>
            <p className="figure">{usd(revenue.data.total)}</p>
            <p className="fine">of {many(revenue.data.items.length, 'account')}, since midnight UTC</p>
          </>
        )}
      </Section>
    </div>
  );
}

function HostHealth({ hosts }: { hosts: Host[] }) {
  const down = hosts.filter(({ reachable }) => !reachable);
  const drained = hosts.filter(({ state }) => state === 'drained').length;
  if (hosts.length === 0) return <p className="fine">There are no hosts: enrol one, and it is on the market.</p>;
  return (
    <>
      <p className="figure">
        {hosts.length - down.length} <span className="per">of {hosts.length} up</span>
      </p>
      {drained > 0 && <p className="fine">{many(drained, 'host is', 'hosts are')} drained and take nothing new</p>}
      {down.length > 0 && (
        <ul className="down" aria-label="Hosts that are not heard of">
          {down.slice(0, downShown).map(({ id, name, lastSeenAt }) => (
            <li key={id}>
              <Link to={hostPath(id)}>{name}</Link>{' '}
              {lastSeenAt ? (
                <>
                  was heard of <When time={lastSeenAt} />
                </>
              ) : (
                'has never been heard of'
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Sold({ hosts }: { hosts: Host[] }) {
  const sum = (of: (host: Host) => number) => hosts.reduce((total, host) => total + of(host), 0);
  const parts = [
    { name: 'vCPUs', sold: sum(({ sold }) => sold.vcpus), all: sum(({ capacity }) => capacity.vcpus), show: String },
    {
      ...{ name: 'Memory', show: mib },
      ...{ sold: sum(({ sold }) => sold.memoryMib), all: sum(({ capacity }) => capacity.memoryMib) },
    },
    {
      ...{ name: 'Disk', show: gib },
      ...{ sold: sum(({ sold }) => sold.diskGib), all: sum(({ capacity }) => capacity.diskGib) },
    },
  ];
  return (
    <dl className="sold">
      {parts.map(({ name, sold, all, show }) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <span>
              {all > 0 ? percent(sold / all) : '–'}{' '}
              <span className="fine">
                {show(sold)} of {show(all)}
              </span>
            </span>
            <span className="meter" aria-hidden="true">
              <span style={{ width: all > 0 ? `${Math.min(100, (sold / all) * 100)}%` : 0 }} />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
