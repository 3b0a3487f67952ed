// Holds what is against what should be, all the time, and shows the result as a metric that reads 0 when all is well.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from '../app/context.ts';
import { type Drift, driftChecks, driftKinds } from '../model/drift.ts';
import { instanceStatuses } from '../model/instance.ts';
import { type Breathe, findLedgerDrift, readFacts } from '../store/drift.ts';
import { countInstancesByStatus } from '../store/instance.ts';

/** Of the time that a pass takes this is rest: a pass over many instances is worth no request's waiting. */
const restShare = 0.8;
/** The longest rest: its snapshot keeps PostgreSQL from clearing up, so a pass is not to take for ever. */
const restMsMax = 250;

/** A log line names this many; the metric counts all. */
const shownMax = 20;

/** Where the findings are shown; what shows them is not this layer's business. */
export interface DriftGauges {
  drift: { set(labels: { kind: string }, value: number): void };
  instances: { set(labels: { status: string }, value: number): void };
}

/** Rests after each piece of work in proportion to what it took. */
function breather(signal: AbortSignal): Breathe {
  let beganAt = performance.now();
  return async () => {
    const tookMs = performance.now() - beganAt;
    await sleep(Math.min((tookMs * restShare) / (1 - restShare), restMsMax), undefined, { signal });
    beganAt = performance.now();
  };
}

/** One pass. @throws the signal's reason */
export async function reconcileDrift(context: Context, gauges: DriftGauges, signal: AbortSignal): Promise<void> {
  const breathe = breather(signal);
  const facts = await readFacts(context.database, breathe);
  const drift: Drift[] = [];
  for (const check of driftChecks) {
    drift.push(...check(facts));
    await breathe();
  }
  for (const kind of driftKinds.filter((one) => one !== 'ledger')) {
    gauges.drift.set({ kind }, drift.filter((item) => item.kind === kind).length);
  }
  if (drift.length > 0) context.logger.warn({ count: drift.length, drift: drift.slice(0, shownMax) }, 'drift');
  const counts = await countInstancesByStatus(context.database);
  for (const status of instanceStatuses) gauges.instances.set({ status }, counts.get(status) ?? 0);
}

/** One pass over the whole ledger. */
export async function reconcileLedger(context: Context, gauges: DriftGauges): Promise<void> {
  const drift = await findLedgerDrift(context.database);
  gauges.drift.set({ kind: 'ledger' }, drift.length);
  if (drift.length > 0) context.logger.error({ count: drift.length, drift: drift.slice(0, shownMax) }, 'ledger drift');
}
