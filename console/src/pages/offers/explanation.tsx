// Why the market has nothing for what is asked: how many hosts each part of it turns down, and the smallest changes that would work.

import { useQuery } from '@tanstack/react-query';
import type { Relaxation } from '../../../../sdk/generated/types.ts';
import { many, mib, usd } from '../../format.ts';
import { useBerth } from '../../session.tsx';
import { Button } from '../../ui/button.tsx';
import { Failure, Loading } from '../../ui/state.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { type Asked, ofRelaxation, toQuery } from './asked.ts';

/** What the server's names of constraints are called here. */
const words: Record<string, string> = {
  state: 'Closed to new instances',
  reachable: 'Not heard of at the moment',
  countries: 'Country',
  cities: 'City',
  datacenters: 'Datacenter',
  cpu: 'CPU',
  memory: 'Memory kind',
  storage: 'Storage',
  additionalStorageGib: 'Additional storage',
  configuration: 'Size',
  vcpusMin: 'vCPUs at least',
  memoryMibMin: 'Memory at least',
  maxPrice: 'Price at most',
  freeVcpus: 'Too few vCPUs are free',
  freeMemory: 'Too little memory is free',
  freeDisk: 'Too little disk is free',
  count: 'How many',
};

/** A constraint's name for people. */
export const wordFor = (constraint: string): string => words[constraint] ?? constraint;

interface Removed {
  constraint: string;
  hosts: number;
  alone: number;
}

const columns: Column<Removed>[] = [
  { title: 'What turns hosts down', cell: ({ constraint }) => wordFor(constraint) },
  { title: 'Hosts', numeric: true, cell: ({ hosts }) => hosts },
  { title: 'By itself', numeric: true, cell: ({ alone }) => alone },
];

/** Shown in place of offers where there are none. */
export function Explanation({ asked, ask }: { asked: Asked; ask(change: Partial<Asked>): void }) {
  const berth = useBerth();
  const query = toQuery(asked);
  const { data, error, refetch } = useQuery({
    queryKey: ['offers', 'explain', query],
    queryFn: () => berth.offers.explain(query),
  });
  if (error) return <Failure error={error} onRetry={() => refetch()} />;
  if (!data) return <Loading what="Finding out why there is none" />;
  const { hosts, removed, relaxations } = data;
  return (
    <section className="card explanation" aria-labelledby="no-offers">
      <h2 id="no-offers">Nothing fits this now</h2>
      {hosts === 0 ? (
        <p>There are no hosts on this market yet.</p>
      ) : (
        <>
          {relaxations.length > 0 ? (
            <>
              <p>The smallest changes that would work, the cheapest first:</p>
              <ul className="relaxations">
                {relaxations.map((relaxation) => (
                  <li key={JSON.stringify(relaxation)}>
                    <Button onClick={() => ask(ofRelaxation(relaxation))}>{changeOf(relaxation)}</Button>
                    <span className="fine">from {usd(relaxation.maxPricePerEpoch)} an epoch</span>
                  </li>
                ))}
              </ul>
            </>
          ) : (
            <p>No small change would help. Clear some filters.</p>
          )}
          <h3>Why {many(hosts, 'host')} can’t take it</h3>
          <Table
            label="What turns hosts down"
            rows={removed}
            columns={columns}
            keyOf={({ constraint }) => constraint}
          />
        </>
      )}
    </section>
  );
}

/** What a suggestion changes, as `Country: PL, DE`. */
export function changeOf({ changed, ...relaxation }: Relaxation): string {
  return changed.map((name) => `${wordFor(name)}: ${valueIn(name, relaxation)}`).join('; ');
}

function valueIn(name: string, relaxation: Omit<Relaxation, 'changed'>): string {
  const { configuration, additionalStorageGib, count } = relaxation;
  const { countries, cities, datacenters, maxPricePerEpoch, vcpusMin, memoryMibMin, ...rest } = relaxation.constraints;
  const joined = (...values: (string | undefined)[]) => values.filter(Boolean).join(' ') || 'any';
  const values: Record<string, () => string> = {
    countries: () => joined(countries?.join(', ')),
    cities: () => joined(cities?.join(', ')),
    datacenters: () => joined(datacenters?.join(', ')),
    cpu: () => joined(rest.cpuManufacturer, rest.cpuArchitecture),
    memory: () => joined(rest.memoryType, rest.memoryGeneration),
    storage: () => joined(rest.storageType),
    additionalStorageGib: () => `${additionalStorageGib} GiB`,
    configuration: () => joined(configuration ?? undefined),
    vcpusMin: () => joined(vcpusMin?.toString()),
    memoryMibMin: () => (memoryMibMin === undefined ? 'any' : mib(memoryMibMin)),
    maxPrice: () => (maxPricePerEpoch === undefined ? 'any' : usd(maxPricePerEpoch)),
    count: () => String(count),
  };
  return values[name]?.() ?? 'any';
}
