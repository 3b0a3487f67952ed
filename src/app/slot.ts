// Slots as customers see them.

import { BerthError, shown } from '../model/errors.ts';
import { isUuid } from '../model/id.ts';
import type { SlotFilter } from '../model/slot-filter.ts';
import { countSlots, findSlot, listSlots as readSlots, type SlotGpu, type SlotRow } from '../store/slot-list.ts';
import type { Context } from './context.ts';

/** Some GPUs of a slot that are alike. */
export interface SlotGpus {
  name: string;
  memoryMib: number | null;
  count: number;
}

/** A slot as customers see it. */
export interface SlotView
  extends Pick<SlotRow, 'id' | 'status' | 'prices' | 'vcpus' | 'memoryMib' | 'diskGib' | 'hostName'>,
    Pick<SlotRow, 'cpuName' | 'countryCode' | 'cityCode' | 'publicIp'> {
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
  const { database } = context;
  const [total, slots] = await Promise.all([
    countSlots(database, filter),
    readSlots(database, { filter, limit: perPage, offset: (page - 1) * perPage }),
  ]);
  return { total, slots: slots.map(viewOf) };
}

/**
 * One slot.
 * @param orRemoved also one that was removed, which nobody is shown but those who are told of its removal
 * @throws BerthError `not_found`
 */
export async function readSlot(context: Context, id: string, { orRemoved = false } = {}): Promise<SlotView> {
  const slot = isUuid(id) ? await findSlot(context.database, id) : undefined;
  if (slot && (orRemoved || slot.state !== 'removed')) return viewOf(slot);
  throw new BerthError('not_found', `There is no machine ${shown(id)}.`, id);
}

function viewOf(slot: SlotRow): SlotView {
  const { id, status, prices, vcpus, memoryMib, diskGib, hostName, cpuName, countryCode, cityCode, publicIp } = slot;
  return {
    ...{ id, status, prices, vcpus, memoryMib, diskGib, hostName, cpuName, countryCode, cityCode, publicIp },
    gpus: counted(slot.gpus),
    cudaVersion: slot.gpus.find(({ cudaVersion }) => cudaVersion !== null)?.cudaVersion ?? null,
  };
}

function counted(gpus: readonly SlotGpu[]): SlotGpus[] {
  const alike = Map.groupBy(gpus, ({ name, memoryMib }) => `${memoryMib} ${name}`);
  return [...alike.values()].flatMap(([first, ...others]) =>
    first ? [{ name: first.name, memoryMib: first.memoryMib, count: others.length + 1 }] : [],
  );
}
