// A slot: a fixed slice of a host that is rented whole to one container. What is said of it, what it may be, and what the
// one that a machine begins with is like. (Hiveon API: machines.)

import { mibPerGib, type Size } from './configuration.ts';
import { BerthError, shown } from './errors.ts';
import type { HostState } from './host.ts';
import { type MicroUsd, parseUsd } from './money.ts';
import { pricePerEpoch, type RateCard, rateMax } from './price.ts';

/** `closed` is not let any more and keeps the container it has; `removed` is kept for the record. */
export type SlotState = 'open' | 'closed' | 'removed';

/** What a slot's price can be for: an hour, or an epoch of a day. */
export const slotPriceUnits = ['hour', 'epoch'] as const;

/** One of {@link slotPriceUnits}. */
export type SlotPriceUnit = (typeof slotPriceUnits)[number];

/** What customers are told of a slot. It can be rented only while it is `available`. */
export type SlotStatus = 'available' | 'rented' | 'inactive';

/** What an inactive slot's status follows from. */
export interface SlotFacts {
  status: SlotStatus;
  state: SlotState;
  hostState: HostState;
  isReachable: boolean;
  runsContainers: boolean;
  hasGpus: boolean;
}

/** Why a slot can't be rented although nobody rents it; null when that is not so. */
export function whyInactive(slot: SlotFacts): string | null {
  const { status, state, hostState, isReachable, runsContainers, hasGpus } = slot;
  if (status !== 'inactive') return null;
  if (state !== 'open') return `it is ${state}`;
  if (hostState !== 'open') return `its host is ${hostState}`;
  if (!isReachable) return 'its host is out of reach';
  if (!runsContainers) return 'its host has no container engine';
  if (!hasGpus) return 'its host lacks a GPU of it';
  return 'its host has not enough room left';
}

/** How whoever states them calls the parts of a slot. */
export type SlotFields = Record<'name' | 'vcpus' | 'memoryGib' | 'diskGib' | 'gpus' | SlotPriceUnit, string>;

/** What a slot has, as operators state it. */
export interface SlotSize {
  vcpus: number;
  memoryGib: number;
  diskGib: number;
}

/**
 * Checks a slot's size.
 * @param room what its host could ever hold
 * @throws BerthError `invalid_value`
 */
export function checkSlotSize(given: SlotSize, room: Size, fields: SlotFields): Size {
  const most: SlotSize = {
    vcpus: room.vcpus,
    memoryGib: Math.floor(room.memoryMib / mibPerGib),
    diskGib: room.diskGib,
  };
  for (const part of ['vcpus', 'memoryGib', 'diskGib'] as const) {
    if (Number.isInteger(given[part]) && given[part] >= 1 && given[part] <= most[part]) continue;
    const rule =
      most[part] < 1
        ? 'its host can hold none'
        : `it must be a whole number from 1 to the ${most[part]} that its host can hold`;
    throw new BerthError('invalid_value', `${fields[part]} is ${shown(given[part])}; ${rule}.`, fields[part]);
  }
  return { vcpus: given.vcpus, memoryMib: given.memoryGib * mibPerGib, diskGib: given.diskGib };
}

/**
 * Checks which GPUs go with a slot.
 * @param found those of its host
 * @param takenBy which slot has each one that a slot has
 * @throws BerthError `invalid_value`
 */
export function checkSlotGpus(
  ids: readonly string[],
  found: readonly string[],
  takenBy: ReadonlyMap<string, string>,
  fields: SlotFields,
): void {
  const refuse = (id: string, why: string) =>
    new BerthError('invalid_value', `${fields.gpus} names ${shown(id)}, ${why}.`, fields.gpus);
  for (const [index, id] of ids.entries()) {
    if (ids.indexOf(id) !== index) throw refuse(id, 'a second time');
    if (!found.includes(id)) throw refuse(id, `which its host does not have: it has ${found.join(', ') || 'none'}`);
    if (takenBy.has(id)) throw refuse(id, `which the slot ${takenBy.get(id)} has already`);
  }
}

/**
 * Reads what a slot costs.
 * @param text US dollars for the unit
 * @throws BerthError `invalid_value`
 */
export function parseSlotPrice(text: string, field: string): MicroUsd {
  const amount = parseUsd(text);
  if (amount !== null && amount <= rateMax) return amount;
  const rule = 'it must be US dollars with at most six decimals, such as "0.25", and at most 1000000';
  throw new BerthError('invalid_value', `${field} is ${shown(text)}; ${rule}.`, field);
}

/** Of a machine's memory and storage these parts go to its first slot; the rest is for virtual machines. */
const firstSlotShare = { memory: 2, disk: 4 };
/** A container's own files are small; more is the operator's to give. */
const firstSlotDiskGibMax = 50;

/**
 * What the first slot of a machine has: all its processors, and a part of the rest.
 * @param room what its host can hold
 * @returns null when that is less than a slot can have
 */
export function firstSlotSize(room: Size): Size | null {
  const size: Size = {
    vcpus: room.vcpus,
    memoryMib: Math.floor(room.memoryMib / firstSlotShare.memory / mibPerGib) * mibPerGib,
    diskGib: Math.min(firstSlotDiskGibMax, Math.floor(room.diskGib / firstSlotShare.disk)),
  };
  return size.vcpus >= 1 && size.memoryMib >= mibPerGib && size.diskGib >= 1 ? size : null;
}

const hoursPerEpoch = 24n;
/** An hour's price is rounded up to a hundredth of a cent. */
const hourStepMicroUsd = 100n;

/** What a slot costs that is sold as its host's virtual machines are: its share of an epoch, and of that an hour's. */
export function pricesByRates(rates: RateCard, size: Size): Record<SlotPriceUnit, MicroUsd> {
  const epoch = pricePerEpoch(rates, size);
  const step = hoursPerEpoch * hourStepMicroUsd;
  return { hour: ((epoch + step - 1n) / step) * hourStepMicroUsd, epoch };
}
