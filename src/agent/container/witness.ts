// Watches how containers end. A container's own end is told apart from one that the Engine brought about, when it was stopped
// or restarted, or that nobody watched: only the first says anything about the container. An Engine that has run on tells
// again what it has told before (its last 256 events), so that little is missed by an agent that starts anew.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import { instanceLabel, ownerLabel } from './names.ts';

/** How a container ended, as it was seen. */
export interface Death {
  atMs: number;
  exitCode: number;
  ranOutOfMemory: boolean;
  /** Somebody sent it a signal through the Engine, such as the Engine itself when it stops. */
  wasKilled: boolean;
}

interface EngineEvent {
  Action?: string;
  Actor?: { Attributes?: Record<string, string> };
  timeNano?: number;
}

const reconnectMs = 500;
/** An Engine that was killed takes this long to clear away what it had begun. */
const settleMs = 30_000;
/** What a process ends with that was killed, as one is that wants too much memory. */
const killedExitCode = 137;

/** Listens to an Engine's events, and again whenever it comes back. */
export class Witness {
  readonly #engine: Engine;
  readonly #owner: string;
  readonly #deaths = new Map<string, Death>();
  readonly #killed = new Set<string>();
  readonly #outOfMemory = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #changed: (instanceId: string) => void;
  readonly #back: () => void;
  #watching: Promise<void> | null = null;
  #isBroken = false;
  /** On the clock of `performance.now()`. */
  #mendedAtMs = Number.NEGATIVE_INFINITY;

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

  /** How a container ended that was last started at this time; undefined when nobody saw it. */
  deathOf(instanceId: string, startedAt: string): Death | undefined {
    const death = this.#deaths.get(instanceId);
    return death && death.atMs >= Date.parse(startedAt) ? death : undefined;
  }

  /** Whether the Engine is away, or was a moment ago: what it says until it has settled says nothing of a container. */
  get isUnsettled(): boolean {
    return this.#isBroken || performance.now() - this.#mendedAtMs < settleMs;
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
        // "Since the beginning"; zero would mean from now on.
        const query = { since: 1, filters, abortSignal: signal };
        const stream = await this.#engine.streaming.getEvents(query as object);
        if (this.#isBroken) this.#mendedAtMs = performance.now();
        this.#isBroken = false;
        this.#back();
        await this.#read(stream);
      } catch {
        // The Engine is away, or goes; it is tried again until it is back.
      }
      this.#isBroken = true;
      // The Engine tells it again, unless it was started anew; then it would be taken for what comes next.
      this.#killed.clear();
      this.#outOfMemory.clear();
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

  #note({ Action: action = '', Actor, timeNano = 0 }: EngineEvent): void {
    const { [instanceLabel]: instanceId, exitCode } = Actor?.Attributes ?? {};
    if (instanceId === undefined) return;
    if (action === 'kill') this.#killed.add(instanceId);
    else if (action === 'oom') this.#outOfMemory.add(instanceId);
    else if (action === 'start' || action === 'destroy') this.#forget(instanceId);
    else if (action === 'die') {
      this.#deaths.set(instanceId, {
        atMs: timeNano / 1e6,
        exitCode: Number(exitCode),
        ranOutOfMemory: this.#outOfMemory.has(instanceId) && Number(exitCode) === killedExitCode,
        wasKilled: this.#killed.has(instanceId),
      });
    }
    if (action === 'start' || action === 'die') this.#changed(instanceId);
  }

  #forget(instanceId: string): void {
    this.#deaths.delete(instanceId);
    this.#killed.delete(instanceId);
    this.#outOfMemory.delete(instanceId);
  }
}
