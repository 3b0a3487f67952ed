// Unpacks a gzip or xz file into a sparse one and hashes what comes out. The output is bounded, so that a small file that
// expands without end - a decompression bomb - costs a bounded amount of work and no disk space.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { errorCode, imageFailure, shownBytes } from './failure.ts';
import type { ImageLimits } from './limits.ts';
import { SparseWriter } from './sparse-writer.ts';
import { runTool, type Unprivileged } from './tool.ts';

/** What came out. */
export interface Unpacked {
  bytes: number;
  sha256: string;
}

export interface UnpackOptions {
  /** How to speak of the file in a message. */
  where: string;
  limits: ImageLimits;
  unprivileged?: Unprivileged | undefined;
  checkSpace: () => Promise<void>;
  signal: AbortSignal;
}

/** xz itself beside the memory that the file makes it use. */
const xzOverheadBytes = 64 * 1024 * 1024;

/**
 * Unpacks the file at `source` into `target`, an empty file open for writing.
 * @throws DriverFailure `image.bomb`, `image.corrupt`, `host.tool`; errors of the disk as they are; the signal's reason
 */
export async function unpack(
  kind: 'gzip' | 'xz',
  source: string,
  target: FileHandle,
  options: UnpackOptions,
): Promise<Unpacked> {
  const { limits, where } = options;
  const hash = createHash('sha256');
  const writer = new SparseWriter(target, 0, options.checkSpace);
  const consume = async (output: AsyncIterable<Buffer>) => {
    for await (const chunk of output) {
      options.signal.throwIfAborted();
      if (writer.position + chunk.length > limits.virtualBytesMax) {
        const most = shownBytes(limits.virtualBytesMax);
        throw imageFailure('image.bomb', `${where} expands to more than ${most}, the most that is allowed.`);
      }
      hash.update(chunk);
      await writer.write(chunk);
    }
  };
  if (kind === 'gzip') await gunzip(source, consume, options);
  else await unxz(source, consume, options);
  await writer.sync();
  return { bytes: writer.position, sha256: hash.digest('hex') };
}

function corrupt(where: string, detail: string): Error {
  return imageFailure('image.corrupt', `${where} can't be unpacked: ${detail}.`);
}

function tooSlow(where: string, limits: ImageLimits): Error {
  const minutes = Math.round(limits.unpackMs / 60_000);
  return imageFailure(
    'image.bomb',
    `${where} takes longer than ${minutes} minutes to unpack, the most that is allowed.`,
  );
}

type Consume = (output: AsyncIterable<Buffer>) => Promise<void>;

async function gunzip(source: string, consume: Consume, options: UnpackOptions): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), options.limits.unpackMs);
  try {
    const signal = AbortSignal.any([options.signal, late.signal]);
    await pipeline(createReadStream(source), createGunzip({ chunkSize: 256 * 1024 }), consume, { signal });
  } catch (error) {
    options.signal.throwIfAborted();
    if (late.signal.aborted) throw tooSlow(options.where, options.limits);
    const code = errorCode(error);
    if (code.startsWith('Z_')) throw corrupt(options.where, `gzip finds ${(error as Error).message}`);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function unxz(source: string, consume: Consume, options: UnpackOptions): Promise<void> {
  const { limits, where } = options;
  const input = await open(source, 'r');
  try {
    const args = ['--decompress', '--stdout', '--format=xz', '--threads=1', '--no-sparse'];
    const result = await runTool(
      'xz',
      [...args, `--memlimit-decompress=${limits.unpackMemoryBytes}`],
      {
        stdinFd: input.fd,
        timeoutMs: limits.unpackMs,
        memoryBytes: limits.unpackMemoryBytes + xzOverheadBytes,
        unprivileged: options.unprivileged,
        signal: options.signal,
      },
      (stdout: Readable) => consume(stdout as AsyncIterable<Buffer>),
    );
    if (result.timedOut) throw tooSlow(where, limits);
    if (/memory usage limit/i.test(result.stderr)) {
      throw corrupt(where, `it needs more than ${shownBytes(limits.unpackMemoryBytes)} of memory`);
    }
    if (result.exitCode !== 0) {
      const detail = /\(stdin\): ([\w ,.'-]{1,80})/.exec(result.stderr)?.[1] ?? `it ended with code ${result.exitCode}`;
      throw corrupt(where, `xz says "${detail}"`);
    }
  } finally {
    await input.close();
  }
}
