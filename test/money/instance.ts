// One instance for tests of the billing rules: what the database would know of it, and every period that it was charged for.

import assert from 'node:assert/strict';
import { runOf } from '../../src/model/assignment.ts';
import { type Bill, type Evidence, settle } from '../../src/model/bill.ts';
import { type BillingPeriod, firstPaidUntil, isPaidInAdvance } from '../../src/model/billing-period.ts';

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
/** When the tests begin. */
export const start = Date.parse('2026-01-01T12:00:00Z');
export const at = (ms: number) => new Date(ms);

/** One instance on a host of its own, as the database would know it. */
export class Instance {
  bill: Bill;
  readonly #seen = { observedState: null as string | null, runningSince: null as Date | null };
  #ranUntil: Date | null = null;
  #lastSeen: Date | null = null;
  /** Every period charged for, by its begin. */
  readonly charged = new Map<number, bigint>();
  /** When it ran, as far as somebody saw it: what the naive re-computation goes by. */
  readonly runs: { from: number; to: number }[] = [];

  constructor(id: string, period: BillingPeriod, price: bigint, nowMs: number) {
    const now = at(nowMs);
    this.bill = {
      ...{ instanceId: id, hostId: 'host', period, anchorAt: now, price, paidUntil: firstPaidUntil(period, now) },
      ...{ held: price, spent: isPaidInAdvance(period) ? price : 0n, periodPrice: null, priceChanges: 0 },
    };
    if (isPaidInAdvance(period)) this.charged.set(nowMs, price);
  }

  /** A report of its host; `since` is when its present run began in truth, null while it does not run. */
  report(nowMs: number, sinceMs: number | null): void {
    const seen =
      sinceMs === null ? { state: 'preparing' as const } : { state: 'running' as const, runningMs: nowMs - sinceMs };
    const run = runOf(this.#seen, seen, at(nowMs));
    if (run.ended) this.#ranUntil = this.#lastSeen;
    this.#seen.observedState = seen.state;
    this.#seen.runningSince = run.runningSince;
    this.#lastSeen = at(nowMs);
    if (sinceMs === null) return;
    const last = this.runs.at(-1);
    if (last?.from === sinceMs) last.to = nowMs;
    else this.runs.push({ from: sinceMs, to: nowMs });
  }

  evidence(): Evidence {
    return {
      runningSince: this.#seen.runningSince,
      offSince: null,
      ranUntil: this.#ranUntil,
      knownUntil: this.#lastSeen,
      chargedBegins: new Set(this.charged.keys()),
    };
  }

  get knownUntil(): number {
    return this.#lastSeen?.getTime() ?? 0;
  }
}

/** Settles as the server does, and keeps the books. */
export function close(available: bigint, instances: readonly Instance[], nowMs: number): bigint {
  const settlement = settle(
    available,
    instances.map((one) => ({ bill: one.bill, evidence: one.evidence() })),
    at(nowMs),
  );
  for (const bill of settlement.bills) {
    const instance = instances.find((one) => one.bill.instanceId === bill.instanceId);
    if (instance) instance.bill = bill;
  }
  for (const { instanceId, begins, fromAvailable, fromHeld } of settlement.charges) {
    const instance = instances.find((one) => one.bill.instanceId === instanceId);
    assert.ok(instance && !instance.charged.has(begins.getTime()), 'no period is decided on twice');
    instance.charged.set(begins.getTime(), fromAvailable + fromHeld);
  }
  return settlement.available;
}
