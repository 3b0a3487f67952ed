// Watches how containers end. A container's own end is told apart from one that the Engine brought about, when it was stopped
// or restarted, or that nobody watched: only the first says anything about the container.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { instanceLabel, ownerLabel } from './names.ts';

/** How a container ended, as it was seen. */
export interface Death {
  exitCode: number;
  ranOutOfMemory: boolean;
  /** Somebody sent it a signal through the Engine, such as the Engine itself when it stops. */
  wasKilled: boolean;
}

interface EngineEvent {
  Action?: string;
  Actor?: { Attributes?: Record<string, string> };
}

const reconnectMs = 500;

/** Listens to an Engine's events, and again whenever it comes back. */
export class Witness {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #deaths = new Map<string, Death>();
  readonly #killed = new Set<string>();
  readonly #outOfMemory = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #changed: (instanceId: string) => void;
  #back: () => void;
  #watching: Promise<void> | null = null;

  /**
   * @param changed told of each container that starts or ends
   * @param back told when the Engine answers again after it did not
   */
  constructor(engine: Engine, owner: string, changed: (instanceId: string) => void, back: () => void) {
    this.#engine = engine;
    this.#owner = owner;
    this.#changed = changed;
    this.#back = back;
  }

  /** How a container ended since it was last started; undefined when nobody saw it. */
  deathOf(instanceId: string): Death | undefined {
    return this.#deaths.get(instanceId);
  }

  /** Forgets how a container ended: it is started again, or removed. */
  forget(instanceId: string): void {
    this.#deaths.delete(instanceId);
    this.#killed.delete(instanceId);
    this.#outOfMemory.delete(instanceId);
  }

  /** Begins to listen. */
  start(): void {
    this.#watching ??= this.#watch();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        const filters = JSON.stringify({ type: ['container'], label: [`${ownerLabel}=${this.#owner}`] });
        const stream = await this.#engine.streaming.getEvents({ filters, abortSignal: signal } as object);
        this.#back();
        await this.#read(stream);
      } catch {
        // The Engine is away, or goes; it is tried again until it is back.
      }
      // What ended meanwhile nobody saw.
      this.#killed.clear();
      await sleep(reconnectMs, undefined, { signal }).catch(() => {});
    }
  }

  async #read(stream: NodeJS.ReadableStream): Promise<void> {
    let rest = '';
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') this.#note(JSON.parse(line) as EngineEvent);
    }
  }

  #note({ Action: action = '', Actor }: EngineEvent): void {
    const { [instanceLabel]: instanceId, exitCode } = Actor?.Attributes ?? {};
    if (instanceId === undefined) return;
    if (action === 'kill') this.#killed.add(instanceId);
    else if (action === 'oom') this.#outOfMemory.add(instanceId);
    else if (action === 'start') this.forget(instanceId);
    else if (action === 'die') {
      this.#deaths.set(instanceId, {
        exitCode: Number(exitCode),
        ranOutOfMemory: this.#outOfMemory.has(instanceId),
        wasKilled: this.#killed.has(instanceId),
      });
    } else return;
    if (action === 'start' || action === 'die') this.#changed(instanceId);
  }
}
