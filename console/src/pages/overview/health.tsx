// How the instances are: how many in which state, and which have failed, why, and what can be done about it.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Instance, InstanceCounts } from '../../../../sdk/generated/types.ts';
import { many } from '../../format.ts';
import { instancePath, instancesPath } from '../../paths.ts';
import { useSession } from '../../session.tsx';
import { Section } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Status, When } from '../../ui/words.tsx';

type Counts = InstanceCounts['items'];

/** So many are looked through for the last ones that failed. */
const failedRead = 200;
const failedShown = 5;

/** The order in which states are shown, what runs first. */
const order: Instance['status'][] = [
  ...(['active', 'launching', 'stopped', 'failed', 'terminated', 'soft-deleted', 'deleting'] as const),
];

/** Instances by status. */
export function Health({ items }: { items: Counts }) {
  const total = items.reduce((sum, { count }) => sum + count, 0);
  const byStatus = order
    .map((status) => ({ status, count: sumOf(items, (one) => one.status === status) }))
    .filter(({ count }) => count > 0);
  const vms = sumOf(items, ({ kind }) => kind === 'vm');
  return (
    <Section title="Instances" actions={<Link to={instancesPath}>All instances</Link>}>
      {total === 0 ? (
        <p className="fine">Nobody has deployed anything yet.</p>
      ) : (
        <>
          <p className="fine">
            {many(vms, 'VM')}, {many(total - vms, 'container')}
          </p>
          <div className="status-bar" aria-hidden="true">
            {byStatus.map(({ status, count }) => (
              <span key={status} className={`status-share status-share-${status}`} style={{ flexGrow: count }} />
            ))}
          </div>
          <ul className="status-counts">
            {byStatus.map(({ status, count }) => (
              <li key={status}>
                <Link to={instancesPath} search={{ status } as never}>
                  <strong>{count.toLocaleString('en-US')}</strong> <Status of={status} />
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

const sumOf = (items: Counts, which: (one: Counts[number]) => boolean) =>
  items.filter(which).reduce((sum, { count }) => sum + count, 0);

const columns: Column<Instance>[] = [
  { title: 'Instance', cell: ({ id, name }) => <Link to={instancePath(id)}>{name}</Link> },
  { title: 'Status', cell: ({ status }) => <Status of={status} /> },
  { title: 'Why', cell: ({ statusReason }) => statusReason ?? 'No reason was told.' },
  { title: 'What to do', cell: (instance) => whatToDo(instance) },
  { title: 'When', cell: ({ statusChangedAt }) => <When time={statusChangedAt} /> },
];

/** Those that have failed last. */
export function FailedLately() {
  const { berth, account } = useSession();
  const { data = [] } = useQuery({
    // Read again when the counts are: an event says of one instance, and which of them failed is asked for all.
    queryKey: ['instance-counts', account?.id, 'failed'],
    queryFn: async () => {
      const filter = { ...(account ? { account: account.id } : {}), status: 'failed,terminated', limit: failedRead };
      return (await berth.instances.list(filter).page()).items;
    },
  });
  if (data.length === 0) return null;
  const latest = data.toSorted((one, other) => other.statusChangedAt.localeCompare(one.statusChangedAt));
  return (
    <Section title="Failed lately">
      <Table
        label="Instances that failed lately"
        rows={latest.slice(0, failedShown)}
        columns={columns}
        keyOf={({ id }) => id}
      />
    </Section>
  );
}

/** The first of what the server allows that helps. */
function whatToDo({ funds, allowed }: Instance): string {
  if (funds === 'none') return 'Its next period can’t be paid: add money to its account.';
  if (allowed.start === null) return 'Start it again.';
  if (allowed.reimage === null) return 'Image it anew; what is on its first disk is lost.';
  return 'It won’t come back by itself: delete it and create another.';
}
