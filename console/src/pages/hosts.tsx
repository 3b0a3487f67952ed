// The machines that run what is sold: a map of how full each is, or a list.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Datacenter, Host } from '../../../sdk/generated/types.ts';
import { useFilters } from '../filters.ts';
import { gib, mib } from '../format.ts';
import { useBerth } from '../session.tsx';
import '../style/hosts.css';
import { Button } from '../ui/button.tsx';
import { useDialog } from '../ui/dialog.tsx';
import { SelectField } from '../ui/form.tsx';
import { HostState } from '../ui/host-state.tsx';
import { List, type ListState, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { EnrolHost } from './host/enrol.tsx';
import { HostMap } from './host/map.tsx';

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
