// A disk's place on this host: a directory that bears its id, with its file, the image that it is an overlay of, and a record
// of what it was made from. It lies beside the VMs and not in one, so that a disk moves between VMs without being touched.
// A disk is there once its record is; each step of making one may be the last before a crash and is then done again.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../host/durable-file.ts';
import type { BaseImage } from '../vm/image-source.ts';
import { linkBase, makeBlank, makeOverlay } from './overlay.ts';

/** Where one disk lies. */
export interface DiskPlace {
  diskId: string;
  directory: string;
}

/** What is remembered of a disk. Names are those of files in its directory. */
export interface DiskRecord {
  file: string;
  /** How often its content was asked for anew when it was made. */
  imaging: number;
  /** Where its content was restored from a backup: how often it had been asked for when that content was made. */
  restoredImaging?: number;
  /** What it is an overlay of: the name of its own link to the image, the image's path, format and SHA-256. */
  base: { name: string; path: string; format: 'qcow2' | 'raw'; sha256: string } | null;
}

const recordName = 'disk.json';

/**
 * The place of a disk in a pool.
 * @throws Error for an id that is none, because ids become paths here
 */
export function placeOf(poolDirectory: string, diskId: string): DiskPlace {
  if (!isDiskId(diskId)) throw new Error(`"${diskId}" is not a disk's id.`);
  return { diskId, directory: join(poolDirectory, diskId) };
}

/** The ids of all disks that have a place in a pool, complete or not. */
export async function listPlaces(poolDirectory: string): Promise<string[]> {
  const names = await readdir(poolDirectory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter(isDiskId);
}

const isDiskId = (name: string) => /^[0-9a-z][0-9a-z-]{0,63}$/.test(name) && name !== sparesName;

/** Not a disk's: files that are nobody's yet. */
export const sparesName = 'spare';

/** What is remembered of the disk in a place; null where none is, or none that is complete. */
export async function readDisk(place: DiskPlace): Promise<DiskRecord | null> {
  try {
    return JSON.parse(await readFile(join(place.directory, recordName), 'utf8')) as DiskRecord;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}

/** Which imaging a disk's content stems from, by which its guest knows whether it has run before. */
export const imagingOf = ({ imaging, restoredImaging }: DiskRecord) => restoredImaging ?? imaging;

/** The path of a file of a disk. */
export const pathIn = ({ directory }: DiskPlace, name: string) => join(directory, name);

/**
 * Makes a disk: an overlay of an image, or a blank one. What was in the place before is there until the new disk is complete,
 * and then it is gone.
 */
export async function makeDisk(
  place: DiskPlace,
  disk: { sizeBytes: number; imaging: number; image: BaseImage | null },
): Promise<DiskRecord> {
  const { sizeBytes, imaging, image } = disk;
  await mkdir(place.directory, { recursive: true, mode: 0o700 });
  // Every imaging has names of its own: so there is no moment without the one disk or the other.
  const file = `disk-${imaging}.qcow2`;
  const path = pathIn(place, file);
  if (image === null) {
    await makeBlank(path, sizeBytes);
    return writeDisk(place, { file, imaging, base: null });
  }
  const base = await linkImage(place, image, `base-${imaging}`);
  await makeOverlay({ path, basePath: pathIn(place, base.name), baseFormat: image.format, sizeBytes });
  return writeDisk(place, { file, imaging, base });
}

/** Gives a disk the image back that it is an overlay of. */
export async function relinkBase(place: DiskPlace, record: DiskRecord, image: BaseImage): Promise<DiskRecord> {
  return writeDisk(place, { ...record, base: await linkImage(place, image, record.base?.name ?? 'base') });
}

/** Makes files that lie in its place already a disk, and removes all others from there. */
export async function writeDisk(place: DiskPlace, record: DiskRecord): Promise<DiskRecord> {
  await writeDurably(pathIn(place, recordName), `${JSON.stringify(record, null, 2)}\n`);
  await tidy(place, record);
  return record;
}

/** What names of a backup's files begin with, which lie in their disk's place. */
export const backupPrefix = 'backup-';

/** Removes what a crash has left beside a disk. */
export async function tidy(place: DiskPlace, record: DiskRecord): Promise<void> {
  const kept = new Set([recordName, record.file, record.base?.name]);
  for (const name of await readdir(place.directory)) {
    if (!kept.has(name) && !name.startsWith(backupPrefix))
      await rm(pathIn(place, name), { recursive: true, force: true });
  }
}

/** Erases a disk. Done on nothing is done. */
export async function eraseDisk(place: DiskPlace): Promise<void> {
  // First its record: what is left of a disk that a crash interrupts is none.
  await rm(pathIn(place, recordName), { force: true });
  await rm(place.directory, { recursive: true, force: true });
}

async function linkImage(
  place: DiskPlace,
  { path, format, sha256 }: BaseImage,
  name: string,
): Promise<NonNullable<DiskRecord['base']>> {
  await linkBase(path, pathIn(place, name));
  return { name, path, format, sha256 };
}
