// Replaces a small file whole: whoever reads it, also after a power cut, finds the old text or the new one and never a part.

import { open, rename } from 'node:fs/promises';

/**
 * Writes a text that only its owner may read. Two writers of one file at once have to take turns; that is the caller's
 * business. A kill in the middle leaves `<path>.new`; a power cut soon after may bring the old text back, unless the caller syncs
 * the directory.
 */
export async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** Makes renames in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
