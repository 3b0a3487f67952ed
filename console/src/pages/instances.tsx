// All instances in sight: found, looked through, and switched, one or many at a time.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import type { Instance } from '../../../sdk/generated/types.ts';
import { type Filters, given, useFilters } from '../filters.ts';
import { gib, many, mib, usd } from '../format.ts';
import '../style/instances.css';
import { useBerth, useSession } from '../session.tsx';
import { Button } from '../ui/button.tsx';
import { SelectField, TextField } from '../ui/form.tsx';
import { List, type ListState, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { GroupPicker } from '../ui/pickers.tsx';
import { Empty } from '../ui/state.tsx';
import type { Column } from '../ui/table.tsx';
import { Copyable, Status, When } from '../ui/words.tsx';
import { ManyActs } from './instance/many.tsx';
import { PowerOfRow } from './instance/power.tsx';

const filterNames = ['search', 'kind', 'status', 'group', 'datacenter'] as const;
type Filter = Filters<(typeof filterNames)[number]>;

const kinds = [
  { value: '', label: 'VMs and containers' },
  { value: 'vm', label: 'VMs' },
  { value: 'container', label: 'Containers' },
];
const statuses = [
  { value: '', label: 'Any but deleted' },
  { value: 'active', label: 'Active' },
  { value: 'launching', label: 'Launching' },
  { value: 'stopped', label: 'Stopped' },
  { value: 'failed,terminated', label: 'Failed or ended' },
  { value: 'soft-deleted', label: 'Deleted, can be brought back' },
  { value: 'deleting', label: 'On its way out' },
];
/** A page of the list; the most that the server gives at once. */
const pageRows = 200;

/** The list of instances. */
export default function InstancesPage() {
  const { berth, account } = useSession();
  const [filter, narrow] = useFilters(filterNames);
  const asked = useMemo(() => ({ ...given(filter), account: account?.id }), [filter, account?.id]);
  const list = useList(['instances', 'list', asked], () =>
    berth.instances.list({ ...asked, kind: asked.kind as Instance['kind'] | undefined, limit: pageRows }),
  );
  const { chosen, columns, unchoose } = useChoice(list);
  const isNarrowed = Object.values(filter).some((value) => value !== '');
  return (
    <Page
      title="Instances"
      actions={
        <Link to={'/console/create' as '/'} className="button button-primary">
          Create
        </Link>
      }
    >
      <FilterBar filter={filter} narrow={narrow} />
      <ManyActs chosen={chosen} onDone={unchoose} />
      <List
        label="Instances"
        list={list}
        columns={columns}
        keyOf={({ id }) => id}
        empty={
          isNarrowed ? (
            <NothingFound onClear={() => narrow({ search: '', kind: '', status: '', group: '', datacenter: '' })} />
          ) : (
            <NoneYet />
          )
        }
      />
      {list.rows.length > 0 && (
        <p className="fine under-list" role="status">
          {many(list.rows.length, 'instance')}
          {list.hasMore ? ' so far; more as you scroll' : ''}
        </p>
      )}
    </Page>
  );
}

const NothingFound = ({ onClear }: { onClear(): void }) => (
  <Empty title="Nothing like that" action={<Button onClick={onClear}>Clear the filters</Button>}>
    <p>No instance that you see is like that.</p>
  </Empty>
);

const NoneYet = () => (
  <Empty
    title="No instances yet"
    action={
      <Link to={'/console/create' as '/'} className="button button-primary">
        Create an instance
      </Link>
    }
  >
    <p>
      An instance is what runs: a virtual machine on a host with room for it, or a container on a slot that you rent. On
      the command line:
    </p>
    <Copyable text="berth vm create web-1 --image debian-12 --wait" label="command line" />
  </Empty>
);

function FilterBar({ filter, narrow }: { filter: Filter; narrow(change: Partial<Filter>): void }) {
  const berth = useBerth();
  const { account } = useSession();
  // What is typed is shown at once; the address, and with it the list, follows.
  const [search, setSearch] = useState(filter.search);
  const wanted = useDeferredValue(search);
  useEffect(() => setSearch(filter.search), [filter.search]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed changes the address
  useEffect(() => {
    if (wanted === search && wanted !== filter.search) narrow({ search: wanted });
  }, [wanted]);
  const datacenters = useQuery({
    queryKey: ['datacenters', 'names'],
    queryFn: () => berth.datacenters.list({ limit: pageRows }).page(),
  });
  return (
    <search className="filters">
      <TextField label="Search" type="search" placeholder="Name or address" value={search} onChange={setSearch} />
      <SelectField label="Kind" value={filter.kind} choices={kinds} onChange={(kind) => narrow({ kind })} />
      <SelectField label="Status" value={filter.status} choices={statuses} onChange={(status) => narrow({ status })} />
      <GroupPicker
        label="Group"
        none="Any"
        account={account?.id}
        value={filter.group}
        error={undefined}
        onChange={(group) => narrow({ group })}
      />
      <SelectField
        label="Datacenter"
        value={filter.datacenter}
        choices={[
          { value: '', label: 'Any' },
          ...(datacenters.data?.items ?? []).map(({ slug }) => ({ value: slug, label: slug })),
        ]}
        onChange={(datacenter) => narrow({ datacenter })}
      />
    </search>
  );
}

/** Which rows are chosen, and the columns, the first of which chooses. */
function useChoice({ rows }: ListState<Instance>) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const chosen = useMemo(() => rows.filter(({ id }) => ids.has(id)), [rows, ids]);
  const columns = useMemo<Column<Instance>[]>(() => {
    const all = rows.length > 0 && chosen.length === rows.length;
    const choose = (id: string, is: boolean) =>
      setIds((before) => new Set(is ? [...before, id] : [...before].filter((one) => one !== id)));
    return [
      {
        title: 'Choose',
        head: (
          <input
            type="checkbox"
            aria-label="Choose all that are listed"
            checked={all}
            onChange={() => setIds(all ? new Set() : new Set(rows.map(({ id }) => id)))}
          />
        ),
        cell: ({ id, name }) => (
          <input
            type="checkbox"
            aria-label={`Choose ${name}`}
            checked={ids.has(id)}
            onChange={(event) => choose(id, event.target.checked)}
          />
        ),
      },
      ...shownColumns,
    ];
  }, [rows, chosen.length, ids]);
  return { chosen, columns, unchoose: () => setIds(new Set()) };
}

const shownColumns: Column<Instance>[] = [
  {
    title: 'Name',
    cell: ({ id, name, kind }) => (
      <span className="named">
        <Link to="/console/instances/$instance" params={{ instance: id }}>
          {name}
        </Link>
        {kind === 'container' && <span className="fine">container</span>}
      </span>
    ),
  },
  {
    title: 'Status',
    cell: ({ status, statusReason }) => (
      <span title={statusReason ?? undefined}>
        <Status of={status} />
      </span>
    ),
  },
  {
    title: 'Size',
    cell: ({ vcpus, memoryMib, diskGib }) => (
      <span className="nowrap">
        {many(vcpus, 'vCPU')}, {mib(memoryMib)}
        {diskGib > 0 ? `, ${gib(diskGib)}` : ''}
      </span>
    ),
  },
  {
    title: 'Address',
    cell: ({ address, name }) => address && <Copyable text={address} label={`address of ${name}`} />,
  },
  { title: 'Place', cell: ({ datacenter }) => (datacenter ? <span className="nowrap">{datacenter.slug}</span> : '–') },
  { title: 'Per epoch', numeric: true, cell: ({ pricePerEpoch }) => usd(pricePerEpoch) },
  {
    title: 'Created',
    cell: ({ createdAt }) => (
      <span className="nowrap">
        <When time={createdAt} />
      </span>
    ),
  },
  { title: 'Power', cell: (instance) => instance.kind === 'vm' && <PowerOfRow instance={instance} /> },
];
