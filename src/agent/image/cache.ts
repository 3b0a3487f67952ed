// The bases that VMs stand on, and what is known of each: found by URL, named by content, thrown away when space is short
// and nothing uses them. Rule of the house: when it can't be told what is in use, nothing is removed.

import { chmod, mkdir, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { syncDirectory } from '../../host/durable-file.ts';
import { Turns } from '../../model/turns.ts';
import type { Clock } from '../../model/world.ts';
import { outOfSpace } from './failure.ts';
import { type IndexEntry, readIndex, writeIndex } from './index-file.ts';
import type { ImageLimits } from './limits.ts';

/** Where the store says what an operator may want to know; pino fits. */
export interface ImageLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface ImageCacheOptions {
  directory: string;
  limits: ImageLimits;
  clock: Clock;
  logger: ImageLogger;
  /** Paths of the bases that some VM's overlay stands on. */
  inUse: () => Promise<ReadonlySet<string>>;
}

/** Times of use closer together than this are one; each would cost a write of the index. */
const usedAtGrainMs = 60_000;

interface BaseFile {
  name: string;
  /** Bytes that it takes on the disk, holes left out. */
  diskBytes: number;
  /** When it was last used, or null when the index does not know it. */
  usedAt: number | null;
}

export class ImageCache {
  readonly #options: ImageCacheOptions;
  readonly #baseDirectory: string;
  readonly #indexPath: string;
  readonly partDirectory: string;
  readonly temporaryDirectory: string;
  /** Base names handed out lately, and until when they are kept though no overlay shows yet. */
  readonly #holds = new Map<string, number>();
  readonly #activeParts = new Set<string>();
  readonly #evictions = new Turns(1);
  readonly #saves = new Turns(1);
  #index = new Map<string, IndexEntry>();

  constructor(options: ImageCacheOptions) {
    this.#options = options;
    this.#baseDirectory = join(options.directory, 'base');
    this.#indexPath = join(options.directory, 'index.json');
    this.partDirectory = join(options.directory, 'part');
    this.temporaryDirectory = join(options.directory, 'tmp');
  }

  /** Makes the directories, reads the index, and removes what an earlier run left half done. */
  async open(): Promise<void> {
    // Bases are read by QEMU under its own user; the rest is nobody else's.
    const made = await mkdir(this.#options.directory, { recursive: true });
    if (made) await chmod(this.#options.directory, 0o755);
    await mkdir(this.#baseDirectory, { recursive: true });
    await chmod(this.#baseDirectory, 0o755);
    await rm(this.temporaryDirectory, { recursive: true, force: true });
    await mkdir(this.temporaryDirectory, { mode: 0o700 });
    await mkdir(this.partDirectory, { recursive: true, mode: 0o700 });
    await rm(`${this.#indexPath}.new`, { force: true });
    this.#index = await readIndex(this.#indexPath);
    await this.#removeParts(this.#now() - this.#options.limits.partAgeMs);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  /** The path of an entry's base. */
  basePath(entry: Pick<IndexEntry, 'sha256' | 'format'>): string {
    return join(this.#baseDirectory, `${entry.sha256}.${entry.format}`);
  }

  /** What is cached for a key, held from now on; null when it is not there, or its file is not what it was. */
  async find(key: string): Promise<IndexEntry | null> {
    const entry = this.#index.get(key);
    if (!entry) return null;
    this.#hold(entry);
    const found = await stat(this.basePath(entry)).catch(() => null);
    if (found?.isFile() && found.size === entry.fileBytes) return entry;
    this.#options.logger.warn({ image: entry.url, sha256: entry.sha256 }, 'a cached image is missing or damaged');
    this.#index.delete(key);
    return null;
  }

  /** Keeps a base from eviction until an overlay can show that it uses it. */
  #hold(entry: IndexEntry): void {
    this.#holds.set(basename(this.basePath(entry)), this.#now() + this.#options.limits.holdMs);
  }

  /** Notes that an entry is being used. */
  async touch(key: string, entry: IndexEntry): Promise<void> {
    this.#hold(entry);
    const current = this.#index.get(key);
    if (current?.sha256 !== entry.sha256 || this.#now() - current.usedAt < usedAtGrainMs) return;
    await this.#put(key, { ...current, usedAt: this.#now() });
  }

  /** Notes that what is cached for a key is as good as if its server had been asked now; null when it is gone. */
  async confirm(key: string): Promise<IndexEntry | null> {
    const entry = await this.find(key);
    if (!entry) return null;
    const confirmed = { ...entry, checkedAt: this.#now() };
    await this.#put(key, confirmed);
    return confirmed;
  }

  /** Makes a checked file the base of its content and notes it under a key. The file is gone from where it was. */
  async keep(key: string, file: string, facts: Omit<IndexEntry, 'checkedAt' | 'usedAt'>): Promise<IndexEntry> {
    const now = this.#now();
    const entry = { ...facts, checkedAt: now, usedAt: now };
    const path = this.basePath(entry);
    this.#hold(entry);
    // Not while an eviction is at work: it may be about to remove the very file that is found here.
    await this.#evictions.run(async () => {
      const there = await stat(path).catch(() => null);
      // The same content may be in use already: that file stays, so that there is one and not two.
      if (there?.size === entry.fileBytes) await rm(file);
      else await rename(file, path);
      await syncDirectory(this.#baseDirectory);
    });
    await this.#put(key, entry);
    return entry;
  }

  async #put(key: string, entry: IndexEntry): Promise<void> {
    this.#index.set(key, entry);
    await this.#save();
  }

  /** The index is only a memory: an image is not refused because it can't be written. */
  async #save(): Promise<void> {
    try {
      await this.#saves.run(() => writeIndex(this.#indexPath, this.#index));
    } catch (error) {
      this.#options.logger.warn({ error: String(error) }, 'the index of images can not be written');
    }
  }

  /** Marks a part file as being written, for as long as `work` runs. */
  async withPart<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#activeParts.add(key);
    try {
      return await work();
    } finally {
      this.#activeParts.delete(key);
    }
  }

  /** Bytes that may still be written to the file system. */
  async #spareBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.directory);
    return bavail * bsize - this.#options.limits.freeBytesMin;
  }

  /** @throws an error with code ENOSPC when the host has no more than it must keep free */
  async checkSpace(): Promise<void> {
    if ((await this.#spareBytes()) <= 0) throw outOfSpace();
  }

  /**
   * Sees to it that `bytes` more fit, by evicting if need be.
   * @throws an error with code ENOSPC
   */
  async makeRoom(bytes: number): Promise<void> {
    if ((await this.#spareBytes()) >= bytes) return;
    await this.evict(bytes);
    if ((await this.#spareBytes()) < bytes) throw outOfSpace();
  }

  /**
   * Removes bases that nothing uses: those that no URL leads to, and the longest unused ones while all together are over
   * the limit or less than `spareBytes` can be written. Old part files go too; all idle ones, when space is short.
   * @returns how many files were removed
   */
  evict(spareBytes = 0): Promise<number> {
    return this.#evictions.run(async () => {
      const { limits, logger } = this.#options;
      const short = (await this.#spareBytes()) < spareBytes;
      let removed = await this.#removeParts(short ? Number.POSITIVE_INFINITY : this.#now() - limits.partAgeMs);

      const bases = await this.#bases();
      let used: ReadonlySet<string>;
      try {
        used = new Set([...(await this.#options.inUse())].map((path) => basename(path)));
      } catch (error) {
        logger.warn({ error: String(error) }, 'it can not be told which images are in use; none is removed');
        return removed;
      }
      let diskBytes = bases.reduce((sum, base) => sum + base.diskBytes, 0);
      const oldestFirst = bases.sort((a, b) => (a.usedAt ?? 0) - (b.usedAt ?? 0));
      for (const base of oldestFirst) {
        const wanted =
          base.usedAt === null || diskBytes > limits.cacheBytesMax || (await this.#spareBytes()) < spareBytes;
        if (!wanted || used.has(base.name) || !(await this.#removeBase(base.name))) continue;
        diskBytes -= base.diskBytes;
        removed += 1;
      }
      return removed;
    });
  }

  /** Removes one base, unless it was handed out lately. */
  async #removeBase(name: string): Promise<boolean> {
    if ((this.#holds.get(name) ?? 0) > this.#now()) return false;
    this.#holds.delete(name);
    const keys = [...this.#index].filter(([, entry]) => basename(this.basePath(entry)) === name).map(([key]) => key);
    // From here on nobody finds it any more, so it can't be handed out while it is being removed.
    for (const key of keys) this.#index.delete(key);
    await rm(join(this.#baseDirectory, name), { force: true });
    if (keys.length > 0) await this.#save();
    this.#options.logger.info({ base: name }, 'removed an image that nothing uses');
    return true;
  }

  async #bases(): Promise<BaseFile[]> {
    const usedAt = new Map<string, number>();
    for (const entry of this.#index.values()) {
      const name = basename(this.basePath(entry));
      usedAt.set(name, Math.max(usedAt.get(name) ?? 0, entry.usedAt));
    }
    const found: BaseFile[] = [];
    for (const name of await readdir(this.#baseDirectory)) {
      const facts = await stat(join(this.#baseDirectory, name)).catch(() => null);
      if (facts) found.push({ name, diskBytes: facts.blocks * 512, usedAt: usedAt.get(name) ?? null });
    }
    return found;
  }

  /** Removes part files that no download is writing and that were last written before a moment. */
  async #removeParts(before: number): Promise<number> {
    let removed = 0;
    for (const name of await readdir(this.partDirectory)) {
      const path = join(this.partDirectory, name);
      if (this.#activeParts.has(name.split('.')[0] ?? '')) continue;
      const facts = await stat(path).catch(() => null);
      if (!facts || facts.mtimeMs >= before) continue;
      await rm(path, { force: true });
      removed += 1;
    }
    return removed;
  }
}
