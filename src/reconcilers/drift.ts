// Holds what is against what should be, all the time, and shows the result as a metric that reads 0 when all is well.

import type { Metrics } from '../api/metrics.ts';
import type { Context } from '../app/context.ts';
import { driftKinds, findDrift } from '../model/drift.ts';
import { instanceStatuses } from '../model/instance.ts';
import { readFacts } from '../store/drift.ts';
import { countInstancesByStatus } from '../store/instance.ts';

/** A log line names this many; the metric counts all. */
const shownMax = 20;

/** One pass. */
export async function reconcileDrift(context: Context, metrics: Metrics): Promise<void> {
  const drift = findDrift(await readFacts(context.database));
  for (const kind of driftKinds) metrics.drift.set({ kind }, drift.filter((item) => item.kind === kind).length);
  if (drift.length > 0) context.logger.warn({ count: drift.length, drift: drift.slice(0, shownMax) }, 'drift');
  const counts = await countInstancesByStatus(context.database);
  for (const status of instanceStatuses) metrics.instances.set({ status }, counts.get(status) ?? 0);
}
