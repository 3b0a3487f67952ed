// What slots can be searched by: a comma-separated list of `key:value`, each of which a slot has to fit. (Hiveon API: list
// machines.)

import { BerthError, shown } from './errors.ts';
import type { SlotStatus } from './slot.ts';

/** What is asked of a slot; what is undefined excludes none. Names are compared without regard to letter case. */
export interface SlotFilter {
  slotId?: string;
  isAvailable?: boolean;
  gpuName?: string;
  cpuName?: string;
  cpuCoresMin?: number;
  memoryMibMin?: number;
  diskGibMin?: number;
}

/** What a filter looks at. */
export interface FilteredSlot {
  id: string;
  status: SlotStatus;
  gpus: readonly { name: string }[];
  cpuName: string | null;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

const keys = ['gpu_name', 'memory_size', 'cpu_name', 'cpu_cores', 'storage_size', 'machine_id', 'machine_status'];
const lengthMax = 1_000;

/**
 * Reads a filter such as `gpu_name:Nvidia RTX 3090,memory_size:24GB`.
 * @param field how the customer calls it
 * @throws BerthError `invalid_value`
 */
export function parseSlotFilter(text: string, field: string): SlotFilter {
  const refuse = (message: string) => new BerthError('invalid_value', message, field);
  if (text.length > lengthMax) throw refuse(`${field} has ${text.length} characters; at most ${lengthMax} are taken.`);
  const filter: SlotFilter = {};
  for (const part of text.split(',').filter((one) => one.trim() !== '')) {
    const colon = part.indexOf(':');
    const key = part.slice(0, Math.max(colon, 0)).trim();
    const value = part.slice(colon + 1).trim();
    if (colon < 1 || value === '') throw refuse(`${field} has ${shown(part)} in it; each part is key:value.`);
    const count = (units: RegExp) => {
      const [, digits] = units.exec(value) ?? [];
      if (digits !== undefined) return Number(digits);
      throw refuse(`${field} asks for ${key} ${shown(value)}; it must be a number, such as ${key}:24.`);
    };
    const gigabytes = /^(\d{1,7})\s*(?:gb|gib|g)?$/i;
    if (key === 'gpu_name') filter.gpuName = value.toLowerCase();
    else if (key === 'cpu_name') filter.cpuName = value.toLowerCase();
    else if (key === 'cpu_cores') filter.cpuCoresMin = count(/^(\d{1,7})$/);
    else if (key === 'memory_size') filter.memoryMibMin = count(gigabytes) * 1024;
    else if (key === 'storage_size') filter.diskGibMin = count(gigabytes);
    else if (key === 'machine_id') filter.slotId = value.toLowerCase();
    else if (key === 'machine_status') {
      if (value !== 'available' && value !== 'unavailable') {
        throw refuse(`${field} asks for machine_status ${shown(value)}; it is "available" or "unavailable".`);
      }
      filter.isAvailable = value === 'available';
    } else throw refuse(`${field} has the key ${shown(key)}; there are ${keys.join(', ')}.`);
  }
  return filter;
}

/** Whether a slot has all that a filter asks for. */
export function fitsFilter(slot: FilteredSlot, filter: SlotFilter): boolean {
  const { slotId, isAvailable, gpuName, cpuName, cpuCoresMin = 0, memoryMibMin = 0, diskGibMin = 0 } = filter;
  if (slotId !== undefined && slot.id !== slotId) return false;
  if (isAvailable !== undefined && (slot.status === 'available') !== isAvailable) return false;
  if (gpuName !== undefined && !slot.gpus.some(({ name }) => name.toLowerCase().includes(gpuName))) return false;
  if (cpuName !== undefined && !(slot.cpuName ?? '').toLowerCase().includes(cpuName)) return false;
  return slot.vcpus >= cpuCoresMin && slot.memoryMib >= memoryMibMin && slot.diskGib >= diskGibMin;
}
