// What this machine is and can hold. Capacity is told as it is; how far it may be sold over is the server's business.

import { readdir, stat, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { HostHardware, Inventory } from '../api/agent/contract/inventory.ts';
import { defaultPoolLabel, gradesOf, type PoolOption } from '../model/storage-pool.ts';
import type { StoragePools } from './disk/pools.ts';
import { storageTypeOf } from './hardware/disks.ts';

/** Kept for the host itself: its system, the agent, and what each hypervisor needs beside its guest's memory. */
const reservedMemoryShare = 0.1;
const reservedMemoryMibMin = 512;
/** Kept for downloads, the image cache and logs. */
const reservedDiskShare = 0.1;

const mib = 1024 * 1024;
const gib = 1024 * mib;

type PoolInventory = NonNullable<Inventory['storagePools']>[number];

/** What does not change while the agent runs. */
export interface FixedInventory {
  acceleration: string;
  accelerationReason: string;
  hypervisor: string;
  agentVersion: string;
  storageType: Inventory['storageType'];
}

/**
 * Reads what the machine has now.
 * @param directory where the disks of instances live
 * @param heldBytes what instances take there already; it is capacity, though it is not free
 * @param pools those beside the default one
 */
export async function readInventory(
  directory: string,
  fixed: FixedInventory,
  heldBytes: number,
  hardware: HostHardware,
  pools: readonly PoolInventory[],
): Promise<Inventory> {
  const { bavail, bsize } = await statfs(directory);
  const memoryMib = Math.floor(totalmem() / mib);
  const diskGib = gibUsable(bavail * bsize + heldBytes);
  const { storageType } = fixed;
  const defaultPool = { label: defaultPoolLabel, grades: gradesOf(storageType), storageType, sizeGib: diskGib };
  return {
    cores: availableParallelism(),
    memoryMib: Math.max(0, memoryMib - Math.max(reservedMemoryMibMin, Math.ceil(memoryMib * reservedMemoryShare))),
    diskGib,
    cpuModel: cpus()[0]?.model.trim() ?? 'unknown',
    ...fixed,
    storagePools: [{ ...defaultPool, freeGib: Math.min(diskGib, Math.floor((bavail * bsize) / gib)) }, ...pools],
    hardware,
  };
}

const gibUsable = (bytes: number) => Math.floor((bytes * (1 - reservedDiskShare)) / gib);

/** What the pools beside the default one are and can hold. One that is not there now is left out. */
export async function readPools(options: readonly PoolOption[], pools: StoragePools): Promise<PoolInventory[]> {
  const told = await Promise.all(
    options.map(async ({ label, grades }): Promise<PoolInventory | null> => {
      const directory = await pools.directoryOf(label).catch(() => null);
      if (directory === null) return null;
      const { bavail, bsize } = await statfs(directory);
      const sizeGib = gibUsable(bavail * bsize + (await bytesHeldBelow(directory)));
      const freeGib = Math.min(sizeGib, Math.floor((bavail * bsize) / gib));
      return { label, grades, storageType: await storageTypeOf(directory), sizeGib, freeGib };
    }),
  );
  return told.filter((pool) => pool !== null);
}

/** What the files of all VMs below a folder take on disk, in bytes; sparse parts take nothing. */
export async function bytesHeldBelow(directory: string): Promise<number> {
  const blockBytes = 512;
  const names = await readdir(directory, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(names.map((name) => stat(join(directory, name)).catch(() => null)));
  return sizes.reduce((sum, found) => sum + (found?.isFile() ? found.blocks * blockBytes : 0), 0);
}
