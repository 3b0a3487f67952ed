// Delivers webhooks: woken by whoever writes an event, and by the clock for what is tried again. Any number of servers may do
// so at once, and any of them may be killed: what it had taken is taken by another when its lease has run out.

import type { Context } from '../app/context.ts';
import {
  deliver,
  deliveriesMax,
  type TakenDelivery,
  takeDeliveries,
  type WebhookSender,
  webhookWakeup,
} from '../app/webhook-delivery.ts';

/** Retries come no more exactly than this. */
const lookEveryMs = 1_000;
/** What is under way when the server stops is given so long to end. */
const graceMs = 1_000;

/** Delivers until `signal` aborts. @returns a promise that resolves when nothing is under way any more */
export async function deliverWebhooks(context: Context, sender: WebhookSender, signal: AbortSignal): Promise<void> {
  const underWay = new Map<TakenDelivery, Promise<void>>();
  const breakOff = new AbortController();
  const start = (delivery: TakenDelivery) => {
    const ended = deliver(context, sender, delivery, breakOff.signal)
      .catch((error) => context.logger.warn({ err: error }, 'a webhook delivery was not settled; it is made again'))
      .finally(() => {
        underWay.delete(delivery);
        context.wakeups.heard(webhookWakeup);
      });
    underWay.set(delivery, ended);
  };
  while (!signal.aborted) {
    // Begun before looking, so that no wake-up is missed.
    const woken = context.wakeups.next(webhookWakeup, lookEveryMs, signal);
    try {
      if (underWay.size < deliveriesMax) for (const one of await takeDeliveries(context, underWay.keys())) start(one);
    } catch (error) {
      if (!signal.aborted)
        context.logger.warn({ err: error }, 'webhook deliveries could not be taken; it is tried again');
    }
    await woken;
  }
  const timer = setTimeout(() => breakOff.abort(), graceMs);
  await Promise.all(underWay.values());
  clearTimeout(timer);
}
