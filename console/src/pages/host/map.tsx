// How full each host is, at a glance; place by place where there are several.

import { Link } from '@tanstack/react-router';
import type { Datacenter, Host } from '../../../../sdk/generated/types.ts';
import { gib, many, mib } from '../../format.ts';
import { Bar } from '../../ui/bar.tsx';
import { Button } from '../../ui/button.tsx';
import { HostState } from '../../ui/host-state.tsx';
import type { ListState } from '../../ui/list.tsx';
import { Section } from '../../ui/page.tsx';
import { Failure, Loading } from '../../ui/state.tsx';

interface HostMapProps {
  list: ListState<Host>;
  places: Datacenter[];
  empty: React.ReactNode;
}

/** The map. */
export function HostMap({ list, places, empty }: HostMapProps) {
  if (list.isPending) return <Loading what="Reading hosts" />;
  if (list.error && list.rows.length === 0) return <Failure error={list.error} onRetry={list.retry} />;
  if (list.rows.length === 0) return empty;
  const groups = groupsOf(list.rows, places);
  return (
    <div className={list.isStale ? 'stale' : undefined}>
      {groups.length === 1 ? (
        <Tiles label="Hosts" hosts={list.rows} places={places} />
      ) : (
        groups.map(({ title, hosts }) => (
          <Section key={title} title={title}>
            {/* What is not read yet is not summed up either. */}
            {!list.hasMore && <p className="fine map-sum">{sumOf(hosts)}</p>}
            <Tiles label={`Hosts: ${title}`} hosts={hosts} />
          </Section>
        ))
      )}
      {list.hasMore && <Button onClick={list.more}>Show more</Button>}
    </div>
  );
}

interface Group {
  title: string;
  hosts: Host[];
}

/** Hosts by where they are, in the order of the places' names; those that are nowhere come last. */
function groupsOf(hosts: readonly Host[], places: readonly Datacenter[]): Group[] {
  const placed = places
    .toSorted((one, other) => one.slug.localeCompare(other.slug))
    .map(({ id, slug, country, city }) => ({
      title: `${slug} (${country}, ${city})`,
      hosts: hosts.filter(({ datacenter }) => datacenter === id),
    }));
  const known = new Set(places.map(({ id }) => id));
  const elsewhere = hosts.filter(({ datacenter }) => datacenter === null || !known.has(datacenter));
  return [...placed, { title: 'In no datacenter', hosts: elsewhere }].filter((group) => group.hosts.length > 0);
}

/** What of several hosts is sold, in a line. */
function sumOf(hosts: readonly Host[]): string {
  const sum = (of: (host: Host) => number) => hosts.reduce((so, host) => so + of(host), 0);
  const parts = [
    many(hosts.length, 'host'),
    many(
      sum(({ instances }) => instances),
      'instance',
    ),
    `${sum(({ sold }) => sold.vcpus)} of ${many(
      sum(({ capacity }) => capacity.vcpus),
      'vCPU',
    )}`,
    `${mib(sum(({ sold }) => sold.memoryMib))} of ${mib(sum(({ capacity }) => capacity.memoryMib))} of memory`,
    `${gib(sum(({ sold }) => sold.diskGib))} of ${gib(sum(({ capacity }) => capacity.diskGib))} of storage`,
  ];
  return `${parts.join(' · ')} sold`;
}

interface TilesProps {
  label: string;
  hosts: readonly Host[];
  /** To say of each host where it is; left out where that is said above them. */
  places?: readonly Datacenter[];
}

function Tiles({ label, hosts, places }: TilesProps) {
  const Heading = places ? 'h2' : 'h3';
  return (
    <ul className="tiles" aria-label={label}>
      {hosts.map((host) => (
        <li key={host.id} className="card">
          <div className="section-head">
            <Heading>
              <Link to="/console/hosts/$host" params={{ host: host.id }}>
                {host.name}
              </Link>
            </Heading>
            <HostState of={host} />
          </div>
          <HostBars host={host} />
          <p className="fine">
            {many(host.instances, 'instance')}
            {places &&
              host.datacenter &&
              `, ${places.find(({ id }) => id === host.datacenter)?.slug ?? host.datacenter}`}
            {host.orphans > 0 && `, ${many(host.orphans, 'orphan')}`}
          </p>
        </li>
      ))}
    </ul>
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
