// Bringing a VM's files into being and starting its QEMU, each step repeatable after a crash in any other. A disk that
// exists is kept, always: only erasing removes one.

import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { chmod, chown, type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { bootId } from '../../host/process.ts';
import { gibToBytes, linkBase, makeOverlay } from '../disk/overlay.ts';
import { makeSeed } from '../disk/seed.ts';
import { DriverFailure, type Progress } from '../driver.ts';
import { asUser, type QemuCommand, qemuArguments, qemuProgram } from './command-line.ts';
import type { VmSpec } from './driver.ts';
import { exists, readRecord, type VmHome, type VmRecord, writeRecord } from './home.ts';
import type { BaseImage, ImageSource } from './image-source.ts';
import { type QemuProcess, startDetached } from './process.ts';

/**
 * Makes the VM's directory complete: base image, overlay, seed volume, record.
 * @throws DriverFailure when the image can't be had or does not fit
 */
export async function prepareFiles(
  home: VmHome,
  spec: VmSpec,
  images: ImageSource,
  progress: (step: Progress) => void,
  signal: AbortSignal,
): Promise<VmRecord> {
  const hasDisk = await exists(home.disk);
  const remembered = hasDisk && (await exists(home.base)) ? await readRecord(home) : null;
  const record = remembered ?? (await takeImage(home, spec, images, progress, signal));
  progress({ kind: 'vm.prepare', message: hasDisk ? 'Preparing to start again' : 'Making the disk' });
  const overlay = hasDisk ? null : newOverlay(home, spec, record);
  const results = await Promise.allSettled([overlay, makeSeed(home.seed, spec)]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const current = { ...record, address: spec.address, bootId: bootId() };
  await writeRecord(home, current);
  signal.throwIfAborted();
  return current;
}

/** Starts QEMU on complete files. Its guest does not run yet. */
export async function startQemu(
  home: VmHome,
  command: QemuCommand,
  user: { uid: number; gid: number; groups: readonly number[] } | null,
): Promise<{ process: QemuProcess; child: ChildProcess }> {
  // Sockets of an earlier QEMU, and whatever it may have put beside them.
  await rm(home.run, { recursive: true, force: true });
  await mkdir(home.run, { mode: 0o700 });
  if (user !== null) await chown(home.run, user.uid, user.gid);
  const opened: FileHandle[] = [];
  const file = async (path: string, flags: number) => {
    const handle = await open(path, flags, 0o600);
    opened.push(handle);
    return handle.fd;
  };
  const { O_APPEND, O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
  try {
    // Appending, so that the file can be cut short while QEMU has it open.
    const log = await file(home.qemuLog, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
    // In the order in which the command line counts them.
    const files = [await file(home.disk, O_RDWR), await file(home.base, O_RDONLY), await file(home.seed, O_RDONLY)];
    const args = qemuArguments(command);
    const line = user === null ? { file: qemuProgram, args } : asUser(user, user.groups, qemuProgram, args);
    const { pid, child } = await startDetached(line, { cwd: home.run, log, files });
    return { process: { pid, instanceId: command.instanceId }, child };
  } finally {
    for (const handle of opened) await handle.close();
  }
}

async function takeImage(
  home: VmHome,
  spec: VmSpec,
  images: ImageSource,
  progress: (step: Progress) => void,
  signal: AbortSignal,
): Promise<VmRecord> {
  const image = await images.ensure(spec.imageUrl, { diskBytes: gibToBytes(spec.diskGib) }, progress, signal);
  signal.throwIfAborted();
  if (image.virtualSizeBytes > gibToBytes(spec.diskGib)) {
    const needed = Math.ceil(image.virtualSizeBytes / gibToBytes(1));
    const message = `The image needs a disk of ${needed} GiB; this VM has ${spec.diskGib} GiB. Order more storage.`;
    throw new DriverFailure('image.too-large', message, true);
  }
  const earlier = await readRecord(home);
  if (earlier !== null && earlier.baseSha256 !== image.sha256 && (await exists(home.disk))) {
    const message = 'The image that the disk was made from is gone, and its address now gives another one.';
    throw new DriverFailure('image.changed', message, true);
  }
  await mkdir(home.directory, { recursive: true, mode: 0o700 });
  await chmod(home.directory, 0o700);
  await linkBase(image.path, home.base);
  const record = recordOf(image, spec.address);
  await writeRecord(home, record);
  return record;
}

function recordOf(image: BaseImage, address: string): VmRecord {
  const { path, format, sha256 } = image;
  return { address, basePath: path, baseFormat: format, baseSha256: sha256, bootId: bootId() };
}

async function newOverlay(home: VmHome, spec: VmSpec, record: VmRecord): Promise<void> {
  await makeOverlay({
    path: home.disk,
    basePath: home.base,
    baseFormat: record.baseFormat,
    sizeBytes: gibToBytes(spec.diskGib),
  });
}
