// The page of one instance: what it is at the top, all else in parts that are loaded when they are opened.

import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ComponentType, lazy, Suspense } from 'react';
import type { Instance } from '../../../../sdk/generated/types.ts';
import { useFilters } from '../../filters.ts';
import { useBerth } from '../../session.tsx';
import { Page, PageOf } from '../../ui/page.tsx';
import { Loading } from '../../ui/state.tsx';
import { Status, When } from '../../ui/words.tsx';
import '../../style/instances.css';
import { Overview } from './overview.tsx';
import { PowerButtons } from './power.tsx';

interface Tab {
  id: string;
  label: string;
  kinds: readonly Instance['kind'][];
  part: ComponentType<{ instance: Instance }>;
}

const both = ['vm', 'container'] as const;
const tabs: Tab[] = [
  { id: '', label: 'Overview', kinds: both, part: Overview },
  { id: 'metrics', label: 'Metrics', kinds: both, part: lazy(() => import('./metrics.tsx')) },
  { id: 'disks', label: 'Disks', kinds: ['vm'], part: lazy(() => import('./disks.tsx')) },
  { id: 'console', label: 'Console', kinds: ['vm'], part: lazy(() => import('./consoles.tsx')) },
  { id: 'shell', label: 'Shell', kinds: ['container'], part: lazy(() => import('./shell.tsx')) },
  { id: 'logs', label: 'Logs', kinds: both, part: lazy(() => import('./logs.tsx')) },
  { id: 'settings', label: 'Settings', kinds: both, part: lazy(() => import('./settings.tsx')) },
];
const names = ['tab'] as const;

/** The page of an instance. */
export default function InstancePage() {
  const { instance: id = '' } = useParams({ strict: false });
  const berth = useBerth();
  const read = useQuery({ queryKey: ['instances', id], queryFn: () => berth.instances.get(id) });
  return (
    <PageOf what="Instance" read={read} wayOut={<BackToList />}>
      {(instance) => <Shown key={instance.id} instance={instance} />}
    </PageOf>
  );
}

const BackToList = () => (
  <p>
    <Link to="/console/instances">All instances</Link>
  </p>
);

function Shown({ instance }: { instance: Instance }) {
  const [{ tab }] = useFilters(names);
  const offered = tabs.filter(({ kinds }) => kinds.includes(instance.kind));
  const { part: Part, label } = offered.find(({ id }) => id === tab) ?? { part: Overview, label: 'Overview' };
  return (
    <Page title={instance.name} actions={instance.kind === 'vm' && <PowerButtons instance={instance} />}>
      <p className="subline">
        <span role="status">
          <Status of={instance.status} /> <span className="unseen">{`${instance.name} is ${instance.status}`}</span>
        </span>
        <span className="fine">
          since <When time={instance.statusChangedAt} /> · {instance.kind === 'vm' ? 'VM' : 'container'}
          {instance.datacenter && ` in ${instance.datacenter.slug}`}
        </span>
      </p>
      <nav className="tabs" aria-label={`Parts of ${instance.name}`}>
        {offered.map(({ id, label: name }) => (
          <Link
            key={id}
            to="/console/instances/$instance"
            params={{ instance: instance.id }}
            search={(id ? { tab: id } : {}) as never}
            activeOptions={{ exact: true, includeSearch: true }}
            resetScroll={false}
            // What is filtered within a part is in the address, too.
            aria-current={label === name ? 'page' : undefined}
          >
            {name}
          </Link>
        ))}
      </nav>
      <h2 className="unseen">{label}</h2>
      <Suspense fallback={<Loading what={`Loading ${label.toLowerCase()}`} />}>
        <Part instance={instance} />
      </Suspense>
    </Page>
  );
}
