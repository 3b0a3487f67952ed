// Holds containers to their disks where the storage driver can't: looks at what each has written, and ends the one that has
// written more than its share, before it takes its neighbours' room.

import { runTool } from '../disk/tool.ts';

/** A container that is watched. */
export interface Watched {
  instanceId: string;
  /** Where its own writes go, on this host. */
  directory: string;
  gibMax: number;
}

const bytesPerGib = 1024 ** 3;
const lookEveryMs = 2_000;
/** A look at many files takes long; it must not take more than a tenth of the time. */
const restFactor = 10;

/** Looks again and again. */
export class DiskWatch {
  readonly #list: () => Promise<Watched[]>;
  readonly #exceeded: (instanceId: string, gibMax: number) => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> = Promise.resolve();
  #isOver = false;

  /** @param exceeded told of a container that has written more than its share */
  constructor(list: () => Promise<Watched[]>, exceeded: (instanceId: string, gibMax: number) => Promise<void>) {
    this.#list = list;
    this.#exceeded = exceeded;
  }

  start(): void {
    this.#later(lookEveryMs);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#looking;
  }

  #later(ms: number): void {
    if (this.#isOver) return;
    this.#timer = setTimeout(() => {
      const beganMs = performance.now();
      // What can't be looked at now is looked at the next time.
      this.#looking = this.#look()
        .catch(() => {})
        .finally(() => this.#later(Math.max(lookEveryMs, restFactor * (performance.now() - beganMs))));
    }, ms).unref();
  }

  async #look(): Promise<void> {
    for (const { instanceId, directory, gibMax } of await this.#list()) {
      const { code, stdout } = await runTool('du', ['-s', '-x', '--block-size=1', directory]);
      const bytes = Number(stdout.split(/\s/, 1)[0]);
      // Files that go while they are counted make `du` complain; what it has counted stands.
      if ((code === 0 || bytes > 0) && bytes > gibMax * bytesPerGib) await this.#exceeded(instanceId, gibMax);
    }
  }
}
