// All that is known of the machine's hardware, read anew now and then: what it is made of changes seldom, what is free on
// its disks and which addresses it has somewhat more often, and reports go out every few seconds.

import type { HostHardware } from '../../api/agent/contract/inventory.ts';
import { readAddresses } from './addresses.ts';
import { readCpu } from './cpu.ts';
import { readDisks } from './disks.ts';
import { GpuReader } from './gpus.ts';
import { readMemory } from './memory.ts';

const rereadMs = 60_000;

/** Reads a machine's hardware. @param root where `/` is, for tests */
export async function readHardware(root = '/', gpuReader = new GpuReader()): Promise<HostHardware> {
  const [cpu, memory, disks, addresses, gpus] = await Promise.all([
    readCpu(root),
    readMemory(root),
    readDisks(root),
    readAddresses(root),
    gpuReader.read(),
  ]);
  return { cpu, memory, disks, addresses, gpus };
}

/** Gives the hardware, as of at most a minute ago. */
export function hardwareReader(root = '/'): () => Promise<HostHardware> {
  let read: Promise<HostHardware> | undefined;
  let readAtMs = 0;
  const gpuReader = new GpuReader();
  return () => {
    if (read === undefined || performance.now() - readAtMs > rereadMs) {
      read = readHardware(root, gpuReader);
      readAtMs = performance.now();
    }
    return read;
  };
}
