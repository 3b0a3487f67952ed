// What the market has for what is asked: a size on some hardware at some place, what it costs, and how many fit.

import { Link } from '@tanstack/react-router';
import type { Hardware, Offer } from '../../../../sdk/generated/types.ts';
import { epochWord, mib, perHour, perMonth, usd } from '../../format.ts';
import { useEpochSeconds } from '../../money.ts';
import { createPath } from '../../paths.ts';
import { List, type ListState } from '../../ui/list.tsx';
import type { Column } from '../../ui/table.tsx';
import { type Asked, toPrefill } from './asked.ts';
import { countryName } from './search-form.tsx';

/** A size in a few words. */
export const sizeOf = ({ vcpus, memoryMib, diskGib }: { vcpus: number; memoryMib: number; diskGib: number }): string =>
  `${vcpus} vCPU · ${mib(memoryMib)} · ${diskGib} GiB`;

/** Hardware in a few words. */
export function hardwareOf({ cpuManufacturer, cpuBrand, cpuArchitecture, cpuGeneration, ...rest }: Hardware): string {
  const cpu = [cpuManufacturer, cpuBrand, cpuArchitecture, cpuGeneration].filter(Boolean).join(' ');
  const memory = `${rest.memoryType ?? ''}${rest.memoryGeneration ?? ''}`;
  return [cpu, memory, rest.storageType].filter(Boolean).join(' · ');
}

interface ResultsProps {
  list: ListState<Offer>;
  asked: Asked;
  /** What stands there where nothing is found. */
  empty: React.ReactNode;
}

/** The offers, the cheapest first. */
export function Results({ list, asked, empty }: ResultsProps) {
  const epochSeconds = useEpochSeconds();
  const columns: Column<Offer>[] = [
    { title: 'Size', cell: ({ configuration }) => <strong className="keep">{sizeOf(configuration)}</strong> },
    { title: 'Hardware', cell: ({ hardware }) => hardwareOf(hardware) },
    {
      title: 'Place',
      cell: ({ datacenter }) =>
        datacenter ? (
          <span>
            {countryName(datacenter.country)}, {datacenter.city} <span className="fine keep">{datacenter.slug}</span>
          </span>
        ) : (
          'Not told'
        ),
    },
    {
      title: `Price a ${epochWord(epochSeconds)}`,
      numeric: true,
      cell: ({ pricePerEpoch }) => <strong>{usd(pricePerEpoch)}</strong>,
    },
    { title: 'An hour', numeric: true, cell: ({ pricePerEpoch }) => perHour(pricePerEpoch, epochSeconds) },
    { title: '30 days', numeric: true, cell: ({ pricePerEpoch }) => perMonth(pricePerEpoch, epochSeconds) },
    { title: 'Fit now', numeric: true, cell: ({ available }) => available.toLocaleString('en-US') },
    {
      title: 'Actions',
      cell: (offer) => (
        <Link
          className="button"
          to={createPath}
          search={toPrefill(offer, asked) as never}
          aria-label={`Create ${sizeOf(offer.configuration)}${offer.datacenter ? ` in ${offer.datacenter.slug}` : ''}`}
        >
          Create
        </Link>
      ),
    },
  ];
  const keyOf = ({ configuration, datacenter, hardware, pricePerEpoch, additionalStorageGibMax }: Offer) =>
    JSON.stringify([configuration.slug, datacenter?.id, hardware, pricePerEpoch, additionalStorageGibMax]);
  return <List label="Offers" list={list} columns={columns} keyOf={keyOf} empty={empty} />;
}
