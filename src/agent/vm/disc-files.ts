// Makes the files of a VM's disks complete before it starts. A disk that exists is kept, always: it is made anew only when
// its content was asked for anew, and removed only by an order to erase it.

import { link, mkdir, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { mibPerGib } from '../../model/configuration.ts';
import { defaultPoolLabel } from '../../model/storage-pool.ts';
import { copyBackup, imagingOfBackup, listBackups } from '../disk/backup.ts';
import { mibToBytes } from '../disk/overlay.ts';
import {
  type DiskPlace,
  type DiskRecord,
  imagingOf,
  makeDisk,
  pathIn,
  readDisk,
  relinkBase,
  tidy,
  writeDisk,
} from '../disk/place.ts';
import type { StoragePools } from '../disk/pools.ts';
import { DriverFailure, type Progress } from '../driver.ts';
import type { DiscFiles } from './discs.ts';
import type { DiskSpec, VmSpec } from './driver.ts';
import { exists, readRecord, type VmHome } from './home.ts';
import type { BaseImage, ImageSource } from './image-source.ts';

/** What making disks takes. */
export interface DiscMaking {
  pools: StoragePools;
  images: ImageSource;
  progress: (step: Progress) => void;
  signal: AbortSignal;
}

/** The pool that a disk is in; that of an order from before there were several is the default one. */
export const poolOf = ({ pool }: DiskSpec) => pool ?? defaultPoolLabel;

/** A disk as QEMU is told of it, and which imaging its content stems from. */
export type PreparedDisc = DiscFiles & { imaging: number };

/**
 * Makes a VM's disks complete, in their order.
 * @throws DriverFailure when an image can't be had or does not fit, or a pool is not there
 */
export async function prepareDiscs(spec: VmSpec, making: DiscMaking): Promise<PreparedDisc[]> {
  const discs: PreparedDisc[] = [];
  for (const [index, disk] of spec.disks.entries()) {
    const place = await making.pools.placeOf(poolOf(disk), disk.id);
    const record = await prepareDisc(place, disk, index === 0 ? spec.image : null, making);
    const { base } = record;
    discs.push({
      id: disk.id,
      path: pathIn(place, record.file),
      imaging: imagingOf(record),
      base: base && { path: pathIn(place, base.name), format: base.format },
    });
    making.signal.throwIfAborted();
  }
  return discs;
}

async function prepareDisc(
  place: DiskPlace,
  disk: DiskSpec,
  source: VmSpec['image'],
  making: DiscMaking,
): Promise<DiskRecord> {
  const record = await readDisk(place);
  const imaging = disk.imaging ?? source?.imaging ?? 0;
  const isDue = imaging > (record?.imaging ?? -1);
  if (record !== null && isDue && disk.restoreFrom) {
    making.progress({ kind: 'vm.prepare', message: 'Restoring the disk from a backup' });
    return restoreDisk(place, { imaging, backupId: disk.restoreFrom });
  }
  if (record === null || (source !== null && isDue)) {
    making.progress({ kind: 'vm.prepare', message: 'Making the disk' });
    const image = source === null || imaging === 0 ? null : await takeImage(source, disk, making);
    return makeDisk(place, { sizeBytes: mibToBytes(disk.sizeMib), imaging, image });
  }
  await tidy(place, record);
  if (record.base === null || (await exists(pathIn(place, record.base.name)))) return record;
  const image = source && (await takeImage(source, disk, making));
  if (image?.sha256 === record.base.sha256) return relinkBase(place, record, image);
  const message = 'The image that the disk was made from is gone, and its address now gives another one.';
  throw new DriverFailure('image.changed', message, true);
}

async function restoreDisk(
  place: DiskPlace,
  { imaging, backupId }: { imaging: number; backupId: string },
): Promise<DiskRecord> {
  if (!(await listBackups(place)).has(backupId)) {
    throw new DriverFailure('vm.backup', 'The backup that the disk is to be made from is not there any more.', false);
  }
  const file = `disk-${imaging}.qcow2`;
  await copyBackup(place, backupId, file);
  return writeDisk(place, { file, imaging, restoredImaging: await imagingOfBackup(place, backupId), base: null });
}

async function takeImage(
  { url, sha256 }: NonNullable<VmSpec['image']>,
  disk: DiskSpec,
  { images, progress, signal }: DiscMaking,
): Promise<BaseImage> {
  const diskBytes = mibToBytes(disk.sizeMib);
  const image = await images.ensure(url, { diskBytes, ...(sha256 ? { sha256 } : {}) }, progress, signal);
  signal.throwIfAborted();
  if (image.virtualSizeBytes <= diskBytes) return image;
  const gib = (bytes: number) => Math.ceil(bytes / mibToBytes(mibPerGib));
  const message = `The image needs a disk of ${gib(image.virtualSizeBytes)} GiB; this VM has ${gib(diskBytes)} GiB. Order more storage.`;
  throw new DriverFailure('image.too-large', message, true);
}

/**
 * Gives the one disk that older agents kept in the VM's own directory a place of its own. Hard links, so that it is whole in
 * the one place or in both, whenever this is interrupted.
 */
export async function adoptDisc(home: VmHome, spec: VmSpec, pools: StoragePools): Promise<void> {
  const [first] = spec.disks;
  if (first === undefined || !(await exists(home.disk))) return;
  const place = await pools.placeOf(poolOf(first), first.id);
  if ((await readDisk(place)) === null) {
    const { basePath, baseFormat, baseSha256 } = (await readRecord(home)) ?? {};
    if (basePath === undefined || baseFormat === undefined || baseSha256 === undefined)
      throw new Error(`The disk of ${home.instanceId} can't be taken over: nothing says which image it stands on.`);
    await mkdir(place.directory, { recursive: true, mode: 0o700 });
    const base = { name: basename(home.base), path: basePath, format: baseFormat, sha256: baseSha256 };
    const record = { file: basename(home.disk), imaging: 1, base };
    await rm(pathIn(place, record.file), { force: true });
    await rm(pathIn(place, base.name), { force: true });
    await link(home.disk, pathIn(place, record.file));
    if (await exists(home.base)) await link(home.base, pathIn(place, base.name));
    await writeDisk(place, record);
  }
  await rm(home.disk);
  await rm(home.base, { force: true });
}
