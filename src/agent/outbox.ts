// What is to be told to the server and has not been acknowledged. Everything in here may be sent twice: observations are
// states, and events have ids.

import type { AgentEvent, Observation, Settled } from '../api/agent/contract/report.ts';
import { reportItemsMax } from '../api/agent/contract/report.ts';

/** While the server is away events pile up; beyond this the oldest go. */
const eventsMax = 10_000;
/** Progress of one kind for one instance within this time is told by its newest event alone. */
const progressMs = 1_000;

/** Events waiting to be told, and which instances have news. */
export class Outbox {
  #events: AgentEvent[] = [];
  #news = new Set<string>();
  #outcomes: Settled[] = [];
  readonly #lastProgress = new Map<string, { atMs: number; event: AgentEvent }>();

  /** Notes that an instance has news. */
  changed(instanceId: string): void {
    this.#news.add(instanceId);
  }

  /** Adds an event; one that only says how far the same work has come takes the place of the one before. */
  add(event: AgentEvent, nowMs: number): void {
    if (event.data && 'done' in event.data) {
      const key = `${event.instanceId} ${event.kind}`;
      const last = this.#lastProgress.get(key);
      if (last && nowMs - last.atMs < progressMs) {
        const waiting = this.#events.indexOf(last.event);
        if (waiting >= 0) this.#events.splice(waiting, 1);
        this.#events.push(event);
        this.#lastProgress.set(key, { atMs: last.atMs, event });
        return;
      }
      this.#lastProgress.set(key, { atMs: nowMs, event });
      if (this.#lastProgress.size > eventsMax) this.#lastProgress.clear();
    }
    this.#events.push(event);
    if (this.#events.length > eventsMax) this.#events.splice(0, this.#events.length - eventsMax);
  }

  /** Notes how an act went. */
  settled(outcome: Settled): void {
    this.#outcomes.push(outcome);
  }

  /** Whether anything waits. */
  get isEmpty(): boolean {
    return this.#events.length === 0 && this.#news.size === 0 && this.#outcomes.length === 0;
  }

  /**
   * Takes what fits in one report.
   * @param observe how an instance is now; undefined when there is nothing to say of it any more
   */
  take(observe: (instanceId: string) => Observation | undefined): Batch {
    const ids = [...this.#news].slice(0, reportItemsMax);
    for (const id of ids) this.#news.delete(id);
    return {
      ids,
      instances: ids.flatMap((id) => observe(id) ?? []),
      events: this.#events.splice(0, reportItemsMax),
      acts: this.#outcomes.splice(0, reportItemsMax),
    };
  }

  /** Puts back what could not be delivered. */
  putBack(batch: Batch): void {
    for (const id of batch.ids) this.#news.add(id);
    this.#events.unshift(...batch.events);
    this.#outcomes.unshift(...batch.acts);
  }
}

/** What one report carries. */
export interface Batch {
  ids: string[];
  instances: Observation[];
  events: AgentEvent[];
  acts: Settled[];
}
