// Keeps what customers are told of slots in step with what is.

import type { Context } from '../app/context.ts';
import { tellSlots } from '../app/slot-news.ts';

/** All slots are looked at as often as this, should the database have been put back to an older copy meanwhile. */
const lookAtAllEveryMs = 60_000;

interface Progress {
  snapshot: string | null;
  lookedAtAllMs: number;
}

/** How far this server has come; it concerns nobody but this process. */
const progressOf = new WeakMap<Context, Progress>();

/** One pass. */
export async function reconcileSlots(context: Context): Promise<void> {
  const nowMs = performance.now();
  const before = progressOf.get(context);
  const isDue = !before || nowMs - before.lookedAtAllMs > lookAtAllEveryMs;
  const snapshot = await tellSlots(context, isDue ? null : before.snapshot);
  progressOf.set(context, { snapshot, lookedAtAllMs: isDue ? nowMs : before.lookedAtAllMs });
}
