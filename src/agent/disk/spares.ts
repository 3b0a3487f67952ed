// Empty files that a QEMU is given open when it starts, in every pool as many as disks may still be added to its VM. A disk
// that is added while the guest runs is made of one: so QEMU never has to open a path, and nobody has to hand it a descriptor
// later.

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeBlank } from './overlay.ts';
import { type DiskPlace, pathIn, sparesName, writeDisk } from './place.ts';

/**
 * QEMU learns how long a file is when it opens it: this is more than any blank disk has, whose tables for two tebibytes take
 * 256 KiB. It takes no room before something is written.
 */
const blankBytesMax = 1024 * 1024;

const directoryIn = (poolDirectory: string) => join(poolDirectory, sparesName);

/** Makes a VM's spares in a pool; those of an earlier start are gone. @returns their paths */
export async function makeSpares(poolDirectory: string, instanceId: string, count: number): Promise<string[]> {
  const directory = directoryIn(poolDirectory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await removeSpares(poolDirectory, instanceId);
  const paths = Array.from({ length: count }, (_, index) => join(directory, `${instanceId}-${index + 1}`));
  for (const path of paths) {
    const file = await open(path, 'wx', 0o600);
    await file.truncate(blankBytesMax);
    await file.close();
  }
  return paths;
}

/** Removes a VM's spares from a pool. What became a disk is none any more. */
export async function removeSpares(poolDirectory: string, instanceId: string): Promise<void> {
  const directory = directoryIn(poolDirectory);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (name.startsWith(`${instanceId}-`)) await rm(join(directory, name));
  }
}

/** Makes a blank disk of a spare, in the disk's own place. The file stays the one that QEMU has open. */
export async function makeOfSpare(
  spare: string,
  place: DiskPlace,
  disk: { sizeBytes: number; imaging: number },
): Promise<void> {
  const { sizeBytes, imaging } = disk;
  await mkdir(place.directory, { recursive: true, mode: 0o700 });
  const file = `disk-${imaging}.qcow2`;
  const path = pathIn(place, file);
  // Written and not made in place: a program that reads what it has made would read what QEMU, which has the file, can change.
  const blank = pathIn(place, 'blank');
  await makeBlank(blank, sizeBytes);
  const handle = await open(spare, 'r+');
  try {
    await handle.writeFile(await readFile(blank));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(spare, path);
  await writeDisk(place, { file, imaging, base: null });
}
