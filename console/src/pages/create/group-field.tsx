// The group that something is made in.

import { useQuery } from '@tanstack/react-query';
import { useBerth } from '../../session.tsx';
import { SelectField } from '../../ui/form.tsx';

interface GroupFieldProps {
  account: string;
  value: string;
  error: string | undefined;
  onChange(value: string): void;
}

/** The groups of an account, `default` to begin with. */
export function GroupField({ account, ...bound }: GroupFieldProps) {
  const berth = useBerth();
  const { data: groups = [] } = useQuery({
    queryKey: ['groups', 'of', account],
    queryFn: () => berth.groups.list({ account, limit: 200 }).all(),
    enabled: account !== '',
  });
  const others = groups.filter(({ name }) => name !== 'default');
  return (
    <SelectField
      label="Group"
      {...bound}
      choices={[{ value: '', label: 'default' }, ...others.map(({ id, name }) => ({ value: id, label: name }))]}
    />
  );
}
