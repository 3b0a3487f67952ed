// Forgets what has had its time: old events, answers kept for repeats, one-time tokens, streams whose server was killed. In
// small steps, so that no transaction grows long.

import type { Context } from '../app/context.ts';
import { inTransaction } from '../store/database.ts';
import { forgetEvents } from '../store/event.ts';
import { forgetEnrolments } from '../store/host.ts';
import { forgetAnswers, idempotencyKeptMs } from '../store/idempotency.ts';
import { forgetStreams } from '../store/stream.ts';

const eventsKeptMs = 90 * 24 * 60 * 60 * 1000;
const stepMax = 1_000;

/** One pass. */
export async function purge(context: Context): Promise<void> {
  const now = context.clock.now().getTime();
  const inSteps = async (forget: (before: Date) => Promise<number>, keptMs: number) => {
    while ((await forget(new Date(now - keptMs))) === stepMax);
  };
  const { database } = context;
  await inSteps((before) => inTransaction(database, (tx) => forgetEvents(tx, before, stepMax)), eventsKeptMs);
  await inSteps((before) => inTransaction(database, (tx) => forgetAnswers(tx, before, stepMax)), idempotencyKeptMs);
  await forgetEnrolments(database, new Date(now));
  await forgetStreams(database, new Date(now));
}
