// The agent of one host. It asks what should be, makes it so, and reports what is, over and over; an agent that can't reach
// its server leaves everything running. What runs but is not assigned is reported and left alone.

import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Inventory } from '../api/agent/contract/inventory.ts';
import type { Assignment } from '../api/agent/contract/order.ts';
import type { Observation } from '../api/agent/contract/report.ts';
import { heartbeatMs, reportItemsMax } from '../api/agent/contract/report.ts';
import { newUuid } from '../model/id.ts';
import type { Clock, Entropy } from '../model/world.ts';
import { Acts } from './acts.ts';
import { type ServerClient, ServerRefused } from './client.ts';
import { Consoles } from './consoles.ts';
import type { Found } from './driver.ts';
import { type DriverPair, Drivers } from './drivers.ts';
import type { HostCounters } from './host-usage.ts';
import { Outbox } from './outbox.ts';
import type { Records } from './record.ts';
import { Sampler } from './sampler.ts';
import { Streams } from './streams.ts';
import { type Patience, Worker } from './worker.ts';

/** Everything is asked for anew this often: an order that was lost in whatever way arrives then. */
const fullSyncMs = 60_000;
/** Looking for what nobody owns reads every process and folder. */
const straysMs = 30_000;
/** News that come within this time travel in one report. */
const gatherMs = 5;

/** What an agent is made of. */
export interface AgentParts {
  client: ServerClient;
  drivers: DriverPair;
  records: Records;
  inventory: () => Promise<Inventory>;
  /** What the machine has used so far; null where that says nothing. */
  hostUsage: (() => Promise<HostCounters>) | null;
  clock: Clock;
  entropy: Entropy;
  patience: Patience;
  logger: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
}

/** One host's agent. */
export class Agent {
  readonly #parts: AgentParts;
  readonly #driver: Drivers;
  readonly #workers = new Map<string, Worker>();
  readonly #outbox = new Outbox();
  readonly #streams: Streams;
  readonly #acts: Acts;
  readonly #consoles: Consoles;
  readonly #sampler: Sampler;
  readonly #stopping = new AbortController();
  #found = new Map<string, Found>();
  #strays: string[] = [];
  #loops: Promise<void>[] = [];
  #news: (() => void) | null = null;
  #revision: number | undefined;
  #observing: Promise<void> | null = null;
  #synced = false;
  /** When everything is to be reported next, on the clock of `performance.now()`. */
  #completeAtMs = 0;

  constructor(parts: AgentParts) {
    this.#parts = parts;
    this.#driver = new Drivers(parts.drivers, (id) => {
      const assignment = parts.records.get(id)?.assignment;
      return assignment?.container ? 'container' : assignment?.vm && 'vm';
    });
    const { client, logger, records } = parts;
    this.#streams = new Streams({ client, logger, logs: (...asked) => this.#driver.logs(...asked) });
    const open = (...asked: Parameters<Drivers['console']>) => this.#driver.console(...asked);
    this.#consoles = new Consoles({ serverUrls: client.urls, console: open, logger });
    const usage = () => this.#driver.usage();
    this.#sampler = new Sampler({ ...parts, usage, signal: this.#stopping.signal });
    this.#acts = new Acts({
      act: (...asked) => this.#driver.act(...asked),
      records,
      logger,
      settled: (outcome) => {
        this.#outbox.settled(outcome);
        this.#news?.();
      },
    });
  }

  /** Looks at what is here, adopts it, and begins to work. Does not wait for the server. */
  async start(): Promise<void> {
    const { records, clock, logger } = this.#parts;
    const lost = await records.open(clock.now());
    if (lost.length > 0)
      logger.warn({ lost: lost.length }, 'records could not be read; what runs is adopted by looking');
    this.#driver.onChange((id) => {
      this.#workers.get(id)?.wake();
      // The next report looks again.
      this.#observe().catch((error: unknown) => logger.warn({ err: error }, 'the host could not be looked at'));
    });
    await this.#observe();
    for (const [id, record] of records.all()) if (!record.goneAt) this.#worker(id).wake();
    logger.info(
      { running: [...this.#found.values()].filter(({ power }) => power === 'running').length },
      'agent started',
    );
    this.#loops = [this.#pollLoop(), this.#reportLoop(), this.#sampler.run()];
  }

  /** Stops working and lets go of the instances, which run on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#consoles.stop();
    this.#news?.();
    await Promise.all([
      this.#streams.stop(),
      this.#acts.idle(),
      ...this.#loops,
      ...[...this.#workers.values()].map((worker) => worker.close()),
    ]);
    await this.#driver.close();
  }

  async #pollLoop(): Promise<void> {
    const { client, clock, logger, patience } = this.#parts;
    const { signal } = this.#stopping;
    let fullAt = 0;
    let wasAway = false;
    while (!signal.aborted) {
      try {
        const now = clock.now().getTime();
        const full = this.#revision === undefined || now >= fullAt;
        const answer = await client.poll(full ? undefined : this.#revision, signal);
        this.#streams.offer(answer.streams ?? []);
        this.#consoles.offer(answer.consoles ?? []);
        this.#acts.offer(answer.acts ?? []);
        if (answer.full) fullAt = now + fullSyncMs;
        if (wasAway) {
          logger.info({}, 'the server is back');
          // With an older copy of its database, perhaps: before it places anything here it should hear of everything.
          this.#completeAtMs = 0;
          this.#news?.();
        }
        wasAway = false;
        await this.#accept(answer.assignments);
        this.#revision = answer.revision;
        if (!this.#synced) this.#news?.();
        this.#synced = true;
      } catch (error) {
        if (signal.aborted) return;
        if (!wasAway || error instanceof ServerRefused)
          logger.warn({ err: error }, 'the server does not answer; instances run on');
        wasAway = true;
        this.#revision = undefined;
        await sleep(patience.serverRetryMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Takes orders. Only a newer generation counts, and an erased instance is never begun again. */
  async #accept(assignments: readonly Assignment[]): Promise<void> {
    const { records } = this.#parts;
    await Promise.all(
      assignments.map(async (given) => {
        const { instanceId } = given;
        const known = records.get(instanceId);
        const assignment = withParts(given, known?.assignment);
        if (known && (known.goneAt || assignment.generation <= known.assignment.generation)) {
          const ahead = known.goneAt !== null || assignment.generation < known.assignment.generation;
          if (known.goneAt && assignment.generation > known.assignment.generation)
            await records.update(instanceId, (newest = known) => ({ ...newest, assignment }));
          // Two orders under one number: a database that was put back to an older copy has counted on from there. Which
          // is newer can't be known here; told of a number that it has not given yet, the server gives its order anew.
          const { generation } = known.assignment;
          const disputed = !ahead && !isDeepStrictEqual(assignment, known.assignment);
          if (disputed) {
            const told = { ...known.assignment, generation: generation + 1 };
            await records.update(instanceId, (newest = known) => ({ ...newest, assignment: told }));
          }
          if (ahead || disputed) this.#changed(instanceId);
          return;
        }
        // Where the record was lost what is here tells: also what is off was on before, and holds what its owner has put there.
        const before = known ?? { ran: this.#found.has(instanceId), failure: null, restarts: 0, goneAt: null };
        await records.update(instanceId, (newest) => ({ ...(newest ?? before), assignment }));
        this.#changed(instanceId);
        this.#worker(instanceId).wake();
      }),
    );
  }

  async #reportLoop(): Promise<void> {
    const { logger, patience } = this.#parts;
    const { signal } = this.#stopping;
    let straysAt = 0;
    while (!signal.aborted) {
      const now = performance.now();
      const complete = this.#synced && now >= this.#completeAtMs;
      try {
        if (complete) {
          await this.#observe();
          if (now >= straysAt) {
            this.#strays = await this.#driver.strays(this.#known());
            straysAt = now + straysMs;
          }
        }
        if (complete || !this.#outbox.isEmpty) await this.#report(complete);
        if (complete) this.#completeAtMs = now + heartbeatMs;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'report was not delivered; it is sent again');
        await sleep(patience.serverRetryMs, undefined, { signal }).catch(() => {});
        continue;
      }
      if (this.#outbox.isEmpty)
        await this.#untilNews(this.#synced ? this.#completeAtMs - performance.now() : patience.serverRetryMs);
    }
  }

  async #report(complete: boolean): Promise<void> {
    const { client, inventory } = this.#parts;
    const isWhole = complete && ![...this.#workers.values()].some((worker) => this.#isUnseen(worker));
    const batch = this.#outbox.take((id) => this.#observationOf(id));
    const told = new Set(batch.ids);
    const others = complete ? this.#present().filter(({ instanceId }) => !told.has(instanceId)) : [];
    try {
      const machine = await inventory();
      const instances = [...batch.instances, ...others];
      for (let at = 0; at === 0 || at < instances.length; at += reportItemsMax) {
        await client.report(
          {
            inventory: machine,
            complete: isWhole && instances.length <= reportItemsMax,
            instances: instances.slice(at, at + reportItemsMax),
            events: at === 0 ? batch.events : [],
            strays: this.#strays.slice(0, 100),
            ...(at === 0 && batch.acts.length > 0 ? { acts: batch.acts } : {}),
          },
          this.#stopping.signal,
        );
      }
    } catch (error) {
      this.#outbox.putBack(batch);
      throw error;
    }
    for (const { instanceId, state } of batch.instances) if (state === 'gone') await this.#forgetWorker(instanceId);
  }

  /** Everything that is here, in whatever state; what is gone is told once and then no more. */
  #present(): Observation[] {
    const ids = new Set([...this.#workers.keys(), ...this.#found.keys()]);
    return [...ids].flatMap((id) => this.#observationOf(id) ?? []).filter(({ state }) => state !== 'gone');
  }

  /** The ids of all instances that are here, and of all disks that an order speaks of. */
  #known(): Set<string> {
    const orders = [...this.#parts.records.all()].filter(([, { goneAt }]) => goneAt === null);
    const disks = orders.flatMap(
      ([
        ,
        {
          assignment: { vm },
        },
      ]) => [...(vm?.disks ?? []), ...(vm?.eraseDisks ?? [])],
    );
    const unseen = [...this.#workers.values()].filter((worker) => this.#isUnseen(worker));
    const instances = [...this.#present(), ...unseen].map(({ instanceId }) => instanceId);
    return new Set([...instances, ...disks.map(({ id }) => id)]);
  }

  /** How an instance is; without a record, what can be seen of it. Undefined while there is nothing to say of it. */
  #observationOf(instanceId: string): Observation | undefined {
    if (this.#parts.records.get(instanceId)) {
      const worker = this.#worker(instanceId);
      return this.#isUnseen(worker) ? undefined : worker.observation();
    }
    const found = this.#found.get(instanceId);
    if (!found) return undefined;
    const state = found.power === 'running' ? 'running' : 'off';
    const unknown = { address: found.address ?? null, vcpus: 0, memoryMib: 0, diskGib: 0, restarts: 0 };
    return { instanceId, generation: 0, state, reason: null, ...unknown, runningMs: found.runningMs ?? null };
  }

  /**
   * Whether something of an instance is here that this agent has yet to look at: one that has just been started anew knows no
   * more of it than its server does, and must not say that it has not begun.
   */
  #isUnseen(worker: Worker): boolean {
    const { instanceId } = worker;
    if (worker.observation().state !== 'pending') return false;
    return this.#found.has(instanceId) || this.#parts.records.get(instanceId)?.ran === true;
  }

  async #forgetWorker(instanceId: string): Promise<void> {
    const worker = this.#workers.get(instanceId);
    if (worker?.observation().state !== 'gone') return;
    this.#workers.delete(instanceId);
    await worker.close();
  }

  async #observe(): Promise<void> {
    this.#observing ??= this.#look().finally(() => {
      this.#observing = null;
    });
    await this.#observing;
  }

  async #look(): Promise<void> {
    const before = this.#found;
    this.#found = new Map((await this.#driver.observe()).map((vm) => [vm.instanceId, vm]));
    for (const id of new Set([...before.keys(), ...this.#found.keys()])) {
      const [was, is] = [before.get(id), this.#found.get(id)];
      if (was?.power === is?.power && was?.reason === is?.reason) continue;
      if (this.#parts.records.get(id)) this.#worker(id).wake();
      else this.#changed(id);
    }
    // A VM that died, was brought back and died again between two looks shows no change; what its worker believes does.
    for (const [id, worker] of this.#workers) {
      if (worker.observation().state === 'running' && this.#found.get(id)?.power !== 'running') worker.wake();
    }
  }

  #worker(instanceId: string): Worker {
    const known = this.#workers.get(instanceId);
    if (known) return known;
    const { records, clock, patience, logger } = this.#parts;
    const worker = new Worker(instanceId, {
      driver: this.#driver,
      records,
      clock,
      patience,
      logger,
      changed: (id) => this.#changed(id),
      tell: (id, kind, message, data) => this.#tell(id, kind, message, data),
    });
    this.#workers.set(instanceId, worker);
    return worker;
  }

  #changed(instanceId: string): void {
    this.#outbox.changed(instanceId);
    this.#news?.();
  }

  #tell(instanceId: string, kind: string, message: string, data?: Record<string, unknown>): void {
    const { clock, entropy } = this.#parts;
    const now = clock.now();
    const event = { id: newUuid(entropy), instanceId, at: now.toISOString(), kind, message, ...(data ? { data } : {}) };
    this.#outbox.add(event, now.getTime());
    this.#news?.();
  }

  async #untilNews(ms: number): Promise<void> {
    if (ms <= 0 || this.#stopping.signal.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#news = () => {
        clearTimeout(timer);
        setTimeout(resolve, gatherMs);
      };
    });
    this.#news = null;
  }
}

/** An order to remove what its server knows nothing of says no more than that: what is to be removed is as it was ordered last. */
function withParts(given: Assignment, known: Assignment | undefined): Assignment {
  if (!known || given.desired !== 'absent' || given.vm || given.container) return given;
  const { vm, container } = known;
  return { ...given, ...(vm ? { vm } : {}), ...(container ? { container } : {}) };
}
