// Files that a container has removed and still holds open: they take room on the disk and stand in no directory.

import { readdir, readlink, stat } from 'node:fs/promises';
import { processIds } from '../../host/process.ts';

/** Looking at more would take too long; whoever holds so many open is seen by their part. */
const filesMax = 20_000;
const bytesPerBlock = 512;

/**
 * What such files take.
 * @param pid the container's first process
 * @param directories where its own writes go on the host, beside its root
 */
export async function unlinkedBytes(pid: number, directories: readonly string[]): Promise<number> {
  const namespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => null);
  if (namespace === null) return 0;
  // Shared memory is no matter of the disk; it has another device.
  const devices = new Set<number>();
  for (const path of [`/proc/${pid}/root`, ...directories]) {
    const at = await stat(path).catch(() => null);
    if (at) devices.add(at.dev);
  }
  const sizes = new Map<string, number>();
  let seen = 0;
  for (const one of processIds()) {
    if ((await readlink(`/proc/${one}/ns/pid`).catch(() => null)) !== namespace) continue;
    for (const name of await readdir(`/proc/${one}/fd`).catch(() => [])) {
      seen += 1;
      if (seen > filesMax) return sumOf(sizes);
      const file = await stat(`/proc/${one}/fd/${name}`).catch(() => null);
      if (!file?.isFile() || file.nlink > 0 || !devices.has(file.dev)) continue;
      sizes.set(`${file.dev}:${file.ino}`, file.blocks * bytesPerBlock);
    }
  }
  return sumOf(sizes);
}

const sumOf = (sizes: ReadonlyMap<string, number>) => [...sizes.values()].reduce((sum, size) => sum + size, 0);
