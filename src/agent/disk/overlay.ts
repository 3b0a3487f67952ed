// The files of disks: blank ones, and copy-on-write overlays that are made in milliseconds over a base that is never written
// to. Growing an existing one is left to QEMU itself, so that no program of the agent's ever reads a file that a guest has
// had in hand.

import { link, open, rename, rm, symlink } from 'node:fs/promises';
import { requireTool } from './tool.ts';

const bytesPerMib = 1024 ** 2;

/** A disk's size in MiB as bytes. */
export function mibToBytes(mib: number): number {
  return mib * bytesPerMib;
}

/**
 * Gives a base image a second name beside the overlays that use it. With a hard link the file lives as long as anybody
 * needs it, whatever the image cache evicts; across file systems a symbolic link has to do.
 * @throws Error with code ENOENT when there is no such image
 */
export async function linkBase(imagePath: string, name: string): Promise<void> {
  await rm(name, { force: true });
  try {
    await link(imagePath, name);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK' && code !== 'ENOTSUP') throw error;
    await symlink(imagePath, name);
  }
}

/**
 * Makes an empty overlay. It appears under its name only when it is complete and on the disk.
 * @param overlay.sizeBytes what the guest sees; at least the base's own size
 * @throws Error with qemu-img's last line
 */
export async function makeOverlay(overlay: {
  path: string;
  basePath: string;
  baseFormat: 'qcow2' | 'raw';
  sizeBytes: number;
}): Promise<void> {
  await create(overlay.path, overlay.sizeBytes, ['-F', overlay.baseFormat, '-b', overlay.basePath]);
}

/** Makes a blank disk, in the same way. */
export async function makeBlank(path: string, sizeBytes: number): Promise<void> {
  await create(path, sizeBytes, []);
}

async function create(path: string, sizeBytes: number, options: readonly string[]): Promise<void> {
  const incomplete = `${path}.new`;
  await requireTool('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, incomplete, String(sizeBytes)]);
  const file = await open(incomplete, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(incomplete, path);
}

/** The size in bytes that a guest sees of a qcow2 file, read from its header without trusting anything else in it. */
export async function overlaySizeBytes(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const header = Buffer.alloc(32);
    const { bytesRead } = await file.read(header, 0, header.length, 0);
    if (bytesRead < header.length || header.toString('latin1', 0, 4) !== 'QFI\u00fb') {
      throw new Error('the disk has no qcow2 header');
    }
    return Number(header.readBigUInt64BE(24));
  } finally {
    await file.close();
  }
}
