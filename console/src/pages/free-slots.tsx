// Slots that can be rented now, as customers look for one: what each has, where it is, what it costs.

import { Link } from '@tanstack/react-router';
import type { Slot } from '../../../sdk/generated/types.ts';
import { given, useFilters } from '../filters.ts';
import { gib, usd } from '../format.ts';
import { createPath } from '../paths.ts';
import { useBerth } from '../session.tsx';
import { TextField } from '../ui/form.tsx';
import { List, useList } from '../ui/list.tsx';
import { Page } from '../ui/page.tsx';
import { Empty } from '../ui/state.tsx';
import { countryName } from './offers/search-form.tsx';

const filterNames = ['gpu', 'cpu', 'vcpus', 'memory', 'disk'] as const;

/** Filters that are numbers. */
const numbers = [
  ['vcpus', 'vCPUs at least'],
  ['memory', 'GiB of memory at least'],
  ['disk', 'GiB of storage at least'],
] as const;

/** A number as it was typed; what is none narrows nothing. */
const atLeast = (text: string) => (/^\d{1,6}$/.test(text) ? Number(text) : undefined);

/** The page. */
export default function FreeSlotsPage() {
  const berth = useBerth();
  const [filters, narrow] = useFilters(filterNames);
  const { gpu, cpu, vcpus, memory, disk } = filters;
  const asked = {
    ...given({ gpu, cpu }),
    available: true,
    vcpusMin: atLeast(vcpus),
    memoryGibMin: atLeast(memory),
    diskGibMin: atLeast(disk),
  };
  const list = useList(['slots', 'market', asked], () => berth.slots.list(asked));
  return (
    <Page title="Free slots">
      <p className="fine">A slot is a slice of a host that one container rents whole. It is billed by the second.</p>
      <div className="filters">
        <TextField label="GPU" placeholder="RTX 3090" value={gpu} onChange={(value) => narrow({ gpu: value })} />
        <TextField label="Processor" placeholder="EPYC" value={cpu} onChange={(value) => narrow({ cpu: value })} />
        {numbers.map(([name, label]) => (
          <TextField
            key={name}
            label={label}
            type="number"
            min={0}
            value={filters[name]}
            onChange={(value) => narrow({ [name]: value })}
          />
        ))}
      </div>
      <List
        label="Free slots"
        list={list}
        keyOf={({ id }) => id}
        columns={[
          { title: 'vCPUs', numeric: true, cell: (slot) => slot.vcpus },
          { title: 'Memory', numeric: true, cell: ({ memoryGib }) => gib(memoryGib) },
          { title: 'Storage', numeric: true, cell: ({ diskGib }) => gib(diskGib) },
          { title: 'GPUs', cell: gpusOf },
          { title: 'Processor', cell: ({ cpuName }) => cpuName ?? '–' },
          { title: 'Where', cell: whereOf },
          {
            title: 'Price',
            cell: ({ prices }) => prices.map(({ amount, unit }) => `${usd(amount)} an ${unit}`).join(' or '),
          },
          {
            title: 'Actions',
            cell: (slot) => (
              <Link
                className="button"
                to={createPath}
                search={{ kind: 'container', slot: slot.id } as never}
                aria-label={`Rent ${slot.vcpus} vCPU, ${gib(slot.memoryGib)}`}
              >
                Rent
              </Link>
            ),
          },
        ]}
        empty={
          <Empty title="No such slot is free">
            <p>Slots are let by who runs this market. What becomes free appears here by itself.</p>
          </Empty>
        }
      />
    </Page>
  );
}

const gpusOf = ({ gpus }: Slot) => gpus.map(({ count, name }) => `${count} × ${name}`).join(', ') || '–';

const whereOf = ({ country, city }: Slot) => [country && countryName(country), city].filter(Boolean).join(', ') || '–';
