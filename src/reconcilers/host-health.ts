// Notices hosts that have gone silent. Their word that they are back comes with their reports. While no server was here to
// listen, or none could reach the database, silence says nothing: then every host gets the time to be heard again.

import type { Context } from '../app/context.ts';
import { noteSilentHosts, silenceMsMax } from '../app/host.ts';

/** A pass this much later than the one before means that reports may have been lost on our side. Some passes' time. */
const deafMsMin = 8_000;

interface Listening {
  lastPassAtMs: number;
  /** Until then nobody's silence counts. */
  graceUntilMs: number;
}

/** Since when this server listens; it concerns nobody but this process. */
const listening = new WeakMap<Context, Listening>();

/** One pass. */
export async function reconcileHostHealth(context: Context): Promise<void> {
  const nowMs = context.clock.now().getTime();
  const before = listening.get(context) ?? { lastPassAtMs: Number.NEGATIVE_INFINITY, graceUntilMs: nowMs };
  // A clock that was set looks the same as a time without passes, in either direction.
  const gapMs = Math.abs(nowMs - before.lastPassAtMs);
  // Hosts get as long to be heard again as they could not be heard, and never longer than they may be silent.
  const graceUntilMs = gapMs > deafMsMin ? nowMs + Math.min(gapMs, silenceMsMax) : before.graceUntilMs;
  // Also a pass in which nobody can be found silent asks the database, to know whether it is there.
  await noteSilentHosts(context, new Date(nowMs >= graceUntilMs ? nowMs - silenceMsMax : 0));
  listening.set(context, { lastPassAtMs: nowMs, graceUntilMs });
}
