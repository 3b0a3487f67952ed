// The machines that run what is sold: a map of how full each is, or a list.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Datacenter, Host } from '../../../sdk/generated/types.ts';
import { useFilters } from '../filters.ts';
import { gib, many, mib } from '../format.ts';
import { useBerth } from '../session.tsx';
import '../style/hosts.css';
import { Bar } from '../ui/bar.tsx';
import { Button } from '../ui/button.tsx';
import { useDialog } from '../ui/dialog.tsx';
import { SelectField } from '../ui/form.tsx';
import { HostState } from '../ui/host-state.tsx';
import { List, type ListState, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty, Failure, Loading } from '../ui/state.tsx';
import { EnrolHost } from './host/enrol.tsx';

const filterNames = ['state', 'reachable', 'datacenter', 'view'] as const;
const states = ['open', 'drained', 'retired'] as const;
/** A page of hosts; the most that the server gives at once. */
const pageRows = 200;

/** The page. */
export default function HostsPage() {
  const berth = useBerth();
  const [dialog, open] = useDialog();
  const [filters, narrow] = useFilters(filterNames);
  const state = states.find((one) => one === filters.state);
  const { datacenter, reachable } = filters;
  const asked = {
    state,
    ...(datacenter ? { datacenter } : {}),
    ...(reachable ? { reachable: reachable === 'true' } : {}),
  };
  const list = useList(['hosts', 'list', asked], () => berth.hosts.list({ ...asked, limit: pageRows }));
  const places = useDatacenters();
  const enrol = (
    <Button variant="primary" onClick={() => open((close) => <EnrolHost onClose={close} />)}>
      Enrol a host
    </Button>
  );
  const empty = (
    <Empty title="No such host" action={enrol}>
      <p>A host is a machine of yours that runs what you sell. Enrol one with a command that you run there.</p>
    </Empty>
  );
  return (
    <Page title="Hosts" actions={enrol}>
      <div className="filters">
        <SelectField
          label="State"
          value={filters.state}
          choices={[{ value: '', label: 'All' }, ...states.map((one) => ({ value: one, label: one }))]}
          onChange={(value) => narrow({ state: value })}
        />
        <SelectField
          label="Reachable"
          value={reachable}
          choices={[
            { value: '', label: 'Both' },
            { value: 'true', label: 'Those in reach' },
            { value: 'false', label: 'Those out of reach' },
          ]}
          onChange={(value) => narrow({ reachable: value })}
        />
        <SelectField
          label="Datacenter"
          value={datacenter}
          choices={[{ value: '', label: 'All' }, ...places.map(({ slug }) => ({ value: slug, label: slug }))]}
          onChange={(value) => narrow({ datacenter: value })}
        />
        <SelectField
          label="Shown as"
          value={filters.view}
          choices={[
            { value: '', label: 'Map' },
            { value: 'list', label: 'List' },
          ]}
          onChange={(value) => narrow({ view: value })}
        />
      </div>
      {filters.view === 'list' ? (
        <HostList list={list} places={places} empty={empty} />
      ) : (
        <HostMap list={list} places={places} empty={empty} />
      )}
      {dialog}
    </Page>
  );
}

function useDatacenters(): Datacenter[] {
  const berth = useBerth();
  const { data = [] } = useQuery({ queryKey: ['datacenters', 'all'], queryFn: () => berth.datacenters.list().all() });
  return data;
}

interface Shown {
  list: ListState<Host>;
  places: Datacenter[];
  empty: React.ReactNode;
}

const slugOf = (places: Datacenter[], id: string | null) => places.find((place) => place.id === id)?.slug ?? id;

function HostMap({ list, places, empty }: Shown) {
  if (list.isPending) return <Loading what="Reading hosts" />;
  if (list.error && list.rows.length === 0) return <Failure error={list.error} onRetry={list.retry} />;
  if (list.rows.length === 0) return empty;
  return (
    <>
      <ul className={list.isStale ? 'tiles stale' : 'tiles'} aria-label="Hosts">
        {list.rows.map((host) => (
          <li key={host.id} className="card">
            <div className="section-head">
              <h2>
                <Link to="/console/hosts/$host" params={{ host: host.id }}>
                  {host.name}
                </Link>
              </h2>
              <HostState of={host} />
            </div>
            <HostBars host={host} />
            <p className="fine">
              {many(host.instances, 'instance')}
              {host.datacenter && `, ${slugOf(places, host.datacenter)}`}
              {host.orphans > 0 && `, ${many(host.orphans, 'orphan')}`}
            </p>
          </li>
        ))}
      </ul>
      {list.hasMore && <Button onClick={list.more}>Show more</Button>}
    </>
  );
}

/** What of a host is sold. */
export const HostBars = ({ host: { sold, capacity } }: { host: Host }) => (
  <>
    <Bar label="vCPUs" used={sold.vcpus} size={capacity.vcpus} />
    <Bar label="Memory" used={sold.memoryMib} size={capacity.memoryMib} write={mib} />
    <Bar label="Storage" used={sold.diskGib} size={capacity.diskGib} write={gib} />
  </>
);

const HostList = ({ list, places, empty }: Shown) => (
  <List
    label="Hosts"
    list={list}
    keyOf={({ id }) => id}
    columns={[
      {
        title: 'Name',
        cell: ({ id, name }) => (
          <Link to="/console/hosts/$host" params={{ host: id }}>
            {name}
          </Link>
        ),
      },
      { title: 'State', cell: (host) => <HostState of={host} /> },
      { title: 'Datacenter', cell: ({ datacenter }) => slugOf(places, datacenter) ?? '–' },
      { title: 'Instances', numeric: true, cell: ({ instances }) => instances },
      { title: 'vCPUs sold', numeric: true, cell: ({ sold, capacity }) => `${sold.vcpus} of ${capacity.vcpus}` },
      {
        title: 'Memory sold',
        numeric: true,
        cell: ({ sold, capacity }) => `${mib(sold.memoryMib)} of ${mib(capacity.memoryMib)}`,
      },
      {
        title: 'Storage sold',
        numeric: true,
        cell: ({ sold, capacity }) => `${gib(sold.diskGib)} of ${gib(capacity.diskGib)}`,
      },
    ]}
    empty={empty}
  />
);
