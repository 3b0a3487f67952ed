// What was asked of an instance and is not over yet, and what came of the last that went wrong.

import { useQuery } from '@tanstack/react-query';
import type { Instance, Operation } from '../../../../sdk/generated/types.ts';
import { useBerth } from '../../session.tsx';
import { Badge, When } from '../../ui/words.tsx';

/** So many of the newest are looked at. */
const looked = 10;
/** That a guest did not heed its power button is in no event: while something runs, it is asked for. */
const askEveryMs = 10_000;

/** Orders that are being carried out, and the newest one where it has failed. */
export function Operations({ instance: { id, name } }: { instance: Instance }) {
  const berth = useBerth();
  const { data } = useQuery({
    queryKey: ['operations', 'list', { instance: id }],
    queryFn: () => berth.operations.list({ instance: id, limit: looked }).page(),
    refetchInterval: ({ state }) => (state.data?.items.some(({ status }) => status === 'running') ? askEveryMs : false),
  });
  const [newest, ...others] = data?.items ?? [];
  const shown = [
    ...(newest && newest.status !== 'succeeded' ? [newest] : []),
    ...others.filter(({ status }) => status === 'running'),
  ];
  if (shown.length === 0) return null;
  return (
    <ul className="note plain-list" aria-label={`Orders to ${name}`}>
      {shown.map((operation) => (
        <Order key={operation.id} operation={operation} />
      ))}
    </ul>
  );
}

const Order = ({ operation: { kind, status, error, createdAt } }: { operation: Operation }) => (
  <li>
    <Badge tone={status === 'failed' ? 'bad' : 'busy'}>{status}</Badge> <strong>{kind}</strong>{' '}
    <span className="fine">
      <When time={createdAt} />
    </span>
    {error && <p>{error.detail}</p>}
  </li>
);
