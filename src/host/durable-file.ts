// Replaces a small file whole: whoever reads it, also after a power cut, finds the old text or the new one and never a part.

import { open, rename } from 'node:fs/promises';

/**
 * Writes a text that only its owner may read. Two writers of one file at once have to take turns; that is the caller's
 * business. A kill in the middle leaves `<path>.new`.
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
