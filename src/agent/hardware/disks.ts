// The disks of the machine and what is free on them, and which of them a folder lies on. Volumes that are made of disks
// (LVM, RAID, encryption) are followed down to the disks themselves.

import { realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { HostHardware } from '../../api/agent/contract/inventory.ts';
import { type StorageType, storageTypes } from '../../model/hardware.ts';
import { listNames, readText } from './files.ts';

type Disk = HostHardware['disks'][number];

/** What the kernel lists beside disks: what is made of them, kept in memory, read only, or comes over the network. */
const notDisks = /^(loop|ram|zram|dm-|md|sr|fd|nbd|drbd|rbd|mtdblock|zd)|boot\d+$|rpmb$/;
/** Volumes on volumes on volumes: deeper than this nobody stacks them. */
const layersMax = 8;
const sectorBytes = 512;
const gib = 1024 ** 3;
/** As the agents' API bounds it. */
const disksMax = 256;

/** The disks of a machine, by name. @param root where `/` is, for tests */
export async function readDisks(root = '/'): Promise<Disk[]> {
  const names = (await listNames(join(root, 'sys/block'))).filter((name) => !notDisks.test(name)).slice(0, disksMax);
  const free = await freeBytesByDisk(root);
  const disks = await Promise.all(
    names.map(async (name): Promise<Disk> => {
      const sectors = Number(await readText(join(root, 'sys/block', name, 'size')));
      const freeBytes = free.get(name);
      return {
        name: name.slice(0, 100),
        type: await typeOfDisk(root, name),
        sizeGib: Number.isSafeInteger(sectors) ? Math.floor((sectors * sectorBytes) / gib) : 0,
        freeGib: freeBytes === undefined ? null : Math.floor(freeBytes / gib),
      };
    }),
  );
  return disks.filter(({ sizeGib, freeGib }) => (sizeGib > 0 || freeGib !== null) && sizeGib <= 0x7fffffff);
}

/**
 * What kind of storage a folder lies on: the slowest of the disks below it. Where that can't be told it counts as the
 * fastest, unless the operator says otherwise.
 */
export async function storageTypeOf(directory: string, root = '/'): Promise<StorageType> {
  const mounts = (await readMounts(root)).filter(({ point }) =>
    `${directory}/`.startsWith(point === '/' ? '/' : `${point}/`),
  );
  const nearest = mounts.reduce<Mount | null>(
    (best, mount) => (best && best.point.length > mount.point.length ? best : mount),
    null,
  );
  const disks = nearest ? await disksBelow(root, await deviceName(root, nearest.source)) : [];
  const types = await Promise.all(disks.map((name) => typeOfDisk(root, name)));
  return storageTypes.find((type) => types.includes(type)) ?? 'NVMe';
}

/**
 * Only a physical disk tells what it is: what a virtual one says of itself is the hypervisor's choice, so it counts as the
 * fastest.
 */
async function typeOfDisk(root: string, name: string): Promise<StorageType> {
  if (/^(nvme|vd|xvd)/.test(name)) return 'NVMe';
  return (await readText(join(root, 'sys/block', name, 'queue/rotational'))).trim() === '1' ? 'HDD' : 'SSD';
}

interface Mount {
  source: string;
  point: string;
}

/** File systems that lie on devices of this machine. */
async function readMounts(root: string): Promise<Mount[]> {
  const unescaped = (text: string) =>
    text.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return (await readText(join(root, 'proc/self/mounts'))).split('\n').flatMap((line) => {
    const [source = '', point = ''] = line.split(' ').map(unescaped);
    return source.startsWith('/dev/') && point.startsWith('/') ? [{ source, point }] : [];
  });
}

/** The kernel's name of a device file; `/dev/mapper/...` and `/dev/disk/by-...` are links to it. */
async function deviceName(root: string, source: string): Promise<string> {
  return basename(await realpath(join(root, source)).catch(() => source));
}

/** The disks that a partition or volume lies on. */
async function disksBelow(root: string, name: string, layers = layersMax): Promise<string[]> {
  const directory = await realpath(join(root, 'sys/class/block', name)).catch(() => null);
  if (directory === null || layers === 0) return [];
  const isPartition = await stat(join(directory, 'partition')).then(
    () => true,
    () => false,
  );
  if (isPartition) return disksBelow(root, basename(dirname(directory)), layers - 1);
  const parts = await listNames(join(directory, 'slaves'));
  if (parts.length === 0) return [name];
  return [...new Set((await Promise.all(parts.map((part) => disksBelow(root, part, layers - 1)))).flat())];
}

/** What is free on each disk that something is mounted from. A volume over several disks counts for the first. */
async function freeBytesByDisk(root: string): Promise<Map<string, number>> {
  const bySource = new Map((await readMounts(root)).map(({ source, point }) => [source, point]));
  const free = new Map<string, number>();
  for (const [source, point] of bySource) {
    const [disk] = await disksBelow(root, await deviceName(root, source));
    const space = await statfs(join(root, point)).catch(() => null);
    if (disk !== undefined && space) free.set(disk, (free.get(disk) ?? 0) + space.bavail * space.bsize);
  }
  return free;
}
