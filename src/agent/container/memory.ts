// What the agent must know of containers beyond what the Engine can tell it: a small file for each, replaced whole, so that it
// outlives the agent.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeDurably } from '../../host/durable-file.ts';
import { Turns } from '../../model/turns.ts';

/** What is remembered of a container. */
export interface Memory {
  /** The startup script of the container's newest start. */
  script?: ScriptMemory;
  /** The public image that Berth, rather than the operator, brought to this machine for it and others. */
  pulledImage?: string;
  /**
   * A pull with a login that may have left names which are nobody else's to use; `kept` are those that
   * were there before, and the images they meant.
   */
  privatePull?: { repository: string; kept: Readonly<Record<string, string>> };
  /** The Engine has noted a port of its own as taken: the agent runs what listens there. */
  hasOwnProxies?: true;
  /** It was ended for this reason, for good. */
  ended?: { code: string; reason: string };
}

/** How far a startup script has come. */
export interface ScriptMemory {
  /** The start that it belongs to, as the Engine tells its time. */
  startedAt: string;
  /** The Engine's id of its run. */
  execId: string;
  /** Nobody waits for it any more: it has ended well, or gone on for too long. */
  isPast?: true;
}

const suffix = '.json';

/** Remembers. */
export class Memories {
  readonly #directory: string;
  readonly #memories = new Map<string, Memory>();
  readonly #turns = new Turns(1);

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Reads what was remembered before. Call it once, first. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#directory)) {
      if (!name.endsWith(suffix)) continue;
      const text = await readFile(join(this.#directory, name), 'utf8');
      this.#memories.set(name.slice(0, -suffix.length), JSON.parse(text) as Memory);
    }
  }

  /** What is remembered of an instance. */
  get(instanceId: string): Memory {
    return this.#memories.get(instanceId) ?? {};
  }

  /** Everything that is remembered, by instance. */
  entries(): [string, Memory][] {
    return [...this.#memories];
  }

  /** Remembers something more of an instance; what is set to undefined is forgotten. */
  async note(instanceId: string, more: { [Key in keyof Memory]: Memory[Key] | undefined }): Promise<void> {
    await this.#turns.run(async () => {
      const all = Object.entries({ ...this.get(instanceId), ...more });
      const memory = Object.fromEntries(all.filter(([, value]) => value !== undefined)) as Memory;
      this.#memories.set(instanceId, memory);
      await writeDurably(this.#file(instanceId), JSON.stringify(memory));
    });
  }

  /** Forgets an instance. */
  async forget(instanceId: string): Promise<void> {
    await this.#turns.run(async () => {
      this.#memories.delete(instanceId);
      await rm(this.#file(instanceId), { force: true });
    });
  }

  #file(instanceId: string): string {
    return join(this.#directory, instanceId + suffix);
  }
}
