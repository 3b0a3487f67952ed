// SSH into containers whose images have no SSH server: it ends here, on the container's own address, and what is asked for is
// run inside the container through its engine.

import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { writeDurably } from '../../host/durable-file.ts';
import { type ContainerPlace, Door, type DoorParts, defaultSshLimits, type SshLimits } from './door.ts';

/** What the front is given. */
export interface SshFrontParts extends DoorParts {
  /** Where the host's key is kept; it is made once, so that clients know the host again. */
  hostKeyFile: string;
  limits?: Partial<SshLimits>;
}

/** The SSH of one host's containers. */
export class SshFront {
  readonly #parts: SshFrontParts;
  readonly #limits: SshLimits;
  readonly #doors = new Map<string, Door>();
  #hostKey = '';
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: SshFrontParts) {
    this.#parts = parts;
    this.#limits = { ...defaultSshLimits, ...parts.limits };
  }

  /** Reads the host's key, or makes it. Call it once, first. */
  async open(): Promise<void> {
    const { hostKeyFile } = this.#parts;
    const known = await readFile(hostKeyFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    this.#hostKey = known ?? ssh2.utils.generateKeyPairSync('ed25519').private;
    if (known === null) await writeDurably(hostKeyFile, this.#hostKey);
  }

  /**
   * Makes these the containers that can be reached; who is connected to one that stays, stays.
   * @returns why some can't be reached, by instance
   */
  apply(places: ReadonlyMap<string, ContainerPlace>): Promise<Map<string, Error>> {
    const wanted = new Map(places);
    return this.#inTurn(() => this.#apply(wanted));
  }

  /** Ends every connection, and listens no more. */
  async close(): Promise<void> {
    await this.apply(new Map());
  }

  async #apply(places: ReadonlyMap<string, ContainerPlace>): Promise<Map<string, Error>> {
    const failures = new Map<string, Error>();
    const leaving = [...this.#doors].filter(([instanceId, door]) => {
      const place = places.get(instanceId);
      return !place || !door.changeTo(place);
    });
    // An address may go from one container to another.
    await Promise.all(
      leaving.map(async ([instanceId, door]) => {
        this.#doors.delete(instanceId);
        await door.close();
      }),
    );
    for (const [instanceId, place] of places) {
      if (this.#doors.has(instanceId)) continue;
      const door = new Door(instanceId, place, this.#hostKey, this.#parts, this.#limits);
      try {
        await door.listen();
        this.#doors.set(instanceId, door);
      } catch (error) {
        failures.set(instanceId, error as Error);
      }
    }
    return failures;
  }

  /** One change at a time: two at once would both want the same address. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => {});
    return done;
  }
}
