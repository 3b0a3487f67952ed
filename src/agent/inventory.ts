// What this machine is and can hold. Capacity is told as it is; how far it may be sold over is the server's business.

import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Inventory } from '../api/agent/contract.ts';

/** Kept for the host itself: its system, the agent, and what each hypervisor needs beside its guest's memory. */
const reservedMemoryShare = 0.1;
const reservedMemoryMibMin = 512;
/** Kept for downloads, the image cache and logs. */
const reservedDiskShare = 0.1;

const mib = 1024 * 1024;
const gib = 1024 * mib;

type StorageType = Inventory['storageType'];

/** What does not change while the agent runs. */
export interface FixedInventory {
  acceleration: string;
  accelerationReason: string;
  hypervisor: string;
  agentVersion: string;
  storageType: StorageType;
}

/**
 * Reads what the machine has now.
 * @param directory where the disks of instances live
 * @param heldBytes what instances take there already; it is capacity, though it is not free
 */
export async function readInventory(directory: string, fixed: FixedInventory, heldBytes: number): Promise<Inventory> {
  const { bavail, bsize } = await statfs(directory);
  const memoryMib = Math.floor(totalmem() / mib);
  return {
    cores: availableParallelism(),
    memoryMib: Math.max(0, memoryMib - Math.max(reservedMemoryMibMin, Math.ceil(memoryMib * reservedMemoryShare))),
    diskGib: Math.floor(((bavail * bsize + heldBytes) * (1 - reservedDiskShare)) / gib),
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    ...fixed,
  };
}

/** What the files of all VMs below a folder take on disk, in bytes; sparse parts take nothing. */
export async function bytesHeldBelow(directory: string): Promise<number> {
  const blockBytes = 512;
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name)).catch(() => null)));
  return sizes.reduce((sum, found) => sum + (found?.isFile() ? found.blocks * blockBytes : 0), 0);
}

/**
 * What kind of storage a folder lies on. Only a physical disk tells: what a virtual one says of itself is the hypervisor's
 * choice, so it counts as the fastest class unless the operator's settings say otherwise.
 */
export async function detectStorageType(device: string | null): Promise<StorageType> {
  if (device === null || /^(vd|xvd|zram|dm-|loop)/.test(device)) return 'NVMe';
  if (device.startsWith('nvme')) return 'NVMe';
  const rotational = await readFile(`/sys/block/${device}/queue/rotational`, 'utf8').catch(() => '0');
  return rotational.trim() === '1' ? 'HDD' : 'SSD';
}

/** The block device (such as `sda`) that a folder's file system lies on, or null where it can't be told. */
export async function blockDeviceOf(directory: string): Promise<string | null> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8').catch(() => ''))
    .split('\n')
    .map((line) => line.split(' '));
  const fitting = mounts
    .filter(
      ([source = '', point = '']) =>
        source.startsWith('/dev/') && `${directory}/`.startsWith(point === '/' ? '/' : `${point}/`),
    )
    .sort(([, a = ''], [, b = '']) => b.length - a.length);
  const name = fitting[0]?.[0]?.slice('/dev/'.length);
  return name ? name.replace(/^(nvme\d+n\d+)p\d+$/, '$1').replace(/^([a-z]+)\d+$/, '$1') : null;
}
