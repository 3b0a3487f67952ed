// The storage pools of a host: directories on its file systems, each with a label by which orders name it. A pool bears a
// mark of its own, because a directory whose file system is not mounted is there all the same, and empty: what lies in a pool
// that is not there is not missing, and no disk is made in its stead.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../host/durable-file.ts';
import { defaultPoolLabel } from '../../model/storage-pool.ts';
import { Turns } from '../../model/turns.ts';
import { DriverFailure } from '../driver.ts';
import { type DiskPlace, listPlaces, placeOf, readDisk } from './place.ts';

/** A pool as the agent is told of it. */
export interface PoolDirectory {
  label: string;
  directory: string;
}

/** A pool's mark in its own directory, and the agent's memory of the marks of all pools it has used. */
const markName = 'pool.json';
const memoryName = 'pools.json';

/** The pools of one host. */
export class StoragePools {
  readonly #memory: string;
  readonly #directories: ReadonlyMap<string, string>;
  readonly #ready = new Map<string, string>();
  /** Two VMs that start at once would each give a new pool a mark of its own. */
  readonly #opening = new Turns(1);

  /**
   * @param directory the agent's own, which holds the default pool
   * @param others pools beside that one
   */
  constructor(directory: string, others: readonly PoolDirectory[] = []) {
    this.#memory = join(directory, memoryName);
    const all = [{ label: defaultPoolLabel, directory: join(directory, 'disk') }, ...others];
    this.#directories = new Map(all.map((pool) => [pool.label, pool.directory]));
  }

  /** The labels of all pools, the default one first. */
  get labels(): string[] {
    return [...this.#directories.keys()];
  }

  /**
   * The directory of a pool that can be used.
   * @throws DriverFailure when it is not there
   */
  async directoryOf(label: string): Promise<string> {
    const ready = this.#ready.get(label);
    if (ready !== undefined) return ready;
    const given = this.#directories.get(label);
    if (given === undefined) throw missing(label);
    return await this.#opening.run(async () => {
      const directory = this.#ready.get(label) ?? (await this.#open(label, given));
      this.#ready.set(label, directory);
      return directory;
    });
  }

  /** The place of a disk. @throws DriverFailure when its pool is not there */
  async placeOf(label: string, diskId: string): Promise<DiskPlace> {
    return placeOf(await this.directoryOf(label), diskId);
  }

  /** Every disk that is here, complete or not, in the pools that are there. */
  async list(): Promise<DiskPlace[]> {
    const places = await Promise.all(
      this.labels.map(async (label) => {
        const directory = await this.directoryOf(label).catch(() => undefined);
        if (directory === undefined) return [];
        return (await listPlaces(directory)).map((diskId) => placeOf(directory, diskId));
      }),
    );
    return places.flat();
  }

  /** Paths of the images that disks here stand on. */
  async basesInUse(): Promise<string[]> {
    const records = await Promise.all((await this.list()).map((place) => readDisk(place)));
    return records.flatMap((record) => record?.base?.path ?? []);
  }

  /** Makes sure that a directory is the pool that it was, or makes it one. */
  async #open(label: string, directory: string): Promise<string> {
    const known = await readJson<Record<string, string>>(this.#memory);
    const mark = await readJson<{ id: string }>(join(directory, markName));
    const knownId = known?.[label];
    if (knownId !== undefined && mark?.id !== knownId) throw missing(label);
    if (knownId === undefined) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const id = mark?.id ?? randomUUID();
      // First the mark: a pool that is remembered has one.
      if (!mark) await writeDurably(join(directory, markName), JSON.stringify({ label, id }));
      await writeDurably(this.#memory, JSON.stringify({ ...known, [label]: id }));
    }
    return realpath(directory);
  }
}

const missing = (label: string) =>
  new DriverFailure('host.storage-pool', `The storage pool ${label} of this host is not there at the moment.`, false);

async function readJson<Value>(path: string): Promise<Value | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
