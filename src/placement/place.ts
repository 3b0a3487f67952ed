// Placement: which hosts take the instances of a request. Pure: candidates in; placements, and a reason for every host
// that was turned down, out. Each filter is one rule; adding a rule is adding a filter.

import type { Size } from '../model/configuration.ts';
import type { MicroUsd } from '../model/money.ts';
import { pricePerEpoch, type RateCard } from '../model/price.ts';

/** A host that could take instances; `free` is what it has left. */
export interface Candidate {
  id: string;
  rates: RateCard;
  storageType: string;
  free: Size;
  lastSeenAt: Date;
}

/** What is asked for, for each of `count` instances. */
export interface Wanted {
  size: Size;
  count: number;
  /** The storage type that additional storage was asked in; null where none was. */
  storageType: string | null;
  maxPricePerEpoch: MicroUsd | null;
  /** Hosts last heard of before this moment are out of reach. */
  seenSince: Date;
}

/** A rule that a host must keep. It answers null, or why the host is out. */
type Filter = (host: Candidate, wanted: Wanted) => string | null;

const filters: Filter[] = [
  (host, { seenSince }) => (host.lastSeenAt > seenSince ? null : 'unreachable'),
  (host, { storageType }) =>
    storageType === null || host.storageType === storageType ? null : `no ${storageType} storage`,
  (host, { size, maxPricePerEpoch }) =>
    maxPricePerEpoch === null || pricePerEpoch(host.rates, size) <= maxPricePerEpoch ? null : 'above the highest price',
  (host, { size }) => (host.free.vcpus >= size.vcpus ? null : 'not enough free vCPUs'),
  (host, { size }) => (host.free.memoryMib >= size.memoryMib ? null : 'not enough free memory'),
  (host, { size }) => (host.free.diskGib >= size.diskGib ? null : 'not enough free disk'),
];

/** One host's share of a request. */
export interface Placement {
  hostId: string;
  count: number;
  price: MicroUsd;
}

/** The outcome: `placed` is how many of the wanted instances found a place. */
export interface Placed {
  placements: Placement[];
  placed: number;
  rejected: { hostId: string; reason: string }[];
}

const room = ({ free }: Candidate, { size }: Wanted): number =>
  Math.min(
    Math.floor(free.vcpus / size.vcpus),
    Math.floor(free.memoryMib / size.memoryMib),
    Math.floor(free.diskGib / size.diskGib),
  );

/** Places instances on the cheapest hosts first, and on the fullest that fit where the price is the same. */
export function place(candidates: readonly Candidate[], wanted: Wanted): Placed {
  const rejected: Placed['rejected'] = [];
  const fitting: { host: Candidate; price: MicroUsd; room: number }[] = [];
  for (const host of candidates) {
    const reason = filters.reduce<string | null>((found, filter) => found ?? filter(host, wanted), null);
    if (reason) rejected.push({ hostId: host.id, reason });
    else fitting.push({ host, price: pricePerEpoch(host.rates, wanted.size), room: room(host, wanted) });
  }
  fitting.sort((a, b) => Number(a.price - b.price) || a.room - b.room || (a.host.id < b.host.id ? -1 : 1));
  const placements: Placement[] = [];
  let left = wanted.count;
  for (const { host, price, room } of fitting) {
    if (left === 0) break;
    const count = Math.min(left, room);
    placements.push({ hostId: host.id, count, price });
    left -= count;
  }
  return { placements, placed: wanted.count - left, rejected };
}
