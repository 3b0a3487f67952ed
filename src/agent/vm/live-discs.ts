// Makes the disks of a running guest what they should be: added, grown, and held to so many reads and writes a second. What is
// so already is read from QEMU and never remembered. What can't be changed while it runs waits for the VM's next start.

import { readdir, stat } from 'node:fs/promises';
import { mibToBytes } from '../disk/overlay.ts';
import { type DiskPlace, pathIn, readDisk } from '../disk/place.ts';
import type { StoragePools } from '../disk/pools.ts';
import { makeOfSpare } from '../disk/spares.ts';
import { fdsetPath } from './descriptors.ts';
import { poolOf } from './disc-files.ts';
import { discDrive, discNode, overlayNode, spareMark, spareName } from './discs.ts';
import type { DiskSpec } from './driver.ts';
import { virtioDisk } from './profile.ts';
import { type Command, QmpRefusal } from './qmp.ts';

/** What QEMU says of a drive, as far as it is needed here. */
interface BlockInfo {
  qdev?: string;
  inserted?: { 'node-name'?: string; iops: number; image: { 'virtual-size': number } };
}

interface FdSet {
  'fdset-id': number;
  fds: { fd: number; opaque?: string }[];
}

/** A QEMU and what its VM's disks should be. */
export interface LiveDiscs {
  command: Command;
  pid: number;
  disks: readonly DiskSpec[];
  pools: StoragePools;
  /** Ends the copying of a disk, which keeps QEMU from growing it; it is begun anew afterwards. */
  callOffBackup(diskId: string): Promise<void>;
}

/** What QEMUs of older agents call the one disk that they have. */
const olderNode = 'disk';

/**
 * The drive of a disk. By the name of its device, since its node has that of a filter while it is backed up; one of an older
 * agent's by its node.
 */
function driveOf(drives: readonly BlockInfo[], { id }: DiskSpec, index: number): BlockInfo | undefined {
  const device = discDrive(id).id;
  return drives.find(({ qdev, inserted }) => {
    return qdev?.split('/').includes(device) || (index === 0 && inserted?.['node-name'] === olderNode);
  });
}

/** Grows disks, and bounds how busy they may be. Has to be done before the guest runs, too. */
export async function adjustDiscs({ command, disks, callOffBackup }: LiveDiscs): Promise<void> {
  const drives = await command<BlockInfo[]>('query-block');
  for (const [index, disk] of disks.entries()) {
    const { id, sizeMib, iopsLimit } = disk;
    const drive = driveOf(drives, disk, index);
    if (!drive?.inserted || drive.qdev === undefined) continue;
    const { iops, image } = drive.inserted;
    const sizeBytes = mibToBytes(sizeMib);
    if (image['virtual-size'] < sizeBytes) {
      await callOffBackup(id);
      const node = drive.inserted['node-name'] === olderNode ? olderNode : discNode(id);
      await command('block_resize', { 'node-name': node, size: sizeBytes });
    }
    const limit = iopsLimit ?? 0;
    if (iops !== limit) await command('block_set_io_throttle', { id: drive.qdev, ...unbounded, iops: limit });
  }
}

/** QEMU wants every bound to be named; 0 is none. */
const unbounded = { bps: 0, bps_rd: 0, bps_wr: 0, iops_rd: 0, iops_wr: 0 };

/**
 * Adds disks that the guest does not have yet.
 * @returns those that have to wait for its next start
 */
export async function addDiscs(live: LiveDiscs): Promise<DiskSpec[]> {
  const { command, disks } = live;
  const drives = await command<BlockInfo[]>('query-block');
  const wanted = disks.filter((disk, index) => driveOf(drives, disk, index) === undefined);
  const waiting: DiskSpec[] = [];
  for (const disk of wanted) {
    if (!(await addDisc(live, disk))) waiting.push(disk);
  }
  return waiting;
}

async function addDisc(live: LiveDiscs, disk: DiskSpec): Promise<boolean> {
  const { command, pid, pools } = live;
  const place = await pools.placeOf(poolOf(disk), disk.id);
  const sets = await command<FdSet[]>('query-fdsets');
  if ((await readDisk(place)) === null) {
    const pool = await pools.directoryOf(poolOf(disk));
    const spare = await findSpare(sets, pool);
    if (spare === undefined) return false;
    await makeOfSpare(spare, place, { sizeBytes: mibToBytes(disk.sizeMib), imaging: disk.imaging ?? 0 });
  }
  const record = await readDisk(place);
  const set = record && (await setOfFile(sets, pid, pathIn(place, record.file)));
  if (set === undefined || set === null) return false;
  await once(command, 'blockdev-add', overlayNode(disk.id, spareName(fdsetPath(set)), null));
  await command('device_add', { ...virtioDisk(discDrive(disk.id)) });
  return true;
}

/** Adds a node; an agent that was killed may have added it already. */
async function once(command: Command, name: string, args: Record<string, unknown>): Promise<void> {
  try {
    await command(name, args);
  } catch (error) {
    if (!(error instanceof QmpRefusal) || !/already|duplicate/i.test(error.message)) throw error;
  }
}

/** A spare of this QEMU in a pool that nothing was made of yet. */
async function findSpare(sets: readonly FdSet[], poolDirectory: string): Promise<string | undefined> {
  for (const { fds } of sets) {
    const mark = fds[0]?.opaque ?? '';
    const path = mark.slice(spareMark.length);
    if (!mark.startsWith(spareMark) || !path.startsWith(`${poolDirectory}/`)) continue;
    if (await stat(path).catch(() => null)) return path;
  }
  return undefined;
}

/** The set of descriptors by which a QEMU has a file open. */
async function setOfFile(sets: readonly FdSet[], pid: number, path: string): Promise<number | undefined> {
  const wanted = await stat(path);
  for (const { 'fdset-id': set, fds } of sets) {
    const found = await stat(`/proc/${pid}/fd/${fds[0]?.fd}`).catch(() => null);
    if (found?.ino === wanted.ino && found.dev === wanted.dev) return set;
  }
  return undefined;
}

/** Whether a process has a disk's file open. */
export async function isOpenIn(pid: number, place: DiskPlace): Promise<boolean> {
  const record = await readDisk(place);
  const wanted = record && (await stat(pathIn(place, record.file)).catch(() => null));
  if (!wanted) return false;
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []); // it has ended
  const open = await Promise.all(names.map((name) => stat(`/proc/${pid}/fd/${name}`).catch(() => null)));
  return open.some((found) => found?.ino === wanted.ino && found.dev === wanted.dev);
}
