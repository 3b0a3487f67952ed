// Puts files into the directory that becomes an image's root file system. Owners and modes are set outright, because
// what a checkout of this repository shows depends on the umask and the user of whoever cloned it.

import { chmod, chown, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files that come with the builder: one directory per image. */
export const assetsDirectory = join(import.meta.dirname, 'assets');

const directoryMode = 0o755;

/** Makes a directory and those above it, all of them root's and readable, whatever this process's umask is. */
export async function putDirectory(root: string, path: string, mode = directoryMode, owner = 0): Promise<void> {
  const full = join(root, path);
  const first = await mkdir(full, { recursive: true });
  for (let made = full; first !== undefined && made.length >= first.length; made = dirname(made)) {
    await chmod(made, made === full ? mode : directoryMode);
    await chown(made, made === full ? owner : 0, made === full ? owner : 0);
  }
}

/** Writes one file of root's, with its mode. */
export async function putFile(root: string, path: string, content: string, mode = 0o644): Promise<void> {
  await putDirectory(root, dirname(path));
  const full = join(root, path);
  await writeFile(full, content);
  await chmod(full, mode);
  await chown(full, 0, 0);
}

/** Copies one file from this machine; the copy belongs to root. Links are followed. */
export async function putCopy(root: string, path: string, from: string, mode = 0o644): Promise<void> {
  await putDirectory(root, dirname(path));
  const full = join(root, path);
  await copyFile(from, full);
  await chmod(full, mode);
  await chown(full, 0, 0);
}

/** Copies a directory's files with the places they have in it; those in `programs` directories become executable. */
export async function putTree(root: string, from: string, programs: readonly string[]): Promise<void> {
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name).slice(from.length + 1);
    const mode = programs.includes(dirname(path)) ? 0o755 : 0o644;
    await putCopy(root, path, join(from, path), mode);
  }
}
