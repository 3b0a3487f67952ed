// Slots as customers see them.

import { BerthError, shown } from '../model/errors.ts';
import { isUuid } from '../model/id.ts';
import { whyInactive } from '../model/slot.ts';
import type { SlotFilter } from '../model/slot-filter.ts';
import {
  countSlots,
  findSlot,
  listSlotsAfter,
  listSlots as readSlots,
  type SlotGpu,
  type SlotRow,
} from '../store/slot-list.ts';
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

/** A slot as customers see it, with what only its operators do. */
export interface SlotDetail
  extends SlotView,
    Pick<SlotRow, 'name' | 'state' | 'gpuIds' | 'hostId' | 'accountId' | 'instanceId' | 'createdAt'> {
  /** Why it can't be rented although nobody rents it. */
  whyInactive: string | null;
}

/** Slots that fit a filter, the oldest first. @param after the last one of the page before */
export async function listSlotDetails(
  context: Context,
  filter: SlotFilter,
  limit: number,
  after: { at: string; id: string } | null,
): Promise<SlotDetail[]> {
  return (await listSlotsAfter(context.database, filter, limit, after)).map(detailOf);
}

/** One slot that was not removed. @throws BerthError `not_found` */
export async function readSlotDetail(context: Context, id: string): Promise<SlotDetail> {
  const slot = await findSlot(context.database, id);
  if (slot && slot.state !== 'removed') return detailOf(slot);
  throw new BerthError('not_found', `There is no slot ${shown(id)}.`, id);
}

function detailOf(slot: SlotRow): SlotDetail {
  const { name, state, gpuIds, hostId, accountId, instanceId, createdAt } = slot;
  const own = { name, state, gpuIds, hostId, accountId, instanceId, createdAt };
  return { ...viewOf(slot), ...own, whyInactive: whyInactive(slot) };
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
