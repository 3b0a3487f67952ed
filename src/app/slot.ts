// Slots as customers see them.

import { BerthError, shown } from '../model/errors.ts';
import { isUuid } from '../model/id.ts';
import { type SlotStatus, slotStatus } from '../model/slot.ts';
import { fitsFilter, type SlotFilter } from '../model/slot-filter.ts';
import { listSlots as readSlots, type SlotRow as StoredSlot } from '../store/slot.ts';
import type { Context } from './context.ts';

/** Some GPUs of a slot that are alike. */
export interface SlotGpus {
  name: string;
  memoryMib: number | null;
  count: number;
}

/** A slot as customers see it. */
export interface SlotView
  extends Pick<
    StoredSlot,
    | 'id'
    | 'name'
    | 'hostName'
    | 'prices'
    | 'vcpus'
    | 'memoryMib'
    | 'diskGib'
    | 'cpuName'
    | 'cpuCores'
    | 'cpuThreads'
    | 'countryCode'
    | 'cityCode'
    | 'publicIp'
  > {
  status: SlotStatus;
  gpus: SlotGpus[];
  cudaVersion: string | null;
}

/**
 * Slots that fit a filter, oldest first.
 * @returns one page of them, and how many there are in all
 */
export async function listSlots(
  context: Context,
  filter: SlotFilter,
  { page, perPage }: { page: number; perPage: number },
): Promise<{ total: number; slots: SlotView[] }> {
  const fitting = (await readSlots(context.database)).map(viewOf).filter((slot) => fitsFilter(slot, filter));
  return { total: fitting.length, slots: fitting.slice((page - 1) * perPage, page * perPage) };
}

/** One slot. @throws BerthError `not_found` */
export async function readSlot(context: Context, id: string): Promise<SlotView> {
  const [slot] = isUuid(id) ? await readSlots(context.database, { slotId: id }) : [];
  if (slot) return viewOf(slot);
  throw new BerthError('not_found', `There is no machine ${shown(id)}.`, id);
}

/** A slot as customers see it. */
export function viewOf(slot: StoredSlot): SlotView {
  const { id, name, hostName, prices, vcpus, memoryMib, diskGib, cpuName, cpuCores, cpuThreads } = slot;
  const { countryCode, cityCode, publicIp } = slot;
  const own = slot.hostGpus.filter((gpu) => gpu.id !== null && slot.gpus.includes(gpu.id));
  return {
    ...{ id, name, hostName, prices, vcpus, memoryMib, diskGib, cpuName, cpuCores, cpuThreads },
    ...{ countryCode, cityCode, publicIp },
    status: slotStatus(slot),
    gpus: [...Map.groupBy(own, ({ name, memoryMib }) => `${name} ${memoryMib}`).values()].flatMap((alike) => {
      const [first] = alike;
      return first ? [{ name: first.name, memoryMib: first.memoryMib, count: alike.length }] : [];
    }),
    cudaVersion: own.find((gpu) => gpu.cudaVersion !== null)?.cudaVersion ?? null,
  };
}
