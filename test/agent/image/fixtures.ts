// Images and stores for the tests. Images are made by the tools that customers use; the raw ones are the least that passes
// for a bootable disk: a boot sector's mark, then bytes that do not compress.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv, createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DriverFailure, type Progress } from '../../../src/agent/driver.ts';
import type { ImageLimits } from '../../../src/agent/image/limits.ts';
import { type CachedImage, ImageStore, type ImageStoreOptions } from '../../../src/agent/image/store.ts';

export const mib = 1024 * 1024;

/** A directory that goes away with the test. */
export function scratch(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'berth-image-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A raw disk with a boot sector; the same `seed` gives the same bytes. */
export function rawImage(bytes: number, seed = 'a'): Buffer {
  const key = createHash('sha256').update(seed).digest();
  const image = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(bytes));
  // Nothing that a format detection could take for another format's mark.
  image.fill(0x90, 0, 16);
  image[510] = 0x55;
  image[511] = 0xaa;
  return image;
}

/** Runs a program that has to succeed; gives what it prints. */
export function run(program: string, args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, maxBuffer: 256 * mib });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${error ?? stderr}`);
  return stdout;
}

/** A qcow2 that `qemu-img create` makes, empty, with the given options. */
export function qcow2Image(t: TestContext, size: string, ...options: string[]): Buffer {
  const path = join(scratch(t), 'image.qcow2');
  run('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, path, size]);
  return readFileSync(path);
}

/** A raw image in a qcow2. */
export function asQcow2(t: TestContext, raw: Buffer, ...options: string[]): Buffer {
  const directory = scratch(t);
  const [from, to] = [join(directory, 'a.raw'), join(directory, 'a.qcow2')];
  writeFileSync(from, raw);
  run('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', ...options, from, to]);
  return readFileSync(to);
}

export const gz = (content: Buffer): Buffer => gzipSync(content);
export const xz = (content: Buffer): Buffer => run('xz', ['-c', '-1'], content);
export const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** A clock that stands until it is moved. */
export class HandClock {
  ms = Date.now();
  now(): Date {
    return new Date(this.ms);
  }
}

/** A store, what it stands on, and short ways to use it. */
export interface TestStore {
  store: ImageStore;
  directory: string;
  clock: HandClock;
  /** Bases that the store is told are in use. */
  used: Set<string>;
  warnings: string[];
  ensure: (url: string, diskBytes?: number, signal?: AbortSignal) => Promise<CachedImage>;
  /** The failure that a URL ends in. */
  failure: (url: string, diskBytes?: number) => Promise<DriverFailure>;
  steps: Progress[];
  /** Every file below the directory but the index, as `base/…`, `part/…`, `tmp/…`. */
  files: () => string[];
  /** Another store on the same directory, as after the agent's restart. */
  again: (limits?: Partial<ImageLimits>) => Promise<TestStore>;
}

const quick: Partial<ImageLimits> = { retryBaseMs: 5, retryMaxMs: 20, attemptsMax: 3, freeBytesMin: 0 };

/** Opens a store whose waits are short. */
export async function openStore(
  t: TestContext,
  options: Partial<ImageStoreOptions> & { clock?: HandClock } = {},
): Promise<TestStore> {
  const directory = options.directory ?? scratch(t);
  const clock = options.clock ?? new HandClock();
  const used = new Set<string>();
  const warnings: string[] = [];
  const steps: Progress[] = [];
  const store = new ImageStore({
    allowHosts: [],
    logger: { info: () => {}, warn: (_fields, message) => warnings.push(message) },
    inUse: async () => used,
    ...options,
    directory,
    clock,
    limits: { ...quick, ...options.limits },
  });
  await store.open();
  const ensure = (url: string, diskBytes = 1024 * mib, signal = new AbortController().signal) =>
    store.ensure(url, { diskBytes }, (step) => steps.push(step), signal);
  return {
    store,
    directory,
    clock,
    used,
    warnings,
    steps,
    ensure,
    failure: async (url, diskBytes) => {
      const found = await ensure(url, diskBytes).then(
        (image) => assert.fail(`expected a failure, got ${JSON.stringify(image)}`),
        (error: unknown) => error,
      );
      assert.ok(found instanceof DriverFailure, `expected a DriverFailure, got ${found}`);
      return found;
    },
    files: () =>
      ['base', 'part', 'tmp'].flatMap((name) =>
        existsSync(join(directory, name)) ? readdirSync(join(directory, name)).map((file) => `${name}/${file}`) : [],
      ),
    again: (limits) => openStore(t, { ...options, directory, clock, limits: { ...options.limits, ...limits } }),
  };
}

/** Bytes that a file takes on the disk, holes left out. */
export function diskBytes(path: string): number {
  return statSync(path).blocks * 512;
}
