// Holds containers to their disks where the storage driver can't, and their volumes wherever it is: looks at what each has
// written, and ends the one that has written more than its share before it takes its neighbours' room.
//
// A look with `du` takes 0.25 s for 100,000 files, so it is had every two seconds; and at once when the file system fills
// by more than a container may write in between.

import { statfs } from 'node:fs/promises';
import type Docker from 'dockerode';
import { runTool } from '../disk/tool.ts';
import { diskLabel } from './create.ts';
import { instanceLabel } from './names.ts';
import { unlinkedBytes } from './unlinked.ts';

/** A container that is watched. */
export interface Watched {
  instanceId: string;
  /** Its first process. */
  pid: number;
  /** Where its own writes go, on this host. */
  directories: readonly string[];
  gibMax: number;
}

/**
 * What there is to watch of a container.
 * @param hasQuota whether the storage driver bounds its layer; the volumes it never does
 */
export function watchedOf(container: Docker.ContainerInspectInfo, hasQuota: boolean): Watched | undefined {
  const { Config, GraphDriver, Mounts, State } = container;
  const [instanceId, gib] = [Config.Labels[instanceLabel], Config.Labels[diskLabel]];
  if (!State.Running || instanceId === undefined || gib === undefined) return undefined;
  const { UpperDir: layer } = (GraphDriver?.Data ?? {}) as { UpperDir?: string };
  const volumes = Mounts.map(({ Source }) => Source);
  const directories = hasQuota || layer === undefined ? volumes : [layer, ...volumes];
  return directories.length === 0 ? undefined : { instanceId, pid: State.Pid, directories, gibMax: Number(gib) };
}

/** Who is watched, and what is done about it. */
export interface DiskWatchParts {
  list(): Promise<Watched[]>;
  /** Told of a container that has written more than its share. */
  exceeded(instanceId: string, gibMax: number): Promise<void>;
}

const bytesPerGib = 1024 ** 3;
const tickMs = 250;
const lookEveryMs = 2_000;
/** A look at many files takes long; it must not take more than a tenth of the time unless the file system fills. */
const restFactor = 10;
const restMsMax = 30_000;
/** So much more on the file system means that somebody writes fast. */
const rushBytes = 512 * 1024 ** 2;
const rushFiles = 50_000;
/** As many as a file system has by itself for each GiB: files without content take these, and nothing that `du` counts. */
const filesPerGib = 65_536;

/** Looks again and again. */
export class DiskWatch {
  readonly #parts: DiskWatchParts;
  #timer: NodeJS.Timeout | null = null;
  #busy: Promise<void> = Promise.resolve();
  #isOver = false;
  #nextLookMs = 0;
  /** What was free when it was last looked. */
  #free: Room | null = null;
  #watched: Watched[] = [];

  constructor(parts: DiskWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#isOver) return;
    this.#timer = setTimeout(() => {
      // What can't be looked at now is looked at the next time.
      this.#busy = this.#tick()
        .catch(() => {})
        .finally(() => this.start());
    }, tickMs).unref();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#busy;
  }

  async #tick(): Promise<void> {
    const beganMs = performance.now();
    const free = await roomBeside(this.#watched);
    const isRush = free !== null && this.#free !== null && isFilling(this.#free, free);
    if (!isRush && beganMs < this.#nextLookMs) return;
    this.#free = free;
    try {
      this.#watched = await this.#parts.list();
      for (const watched of this.#watched) {
        const hasExceeded = (await exceeds(watched)) && !this.#isOver;
        if (hasExceeded) await this.#parts.exceeded(watched.instanceId, watched.gibMax);
      }
    } finally {
      const tookMs = performance.now() - beganMs;
      this.#nextLookMs = beganMs + Math.min(Math.max(lookEveryMs, restFactor * tookMs), restMsMax);
    }
  }
}

/** What is free on a file system. */
interface Room {
  bytes: number;
  files: number;
}

/** What is free where containers write; null when none does. */
async function roomBeside(watched: readonly Watched[]): Promise<Room | null> {
  for (const directory of watched.flatMap(({ directories }) => directories)) {
    // One that has been removed since the last look says nothing.
    const found = await statfs(directory).catch(() => null);
    if (found) return { bytes: found.bavail * found.bsize, files: found.ffree };
  }
  return null;
}

const isFilling = (before: Room, now: Room) =>
  before.bytes - now.bytes > rushBytes || before.files - now.files > rushFiles;

/** Whether what a container has written takes more than its share, in bytes or in files. */
async function exceeds({ pid, directories, gibMax }: Watched): Promise<boolean> {
  const bytes = (await sumOf(['--block-size=1'], directories)) + (await unlinkedBytes(pid, directories));
  return bytes > gibMax * bytesPerGib || (await sumOf(['--inodes'], directories)) > gibMax * filesPerGib;
}

async function sumOf(how: readonly string[], directories: readonly string[]): Promise<number> {
  const { stdout } = await runTool('du', ['-s', '-x', '-c', ...how, '--', ...directories]);
  // Files that go while they are counted make `du` complain; what it has counted stands.
  return Number(/^(\d+)\ttotal$/m.exec(stdout)?.[1] ?? 0);
}
