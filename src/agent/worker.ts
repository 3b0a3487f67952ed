// One worker for each instance: it alone acts on the instance, one step at a time, until what is fits the newest order.
// It decides when to try, to wait and to give up; how an instance is run is the driver's business.

import { isDeepStrictEqual } from 'node:util';
import type { Assignment } from '../api/agent/contract/order.ts';
import { erasedDisksMax, type Observation } from '../api/agent/contract/report.ts';
import type { ObservedState } from '../model/assignment.ts';
import { gibTaken } from '../model/configuration.ts';
import type { Clock } from '../model/world.ts';
import { type Driver, DriverAway, DriverFailure, type Found, type Progress } from './driver.ts';
import { partsOf } from './drivers.ts';
import type { InstanceRecord, Records } from './record.ts';
import type { VmDriver } from './vm/driver.ts';

/** How patient an agent is. Tests shorten these. */
export interface Patience {
  /** How long a guest may take to power off before the plug is pulled. */
  graceMs: number;
  /** Attempts to bring up a VM that never ran; then it is failed. */
  startAttemptsMax: number;
  /** The first pause after a failure; it doubles from then on. */
  backoffMsMin: number;
  /** The longest pause. */
  backoffMsMax: number;
  /** After running for this long a VM's next failure counts as its first. */
  steadyMs: number;
  /** After running for this long a container's next failure counts as its first. */
  containerSteadyMs: number;
  /**
   * A container that fails so often in a row, to start or to run on, is failed. A VM that ran is not, because its disk holds
   * the customer's data.
   */
  containerFailuresMax: number;
  /** Pause after a failed call to the server. */
  serverRetryMs: number;
}

export const defaultPatience: Patience = {
  graceMs: 20_000,
  startAttemptsMax: 3,
  backoffMsMin: 1_000,
  backoffMsMax: 300_000,
  steadyMs: 600_000,
  containerSteadyMs: 60_000,
  containerFailuresMax: 5,
  serverRetryMs: 1_000,
};

/** The kernel tells a process's start in hundredths of a second; a VM takes far longer to die and start again. */
const clockFinenessMs = 100;

/** What a worker is given. */
export interface WorkerParts {
  driver: Driver<Assignment> & Pick<VmDriver, 'halt' | 'settleDisks' | 'settleBackups'>;
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
  /** Of which of its starts it is known that it is off after it. */
  #offAfterBoot = 0;
  #failuresInRow = 0;
  /** Which of its starts runs, or ran last, and with what; undefined where nobody counts them. */
  #boot: Observation['boot'];
  /** When its present run began, on the clock of `performance.now()`; null while it does not run. */
  #startedAtMs: number | null = null;
  #notBefore = 0;
  /** The generation whose ports and sizes the running VM is known to have. */
  #appliedGeneration = 0;
  #busy: Promise<void> | null = null;
  #again = false;
  #retry: NodeJS.Timeout | null = null;
  #starting: AbortController | null = null;
  /** Of the disks that the newest order has erased, those of which nothing is left. */
  #erasedDisks: readonly string[] = [];
  /** What has become of the backups that the newest order names. */
  #backups: Observation['backups'];
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
    const parts = record && partsOf(record.assignment);
    return {
      instanceId: this.instanceId,
      generation: record?.assignment.generation ?? 0,
      state: this.#isDue(record) ? 'preparing' : this.#state,
      reason: this.#reason,
      restarts: record?.restarts ?? 0,
      address: parts?.address ?? null,
      vcpus: parts?.vcpus ?? 0,
      memoryMib: parts?.memoryMib ?? 0,
      diskGib: record ? diskGibOf(record.assignment) : 0,
      runningMs: this.#runningMs(),
      ...(this.#state === 'running' && this.#boot ? { boot: this.#boot } : {}),
      ...(this.#state === 'failed' && record?.failureCode ? { failureCode: record.failureCode } : {}),
      ...(this.#backups ? { backups: this.#backups } : {}),
      ...(this.#erasedDisks.length > 0 ? { erasedDisks: this.#erasedDisks.slice(0, erasedDisksMax) } : {}),
    };
  }

  /** Whether it was off and is ordered on: from the moment that this is known nobody is to take it for off. */
  #isDue(record: InstanceRecord | undefined): boolean {
    if (this.#state !== 'off' || record?.assignment.desired !== 'running') return false;
    return (record.assignment.vm?.bootNumber ?? 1) > this.#offAfterBoot;
  }

  /** Looks again soon: an order came, or something changed. An order to erase, or to be off, interrupts a start. */
  wake(): void {
    if (this.#closed) return;
    const desired = this.#parts.records.get(this.instanceId)?.assignment.desired;
    if (desired === 'absent' || desired === 'off') this.#starting?.abort();
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
        else if (record.assignment.desired === 'off') await this.#switchOff(record);
        else await this.#bringUp(record);
        const { vm } = record.assignment;
        if (vm && (this.#state === 'running' || this.#state === 'off')) await this.#settleBackups(vm);
      } catch (error) {
        if (!(error instanceof DriverAway))
          this.#parts.logger.error({ instanceId: this.instanceId, err: error }, 'step failed, will be tried again');
        this.#later();
      }
    }
  }

  async #erase(record: InstanceRecord): Promise<void> {
    const { driver, records, clock, patience, tell } = this.#parts;
    if ((await driver.inspect(this.instanceId))?.power === 'running')
      tell(this.instanceId, `${kindOf(record)}.stop`, 'Asked to stop.');
    await driver.erase(this.instanceId, patience.graceMs, (step) => this.#progress(step));
    const { vm } = record.assignment;
    if (vm) await this.#settleDisks({ ...vm, disks: [], eraseDisks: [...vm.disks, ...(vm.eraseDisks ?? [])] });
    const goneAt = clock.now().toISOString();
    await records.update(this.instanceId, (newest = record) => ({ ...newest, goneAt }));
    this.#become('gone', null);
  }

  async #bringUp(record: InstanceRecord): Promise<void> {
    let found = await this.#parts.driver.inspect(this.instanceId);
    const { vm } = record.assignment;
    if (vm && (vm.eraseDisks?.length || found?.power !== 'running')) await this.#settleDisks(vm);
    const isDue = (found?.bootNumber ?? 1) < (vm?.bootNumber ?? 1);
    if (found?.power === 'running' && isDue) {
      await this.#parts.driver.halt(this.instanceId);
      found = await this.#parts.driver.inspect(this.instanceId);
    }
    if (found?.power === 'off' && record.ran && !isDue) {
      if (!record.assignment.vm?.autoreboot) return this.#becomeOff(record);
      if (this.#state !== 'restarting') return this.#cameDown();
    }
    if (found?.power === 'running') this.#began(found);
    if (found?.power === 'running' && this.#appliedGeneration === record.assignment.generation) {
      return this.#become('running', found.reason ?? null);
    }
    if (found?.power !== 'running') {
      if (record.ran && !isDue && this.#state !== 'restarting') return this.#died(record, found);
      // Bounded, as a clock that was set back would stretch it without end.
      const pauseMs = Math.min(this.#notBefore - this.#now(), this.#parts.patience.backoffMsMax);
      if (pauseMs > 0) return this.#later(pauseMs);
      if (!record.ran) this.#become('preparing', this.#reason);
    }
    await this.#run(record);
  }

  async #switchOff(record: InstanceRecord): Promise<void> {
    const { assignment } = record;
    const found = await this.#parts.driver.inspect(this.instanceId);
    if (found && found.power !== 'off') await this.#parts.driver.halt(this.instanceId);
    if (assignment.vm) await this.#settleDisks(assignment.vm);
    this.#becomeOff(record);
  }

  async #settleBackups(vm: NonNullable<Assignment['vm']>): Promise<void> {
    const named = vm.disks.some(({ backups = [], eraseBackups = [] }) => backups.length + eraseBackups.length > 0);
    const news = named ? await this.#parts.driver.settleBackups({ instanceId: this.instanceId, ...vm }) : undefined;
    if (isDeepStrictEqual(news, this.#backups)) return;
    this.#backups = news;
    this.#parts.changed(this.instanceId);
  }

  /** Erases the disks that the order says are no more; never one that an order about another VM names as its own. */
  async #settleDisks(vm: NonNullable<Assignment['vm']>): Promise<void> {
    const { driver, records, changed } = this.#parts;
    const others = [...records.all()].filter(([id, { goneAt }]) => id !== this.instanceId && goneAt === null);
    const theirs = new Set(others.flatMap(([, { assignment }]) => assignment.vm?.disks.map(({ id }) => id) ?? []));
    const eraseDisks = vm.eraseDisks?.filter(({ id }) => !theirs.has(id)) ?? [];
    const erased = await driver.settleDisks({ instanceId: this.instanceId, ...vm, eraseDisks });
    if (isDeepStrictEqual(erased, this.#erasedDisks)) return;
    this.#erasedDisks = erased;
    changed(this.instanceId);
  }

  /** Its guest switched it off, and it is to come back up: after a pause, so that one that does so at once does no harm. */
  #cameDown(): void {
    if ((this.#runningMs() ?? 0) > this.#parts.patience.steadyMs) this.#failuresInRow = 0;
    const pauseMs = this.#pause();
    this.#become('restarting', 'It was switched off from inside and is started again.');
    this.#later(pauseMs);
  }

  /** It died: back up after a pause that grows. A container that keeps dying is given up. */
  async #died(record: InstanceRecord, found: Found | undefined): Promise<void> {
    const { steadyMs, containerSteadyMs, containerFailuresMax } = this.#parts.patience;
    const isContainer = kindOf(record) === 'container';
    if ((this.#runningMs() ?? 0) > (isContainer ? containerSteadyMs : steadyMs)) this.#failuresInRow = 0;
    const why = found?.reason ?? (isContainer ? 'it is not there any more' : 'its hypervisor ended');
    if (found?.failureCode) return this.#giveUp(record, found.failureCode, why);
    // What nobody saw may be the fault of what runs it; such a death does not bring the end nearer.
    if (isContainer && !found?.unwitnessed && this.#failuresInRow + 1 >= containerFailuresMax) {
      const times = `${this.#failuresInRow + 1} times in a row`;
      return this.#giveUp(record, 'CONTAINER_EXITED', `The container ended ${times}; the last time: ${why}.`);
    }
    const pauseMs = this.#pause({ counts: !found?.unwitnessed });
    const what = isContainer ? 'container' : 'VM';
    const message = `The ${what} stopped unexpectedly (${why}). It is started again in ${Math.ceil(pauseMs / 1000)} s.`;
    const restarts = record.restarts + 1;
    this.#parts.tell(this.instanceId, `${kindOf(record)}.died`, message, { restarts });
    await this.#parts.records.update(this.instanceId, (newest = record) => ({ ...newest, restarts }));
    this.#become('restarting', message);
    this.#later(pauseMs);
  }

  async #giveUp(record: InstanceRecord, failureCode: string, failure: string): Promise<void> {
    await this.#parts.records.update(this.instanceId, (newest = record) => ({ ...newest, failure, failureCode }));
    this.#parts.tell(this.instanceId, `${kindOf(record)}.failed`, failure, { code: failureCode });
    this.#become('failed', failure);
  }

  async #run(record: InstanceRecord): Promise<void> {
    const { driver, records } = this.#parts;
    const { generation } = record.assignment;
    this.#starting = new AbortController();
    try {
      await driver.run(record.assignment, (step) => this.#progress(step), this.#starting.signal);
    } catch (error) {
      if (this.#starting.signal.aborted) {
        this.#again = true;
        return;
      }
      if (error instanceof DriverAway) throw error;
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
    const kind = kindOf(record);
    const failure =
      error instanceof DriverFailure
        ? error
        : new DriverFailure('internal', `The host could not start the ${kind === 'vm' ? 'VM' : 'container'}.`, false);
    this.#parts.logger.error({ instanceId: this.instanceId, code: failure.code, err: error }, 'start failed');
    const pauseMs = this.#pause();
    const { startAttemptsMax, containerFailuresMax } = this.#parts.patience;
    const attemptsMax = kind === 'vm' ? startAttemptsMax : containerFailuresMax;
    const hopeless = failure.permanent || this.#failuresInRow >= attemptsMax;
    if (hopeless && (!record.ran || kind === 'container')) {
      return this.#giveUp(record, failure.code, failure.message);
    }
    this.#parts.tell(this.instanceId, `${kind}.retry`, `${failure.message} It is tried again.`, { code: failure.code });
    const runs = (await this.#parts.driver.inspect(this.instanceId))?.power === 'running';
    this.#become(runs ? 'running' : record.ran ? 'restarting' : 'preparing', failure.message);
    this.#later(pauseMs);
  }

  #progress(step: Progress): void {
    const { done, total } = step;
    const data = done === undefined ? step.data : { done, ...(total === undefined ? {} : { total }) };
    this.#parts.tell(this.instanceId, step.kind, step.message, data);
  }

  /** Notes what runs, and since when. What only the driver can tell it tells again after any restart of the agent. */
  #began({ runningMs = 0, bootNumber, size }: Found): void {
    const boot = bootNumber !== undefined && size !== undefined ? { number: bootNumber, ...size } : undefined;
    if (!isDeepStrictEqual(boot, this.#boot)) this.#parts.changed(this.instanceId);
    this.#boot = boot;
    const startedAtMs = performance.now() - runningMs;
    // Two looks at one run differ by the fineness of the system's clocks; what was told of it stays told.
    const isSameRun = this.#startedAtMs !== null && Math.abs(startedAtMs - this.#startedAtMs) < clockFinenessMs;
    if (!isSameRun) this.#startedAtMs = startedAtMs;
  }

  #runningMs(): number | null {
    if (this.#state !== 'running' || this.#startedAtMs === null) return null;
    return Math.max(0, Math.round(performance.now() - this.#startedAtMs));
  }

  #becomeOff({ assignment }: InstanceRecord): void {
    this.#offAfterBoot = assignment.vm?.bootNumber ?? 1;
    this.#become('off', null);
  }

  #become(state: ObservedState, reason: string | null): void {
    if (this.#state === state && this.#reason === reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#parts.changed(this.instanceId);
  }

  /** Counts a failure, unless it is to count for nothing. @returns how long to wait before the next attempt */
  #pause({ counts } = { counts: true }): number {
    const { backoffMsMin, backoffMsMax } = this.#parts.patience;
    const pauseMs = Math.min(backoffMsMin * 2 ** Math.min(this.#failuresInRow, 20), backoffMsMax);
    if (counts) this.#failuresInRow += 1;
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

function diskGibOf({ vm, container }: Assignment): number {
  return vm ? gibTaken(vm.disks.map(({ sizeMib }) => sizeMib)) : (container?.diskGib ?? 0);
}

const kindOf = ({ assignment }: InstanceRecord): 'vm' | 'container' => (assignment.container ? 'container' : 'vm');
