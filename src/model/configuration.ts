// A configuration is a size of VM that an operator sells, written as the slug `cpu-2-ram-4gb-storage-25gb` that customers'
// tools know it by (Fluence API: search offers).

/** The size of a VM: what a configuration's slug says, with any additional storage added. */
export interface Size {
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

/** Memory and disks are counted in MiB, what hosts sell of disks in GiB. */
export const mibPerGib = 1024;

/** What disks of these sizes, in MiB, take of a host, in GiB: each takes whole ones. */
export function gibTaken(sizesMib: readonly number[]): number {
  return sizesMib.reduce((sum, sizeMib) => sum + Math.ceil(sizeMib / mibPerGib), 0);
}

const slugPattern = /^cpu-([1-9]\d{0,3})-ram-([1-9]\d{0,4})gb-storage-([1-9]\d{0,5})gb$/;

/**
 * Reads a configuration's slug.
 * @returns the size it names, or null when it is not of the form `cpu-N-ram-Mgb-storage-Sgb`
 */
export function parseConfiguration(slug: string): Size | null {
  const match = slugPattern.exec(slug);
  if (!match) return null;
  const [, vcpus, memoryGib, diskGib] = match;
  return { vcpus: Number(vcpus), memoryMib: Number(memoryGib) * mibPerGib, diskGib: Number(diskGib) };
}

/** Orders sizes from the smallest: by cores, then memory, then storage. */
export function compareSizes(a: Size, b: Size): number {
  return a.vcpus - b.vcpus || a.memoryMib - b.memoryMib || a.diskGib - b.diskGib;
}
