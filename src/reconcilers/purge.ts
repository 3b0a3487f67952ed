// Forgets what has had its time: old events, answers kept for repeats, one-time tokens, streams and acts whose server was
// killed, deliveries of webhooks, samples. In small steps, so that no transaction grows long.

import type { Context } from '../app/context.ts';
import { forgetSamples } from '../app/sample.ts';
import { failuresKeptMs } from '../model/login-limit.ts';
import { forgetActs } from '../store/act.ts';
import { inTransaction } from '../store/database.ts';
import { forgetEvents } from '../store/event.ts';
import { forgetEnrolments } from '../store/host.ts';
import { forgetAnswers, idempotencyKeptMs } from '../store/idempotency.ts';
import { forgetKeptAnswers } from '../store/kept-answer.ts';
import { forgetFailures } from '../store/login-failure.ts';
import { forgetOperations } from '../store/operation.ts';
import { forgetPrivileges } from '../store/privilege.ts';
import { forgetQuotes } from '../store/quote.ts';
import { forgetSessions } from '../store/session.ts';
import { forgetStreams } from '../store/stream.ts';
import { forgetRemoved } from '../store/webhook.ts';
import { forgetDeliveries } from '../store/webhook-delivery.ts';

const dayMs = 24 * 60 * 60 * 1000;
const eventsKeptMs = 90 * dayMs;
const operationsKeptMs = 30 * dayMs;
const quotesKeptMs = 30 * dayMs;
/** What was given up waits longer, for whoever may want it sent again. */
const deliveriesKeptMs = { delivered: 7 * dayMs, dead: 30 * dayMs };
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
  await inSteps((before) => inTransaction(database, (tx) => forgetKeptAnswers(tx, before, stepMax)), idempotencyKeptMs);
  await inSteps(
    (before) => inTransaction(database, (tx) => forgetDeliveries(tx, 'delivered', before, stepMax)),
    deliveriesKeptMs.delivered,
  );
  await inSteps(
    (before) => inTransaction(database, (tx) => forgetDeliveries(tx, 'dead', before, stepMax)),
    deliveriesKeptMs.dead,
  );
  await inSteps((before) => inTransaction(database, (tx) => forgetOperations(tx, before, stepMax)), operationsKeptMs);
  await inSteps((before) => inTransaction(database, (tx) => forgetQuotes(tx, before, stepMax)), quotesKeptMs);
  await inSteps(() => inTransaction(database, (tx) => forgetRemoved(tx, stepMax)), 0);
  await forgetEnrolments(database, new Date(now));
  await forgetStreams(database, new Date(now));
  await forgetSessions(database, new Date(now));
  await forgetFailures(database, new Date(now - failuresKeptMs));
  await forgetPrivileges(database);
  await forgetActs(database, new Date(now));
  await forgetSamples(context);
}
