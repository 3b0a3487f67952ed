// The last look at a disk image before it becomes a base that VMs stand on: its header by our own parser, then a second
// opinion from qemu-img under limits. Both have to agree on what it is and how large.

import type { FileHandle } from 'node:fs/promises';
import type { ImagePromise } from '../../model/image.ts';
import { imageFailure, shownBytes } from './failure.ts';
import { checkDiskFormat, detectContent, headBytes } from './format.ts';
import type { ImageLimits } from './limits.ts';
import { checkQcow2Header, qcow2HeaderBytesMax } from './qcow2.ts';
import { runToolForText, type Unprivileged } from './tool.ts';

/** What a disk image is. */
export interface DiskFacts {
  format: 'qcow2' | 'raw';
  virtualSizeBytes: number;
}

export interface InspectOptions {
  /** How to speak of the file in a message. */
  where: string;
  ending: ImagePromise;
  limits: ImageLimits;
  unprivileged?: Unprivileged | undefined;
  signal: AbortSignal;
}

const sectorBytes = 512;

/** qemu-img check's code for an image with errors. */
const damagedExitCode = 2;
/** And for "leaked clusters only", which waste space and harm nothing. */
const leaksExitCode = 3;

/** The codes with which qemu-img has judged an image. With any other one it did not get that far. */
const judgedExitCodes: ReadonlySet<number> = new Set([0, damagedExitCode, leaksExitCode]);

/** One that did not get that far is asked again: a host that is short of threads or memory for a moment spoils no image. */
const askedTimesMax = 3;

async function firstBytes(file: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}

/**
 * Checks an unpacked disk image, which the unprivileged user must be able to read.
 * @throws DriverFailure of any `image.*` code that speaks of content; `host.tool`; the signal's reason
 */
export async function inspectDisk(file: FileHandle, options: InspectOptions): Promise<DiskFacts> {
  const { where, limits } = options;
  const format = checkDiskFormat(detectContent(await firstBytes(file, headBytes)), options.ending, where);
  if (format === 'raw') {
    const { size } = await file.stat();
    if (size % sectorBytes !== 0) {
      const text = `${where} is cut off: its ${size} bytes are not a whole number of 512-byte sectors.`;
      throw imageFailure('image.corrupt', text);
    }
    if (size > limits.virtualBytesMax) {
      const text = `${where} is a disk of ${shownBytes(size)}; at most ${shownBytes(limits.virtualBytesMax)} are allowed.`;
      throw imageFailure('image.size', text);
    }
    return { format, virtualSizeBytes: size };
  }
  const head = await firstBytes(file, qcow2HeaderBytesMax);
  const virtualSizeBytes = checkQcow2Header(head, where, limits.virtualBytesMax);
  await askQemuImg(file, virtualSizeBytes, options);
  return { format, virtualSizeBytes };
}

interface QemuImgInfo {
  format?: unknown;
  'virtual-size'?: unknown;
  'backing-filename'?: unknown;
  'format-specific'?: { data?: { 'data-file'?: unknown } };
}

/** Lets qemu-img read the image's tables, and compares what it says of the whole with what our parser has read. */
async function askQemuImg(file: FileHandle, virtualSizeBytes: number, options: InspectOptions): Promise<void> {
  const { where, limits } = options;
  const corrupt = (why: string) => imageFailure('image.corrupt', `${where} is a damaged qcow2 image: ${why}.`);
  // The open file rather than its path: the unprivileged user need not be able to walk there.
  const image = 'driver=qcow2,file.driver=file,file.filename=/dev/fd/3,file.locking=off';
  const run = async (command: string) => {
    for (let times = 1; ; times += 1) {
      const result = await runToolForText('qemu-img', [command, '--output=json', '--image-opts', image], {
        extraFd: file.fd,
        timeoutMs: limits.checkMs,
        memoryBytes: limits.checkMemoryBytes,
        unprivileged: options.unprivileged,
        signal: options.signal,
      });
      if (result.timedOut || judgedExitCodes.has(result.exitCode) || times === askedTimesMax) return result;
    }
  };

  const info = await run('info');
  if (info.timedOut || info.exitCode !== 0) throw corrupt('qemu-img can not read it');
  let found: QemuImgInfo;
  try {
    found = JSON.parse(info.stdout) as QemuImgInfo;
  } catch {
    throw corrupt('qemu-img can not tell what it is');
  }
  if (found['backing-filename'] !== undefined || found['format-specific']?.data?.['data-file'] !== undefined) {
    throw imageFailure('image.backing-file', `${where} is a qcow2 image that needs another file; it must stand alone.`);
  }
  if (found.format !== 'qcow2' || found['virtual-size'] !== virtualSizeBytes) {
    throw corrupt('qemu-img and Berth disagree on its size');
  }

  const check = await run('check');
  if (check.timedOut) throw corrupt(`checking it takes longer than ${Math.round(limits.checkMs / 1000)} s`);
  if (!judgedExitCodes.has(check.exitCode)) throw corrupt(`qemu-img check gives up on it with code ${check.exitCode}`);
  if (check.exitCode === damagedExitCode)
    throw corrupt('qemu-img check finds errors in it; it may have been cut off when it was made');
}
