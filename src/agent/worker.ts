// One worker for each instance: it alone acts on the instance, one step at a time, until what is fits the newest order.
// It decides when to try, to wait and to give up; how a VM is run is the driver's business.

import type { Observation } from '../api/agent/contract.ts';
import type { ObservedState } from '../model/assignment.ts';
import type { Clock } from '../model/world.ts';
import type { InstanceRecord, Records } from './record.ts';
import type { VmDriver, VmFound, VmProgress, VmSpec } from './vm/driver.ts';
import { VmFailure } from './vm/driver.ts';

/** How patient an agent is. Tests shorten these. */
export interface Patience {
  /** How long a guest may take to power off before the plug is pulled. */
  graceMs: number;
  /** Attempts to bring up an instance that never ran; then it is failed. */
  startAttemptsMax: number;
  /** The first pause after a failure; it doubles from then on. */
  backoffMsMin: number;
  /** The longest pause. */
  backoffMsMax: number;
  /** After running for this long an instance's next failure counts as its first. */
  steadyMs: number;
  /** Pause after a failed call to the server. */
  serverRetryMs: number;
}

export const defaultPatience: Patience = {
  graceMs: 20_000,
  startAttemptsMax: 3,
  backoffMsMin: 1_000,
  backoffMsMax: 300_000,
  steadyMs: 600_000,
  serverRetryMs: 1_000,
};

/** The kernel tells a process's start in hundredths of a second; a VM takes far longer to die and start again. */
const clockFinenessMs = 100;

/** What a worker is given. */
export interface WorkerParts {
  driver: VmDriver;
  records: Records;
  clock: Clock;
  patience: Patience;
  logger: { info(fields: object, message: string): void; error(fields: object, message: string): void };
  /** Called when the observation has changed. */
  changed(instanceId: string): void;
  /** Tells the customer something. */
  tell(instanceId: string, kind: string, message: string, data?: Record<string, unknown>): void;
}

/** Acts on one instance. */
export class Worker {
  readonly instanceId: string;
  readonly #parts: WorkerParts;
  #state: ObservedState = 'pending';
  #reason: string | null = null;
  #failuresInRow = 0;
  /** When its present run began, on the clock of `performance.now()`; null while it does not run. */
  #startedAtMs: number | null = null;
  #notBefore = 0;
  /** The generation whose ports and sizes the running VM is known to have. */
  #appliedGeneration = 0;
  #busy: Promise<void> | null = null;
  #again = false;
  #retry: NodeJS.Timeout | null = null;
  #starting: AbortController | null = null;
  #closed = false;

  constructor(instanceId: string, parts: WorkerParts) {
    this.instanceId = instanceId;
    this.#parts = parts;
    const record = parts.records.get(instanceId);
    if (record?.goneAt) this.#state = 'gone';
    else if (record && record.failure !== null) [this.#state, this.#reason] = ['failed', record.failure];
  }

  /** How the instance is, for the report. */
  observation(): Observation {
    const record = this.#parts.records.get(this.instanceId);
    const vm = record?.assignment.vm;
    return {
      instanceId: this.instanceId,
      generation: record?.assignment.generation ?? 0,
      state: this.#state,
      reason: this.#reason,
      restarts: record?.restarts ?? 0,
      address: vm?.address ?? null,
      vcpus: vm?.vcpus ?? 0,
      memoryMib: vm?.memoryMib ?? 0,
      diskGib: vm?.diskGib ?? 0,
      runningMs: this.#runningMs(),
    };
  }

  /** Looks again soon: an order came, or something changed. An order to erase interrupts a start. */
  wake(): void {
    if (this.#closed) return;
    if (this.#parts.records.get(this.instanceId)?.assignment.desired === 'absent') this.#starting?.abort();
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = null;
    this.#again = true;
    this.#busy ??= this.#work().finally(() => {
      this.#busy = null;
      if (this.#again && !this.#closed) this.wake();
    });
  }

  /** Stops acting; what runs goes on. Resolves when the step at hand is over. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#retry) clearTimeout(this.#retry);
    this.#starting?.abort();
    await this.#busy;
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      const record = this.#parts.records.get(this.instanceId);
      if (!record) return;
      try {
        if (record.goneAt) this.#become('gone', null);
        else if (record.assignment.desired === 'absent') await this.#erase(record);
        else if (record.failure !== null) this.#become('failed', record.failure);
        else await this.#bringUp(record);
      } catch (error) {
        this.#parts.logger.error({ instanceId: this.instanceId, err: error }, 'step failed, will be tried again');
        this.#later();
      }
    }
  }

  async #erase(record: InstanceRecord): Promise<void> {
    const { driver, records, clock, patience, tell } = this.#parts;
    if ((await driver.inspect(this.instanceId))?.power === 'running')
      tell(this.instanceId, 'vm.stop', 'Asked to power off.');
    await driver.erase(this.instanceId, patience.graceMs);
    const goneAt = clock.now().toISOString();
    await records.update(this.instanceId, (newest = record) => ({ ...newest, goneAt }));
    this.#become('gone', null);
  }

  async #bringUp(record: InstanceRecord): Promise<void> {
    const found = await this.#parts.driver.inspect(this.instanceId);
    if (found?.power === 'off' && record.ran) return this.#become('off', null);
    if (found?.power === 'running') this.#began(found);
    if (found?.power === 'running' && this.#appliedGeneration === record.assignment.generation) {
      return this.#become('running', found.reason ?? null);
    }
    if (found?.power !== 'running') {
      if (record.ran && this.#state !== 'restarting') return this.#died(record, found);
      // Bounded, as a clock that was set back would stretch it without end.
      const pauseMs = Math.min(this.#notBefore - this.#now(), this.#parts.patience.backoffMsMax);
      if (pauseMs > 0) return this.#later(pauseMs);
      if (!record.ran) this.#become('preparing', this.#reason);
    }
    await this.#run(record);
  }

  /** Its hypervisor died: back up after a pause that grows, and never given up, for the disk holds the customer's data. */
  async #died(record: InstanceRecord, found: VmFound | undefined): Promise<void> {
    if ((this.#runningMs() ?? 0) > this.#parts.patience.steadyMs) this.#failuresInRow = 0;
    const pauseMs = this.#pause();
    const why = found?.reason ?? 'its hypervisor ended';
    const message = `The VM stopped unexpectedly (${why}). It is started again in ${Math.ceil(pauseMs / 1000)} s.`;
    this.#parts.tell(this.instanceId, 'vm.died', message, { restarts: record.restarts + 1 });
    const restarts = record.restarts + 1;
    await this.#parts.records.update(this.instanceId, (newest = record) => ({ ...newest, restarts }));
    this.#become('restarting', message);
    this.#later(pauseMs);
  }

  async #run(record: InstanceRecord): Promise<void> {
    const { driver, records } = this.#parts;
    const { generation, vm } = record.assignment;
    const spec: VmSpec = { instanceId: this.instanceId, ...vm };
    this.#starting = new AbortController();
    try {
      await driver.run(spec, (step) => this.#progress(step), this.#starting.signal);
    } catch (error) {
      if (this.#starting.signal.aborted) {
        this.#again = true;
        return;
      }
      return await this.#startFailed(record, error);
    } finally {
      this.#starting = null;
    }
    if (!record.ran) await records.update(this.instanceId, (newest = record) => ({ ...newest, ran: true }));
    const found = await driver.inspect(this.instanceId);
    if (found?.power === 'running') this.#began(found);
    this.#appliedGeneration = generation;
    this.#become('running', null);
  }

  async #startFailed(record: InstanceRecord, error: unknown): Promise<void> {
    const failure =
      error instanceof VmFailure ? error : new VmFailure('internal', 'The host could not start the VM.', false);
    this.#parts.logger.error({ instanceId: this.instanceId, code: failure.code, err: error }, 'start failed');
    const pauseMs = this.#pause();
    const hopeless = failure.permanent || this.#failuresInRow >= this.#parts.patience.startAttemptsMax;
    if (hopeless && !record.ran) {
      const { message } = failure;
      await this.#parts.records.update(this.instanceId, (newest = record) => ({ ...newest, failure: message }));
      this.#parts.tell(this.instanceId, 'vm.failed', failure.message, { code: failure.code });
      return this.#become('failed', failure.message);
    }
    this.#parts.tell(this.instanceId, 'vm.retry', `${failure.message} It is tried again.`, { code: failure.code });
    const runs = (await this.#parts.driver.inspect(this.instanceId))?.power === 'running';
    this.#become(runs ? 'running' : record.ran ? 'restarting' : 'preparing', failure.message);
    this.#later(pauseMs);
  }

  #progress(step: VmProgress): void {
    const { done, total } = step;
    const data = done === undefined ? undefined : { done, ...(total === undefined ? {} : { total }) };
    this.#parts.tell(this.instanceId, step.kind, step.message, data);
  }

  /** Notes since when it runs. What only the driver can tell it tells again after any restart of the agent. */
  #began({ runningMs = 0 }: VmFound): void {
    const startedAtMs = performance.now() - runningMs;
    // Two looks at one run differ by the fineness of the system's clocks; what was told of it stays told.
    const isSameRun = this.#startedAtMs !== null && Math.abs(startedAtMs - this.#startedAtMs) < clockFinenessMs;
    if (!isSameRun) this.#startedAtMs = startedAtMs;
  }

  #runningMs(): number | null {
    if (this.#state !== 'running' || this.#startedAtMs === null) return null;
    return Math.max(0, Math.round(performance.now() - this.#startedAtMs));
  }

  #become(state: ObservedState, reason: string | null): void {
    if (this.#state === state && this.#reason === reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#parts.changed(this.instanceId);
  }

  /** Counts a failure. @returns how long to wait before the next attempt */
  #pause(): number {
    const { backoffMsMin, backoffMsMax } = this.#parts.patience;
    const pauseMs = Math.min(backoffMsMin * 2 ** Math.min(this.#failuresInRow, 20), backoffMsMax);
    this.#failuresInRow += 1;
    this.#notBefore = this.#now() + pauseMs;
    return pauseMs;
  }

  #later(pauseMs = this.#parts.patience.backoffMsMin): void {
    if (this.#closed) return;
    if (this.#retry) clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.wake(), pauseMs);
    this.#retry.unref();
  }

  #now(): number {
    return this.#parts.clock.now().getTime();
  }
}
