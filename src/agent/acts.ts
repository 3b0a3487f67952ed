// What is done to running VMs once, as the server asks for it: each act is noted before it is begun with, so that one that is
// told again, also after the agent was killed in the middle, is not done again.

import type { OfferedAct } from '../api/agent/contract/order.ts';
import type { Settled } from '../api/agent/contract/report.ts';
import type { Act, ActOutcome } from '../model/act.ts';
import { Turns } from '../model/turns.ts';
import type { Records } from './record.ts';
import type { VmDriver } from './vm/driver.ts';

/** Remembered of each VM; a server tells of an act for some seconds, and of few at a time. */
const rememberedMax = 50;

/** Of all VMs together; what is forgotten here is still in its VM's record. */
const seenMax = 1_000;

/** What acts are made of. */
export interface ActsParts {
  act: VmDriver['act'];
  records: Records;
  logger: { warn(fields: object, message: string): void };
  /** Tells the server how an act went. */
  settled(outcome: Settled): void;
}

/** All that is done to one host's VMs once. */
export class Acts {
  readonly #parts: ActsParts;
  /** Acts that this process has seen, and how each went; null while it is at it. */
  readonly #seen = new Map<string, ActOutcome | null>();
  /** Keys come in the order in which they were sent. */
  readonly #turns = new Map<string, Turns>();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: ActsParts) {
    this.#parts = parts;
  }

  /** Begins with the acts that it has not begun with yet, and says again how the others went. */
  offer(acts: readonly OfferedAct[]): void {
    for (const act of acts) {
      const outcome = this.#seen.get(act.id);
      if (outcome) this.#parts.settled({ id: act.id, outcome });
      if (outcome !== undefined) continue;
      this.#remember(act.id, null);
      const deadlineMs = performance.now() + act.expiresInMs;
      const turns = this.#turns.get(act.instanceId) ?? new Turns(1);
      this.#turns.set(act.instanceId, turns);
      const done = turns.run(() => this.#do(act, deadlineMs)).finally(() => this.#running.delete(done));
      this.#running.add(done);
    }
  }

  /** Resolves when none is being done. */
  async idle(): Promise<void> {
    await Promise.all(this.#running);
  }

  async #do({ id, instanceId, kind, keys }: OfferedAct, deadlineMs: number): Promise<void> {
    // Nobody waits for it any more; who asked has been told that it was not done.
    if (performance.now() > deadlineMs) return;
    let outcome: ActOutcome = 'failed';
    try {
      if (await this.#begin(instanceId, id)) {
        const what: Act = kind === 'sendkey' ? { kind, keys } : { kind };
        outcome = (await this.#parts.act(instanceId, what)) ? 'done' : 'not-running';
      }
    } catch (error) {
      this.#parts.logger.warn({ err: error, instanceId, act: kind }, 'an act on a VM failed');
    }
    this.#remember(id, outcome);
    this.#parts.settled({ id, outcome });
  }

  /** Notes that an act is begun with. @returns false when it was begun with before, by an agent that was killed since */
  async #begin(instanceId: string, id: string): Promise<boolean> {
    const { records } = this.#parts;
    const record = records.get(instanceId);
    if (!record) return true; // a VM without a record has no order either: it is only adopted
    if (record.acts?.includes(id)) return false;
    await records.update(instanceId, (newest = record) => {
      return { ...newest, acts: [...(newest.acts ?? []), id].slice(-rememberedMax) };
    });
    return true;
  }

  #remember(id: string, outcome: ActOutcome | null): void {
    this.#seen.set(id, outcome);
    const oldest = this.#seen.keys().next();
    if (this.#seen.size > seenMax && !oldest.done) this.#seen.delete(oldest.value);
  }
}
