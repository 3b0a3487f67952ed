// Names in the place of ids, each a way to what it names.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { User } from '../../../sdk/generated/types.ts';
import { useBerth, useSession } from '../session.tsx';
import type { Column } from './table.tsx';

const keptMs = 5 * 60_000;

/** An account's name, as far as the caller sees it. */
export function AccountName({ id }: { id: string }) {
  const { accounts, berth, isOperator } = useSession();
  const known = accounts.find((one) => one.id === id);
  const { data = known } = useQuery({
    queryKey: ['accounts', id],
    queryFn: () => berth.accounts.get(id),
    enabled: known === undefined,
    staleTime: keptMs,
  });
  const name = data?.name ?? id;
  if (!isOperator) return name;
  return (
    <Link to="/console/accounts/$account" params={{ account: id }}>
      {name}
    </Link>
  );
}

/** A group's name. */
export function GroupName({ id }: { id: string }) {
  const berth = useBerth();
  const { data } = useQuery({ queryKey: ['groups', id], queryFn: () => berth.groups.get(id), staleTime: keptMs });
  return data?.name ?? id;
}

/** An instance by its name, where that is to be seen still. */
export function InstanceName({ id }: { id: string }) {
  const berth = useBerth();
  const { data, isError } = useQuery({
    queryKey: ['instances', id],
    queryFn: () => berth.instances.get(id),
    staleTime: keptMs,
  });
  if (isError) return <span className="fine">{short(id)}, gone</span>;
  return (
    <Link to="/console/instances/$instance" params={{ instance: id }}>
      {data?.name ?? short(id)}
    </Link>
  );
}

/** The columns that tell who a user is. */
export const userColumns: Column<User>[] = [
  {
    title: 'Username',
    cell: ({ id, username }) => (
      <Link to="/console/users/$user" params={{ user: id }}>
        {username}
      </Link>
    ),
  },
  { title: 'E-mail', cell: ({ email }) => email ?? '–' },
];

const short = (id: string) => (id.length > 20 ? `${id.slice(0, 14)}…` : id);

/** A host's name, for operators. */
export function HostName({ id }: { id: string }) {
  const berth = useBerth();
  const { data } = useQuery({ queryKey: ['hosts', id], queryFn: () => berth.hosts.get(id), staleTime: keptMs });
  return (
    <Link to="/console/hosts/$host" params={{ host: id }}>
      {data?.name ?? short(id)}
    </Link>
  );
}
