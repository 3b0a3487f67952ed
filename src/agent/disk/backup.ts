// The backups of a disk as files: they lie in the disk's own place, so they go where it goes and are erased with it. One is there
// once its mark is; what has a file and no mark was interrupted, and counts for nothing.

import { constants, copyFile, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory, writeDurably } from '../../host/durable-file.ts';
import { backupPrefix, type DiskPlace, pathIn } from './place.ts';

const fileName = (backupId: string) => `${backupPrefix}${backupId}.qcow2`;
const markName = (backupId: string) => `${backupPrefix}${backupId}.json`;

/** Where a backup's content lies, or is to lie. */
export const backupPath = (place: DiskPlace, backupId: string) => pathIn(place, fileName(backupId));

/** The ids of the backups that are complete. */
export async function listBackups(place: DiskPlace): Promise<ReadonlySet<string>> {
  const names = await readdir(place.directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const marked = names.filter((name) => name.startsWith(backupPrefix) && name.endsWith('.json'));
  return new Set(marked.map((name) => name.slice(backupPrefix.length, -'.json'.length)));
}

/** What is remembered of a backup: when it was made, and which imaging its content stems from. */
interface BackupMark {
  madeAt: Date;
  imaging: number;
}

/** Makes a backup count whose content is complete and on the disk. */
export async function markBackup(place: DiskPlace, backupId: string, mark: BackupMark): Promise<void> {
  const path = pathIn(place, markName(backupId));
  await writeDurably(path, `${JSON.stringify(mark)}\n`);
  await syncDirectory(dirname(path));
}

/** Which imaging the content of a complete backup stems from. @throws Error when it is not there */
export async function imagingOfBackup(place: DiskPlace, backupId: string): Promise<number> {
  return (JSON.parse(await readFile(pathIn(place, markName(backupId)), 'utf8')) as BackupMark).imaging;
}

/** Erases a backup, complete or not. Done on nothing is done. */
export async function eraseBackup(place: DiskPlace, backupId: string): Promise<void> {
  await rm(pathIn(place, markName(backupId)), { force: true });
  await rm(backupPath(place, backupId), { force: true });
}

/** Copies a backup's content to a file of the same place, which appears there when it is complete. */
export async function copyBackup(place: DiskPlace, backupId: string, name: string): Promise<void> {
  const incomplete = pathIn(place, `${name}.new`);
  await rm(incomplete, { force: true });
  await copyFile(backupPath(place, backupId), incomplete, constants.COPYFILE_FICLONE);
  const file = await open(incomplete, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(incomplete, pathIn(place, name));
}
