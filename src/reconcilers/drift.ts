// Holds what is against what should be, all the time, and shows the result as a metric that reads 0 when all is well.

import { setImmediate } from 'node:timers/promises';
import type { Context } from '../app/context.ts';
import { type Drift, driftChecks, driftKinds } from '../model/drift.ts';
import { instanceStatuses } from '../model/instance.ts';
import { findLedgerDrift, readFacts } from '../store/drift.ts';
import { countInstancesByStatus } from '../store/instance.ts';

/** A log line names this many; the metric counts all. */
const shownMax = 20;

/** Where the findings are shown; what shows them is not this layer's business. */
export interface DriftGauges {
  drift: { set(labels: { kind: string }, value: number): void };
  instances: { set(labels: { status: string }, value: number): void };
}

/** One pass. */
export async function reconcileDrift(context: Context, gauges: DriftGauges): Promise<void> {
  const facts = await readFacts(context.database);
  const drift: Drift[] = [];
  for (const check of driftChecks) {
    // Requests have their turn in between.
    await setImmediate();
    drift.push(...check(facts));
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
