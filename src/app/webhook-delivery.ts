// Delivers webhooks: at least once, in order for each registration and subject, signed. What is sent, and over which
// connections, is given from outside; when to look for more is the reconciler's business.

import { createHmac } from 'node:crypto';
import { newUuid } from '../model/id.ts';
import { isTaken, isWorthRetrying, retryAt } from '../model/webhook.ts';
import {
  type Settlement,
  settleDelivery,
  type TakenDelivery,
  takeDeliveries as takeFromQueues,
} from '../store/webhook-delivery.ts';
import type { Context } from './context.ts';

export type { TakenDelivery } from '../store/webhook-delivery.ts';

/** Wakes those who deliver, see {@link Context.wakeups}. */
export const webhookWakeup = 'webhook';

/** A server has so many deliveries under way at once: in all, to one host name, and of one account, which may have any number of names. */
export const deliveriesMax = 32;
const deliveriesPerHostMax = 4;
const deliveriesPerAccountMax = 16;
const answerTimeoutMs = 10_000;
/** Long after an attempt is over, whatever it met; then it was killed, and somebody else takes over. */
const leaseMs = 3 * answerTimeoutMs;
const errorLengthMax = 500;

/** What delivering takes from outside. */
export interface WebhookSender {
  /** What a delivery says, as its receiver reads it. */
  render(delivery: TakenDelivery): Promise<object>;
  /**
   * Posts over a connection that leads to a public address, and follows no redirect.
   * @returns the answer's status
   * @throws Error whose message can be shown to the registration's owner
   */
  post(url: URL, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<number>;
}

/**
 * Takes what is due, as far as there is room for more.
 * @param underWay what this server delivers at the moment
 */
export function takeDeliveries(context: Context, underWay: Iterable<TakenDelivery>): Promise<TakenDelivery[]> {
  const [busy, busyAccounts] = [new Map<string, number>(), new Map<string, number>()];
  let count = 0;
  for (const { hostName, accountId } of underWay) {
    count += 1;
    busy.set(hostName, (busy.get(hostName) ?? 0) + 1);
    busyAccounts.set(accountId, (busyAccounts.get(accountId) ?? 0) + 1);
  }
  const now = context.clock.now();
  return takeFromQueues(context.database, {
    ...{ now, leasedUntil: new Date(now.getTime() + leaseMs), lease: newUuid(context.entropy) },
    ...{ limit: deliveriesMax - count, perHostMax: deliveriesPerHostMax, busy },
    ...{ perAccountMax: deliveriesPerAccountMax, busyAccounts },
  });
}

/** Makes one attempt and notes what has become of it. @param signal breaks it off; then it is left to others */
export async function deliver(
  context: Context,
  sender: WebhookSender,
  delivery: TakenDelivery,
  signal: AbortSignal,
): Promise<void> {
  const outcome = await attempt(context, sender, delivery, signal);
  const { webhookId, eventId, hostName, attempts } = delivery;
  const line = { webhookId, eventId, hostName, attempts, ...outcome };
  if (outcome.kind === 'dead') context.logger.warn(line, 'webhook delivery was given up');
  else context.logger.debug(line, 'webhook delivery');
  await settleDelivery(context.database, delivery, outcome, context.clock.now());
}

async function attempt(
  context: Context,
  sender: WebhookSender,
  delivery: TakenDelivery,
  signal: AbortSignal,
): Promise<Settlement> {
  const again = (error: string): Settlement => {
    const at = retryAt(delivery.attempts, delivery.waitingSince, context.clock.now());
    return at ? { kind: 'retry', error, at } : { kind: 'dead', error };
  };
  const timeout = AbortSignal.timeout(answerTimeoutMs);
  let request: { headers: Record<string, string>; body: string };
  try {
    request = await requestOf(context, sender, delivery);
  } catch (error) {
    context.logger.error({ err: error, eventId: delivery.eventId }, 'a webhook delivery could not be made ready');
    return again('It could not be made ready.');
  }
  try {
    const { headers, body } = request;
    const both = AbortSignal.any([timeout, signal]);
    const status = await sender.post(new URL(delivery.callbackUrl), headers, body, both);
    if (isTaken(status)) return { kind: 'delivered' };
    const error = `The receiver answered ${status}${status >= 300 && status < 400 ? '; redirects are not followed' : ''}.`;
    return isWorthRetrying(status) ? again(error) : { kind: 'dead', error };
  } catch (error) {
    if (timeout.aborted) return again(`The receiver did not answer within ${answerTimeoutMs / 1000} s.`);
    if (signal.aborted) return { kind: 'given-back' };
    // Where several addresses were tried, there is a code alone.
    const { message, code } = error as NodeJS.ErrnoException;
    return again(`The receiver can't be reached: ${message || code}.`.slice(0, errorLengthMax));
  }
}

async function requestOf(
  context: Context,
  sender: WebhookSender,
  delivery: TakenDelivery,
): Promise<{ headers: Record<string, string>; body: string }> {
  const body = JSON.stringify(await sender.render(delivery));
  const signature = createHmac('sha256', context.vault.open(delivery.secret)).update(body).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'Berth',
      'x-webhook-signature': `sha256=${signature}`,
      'x-webhook-id': delivery.eventId,
      'x-webhook-timestamp': String(Math.floor(context.clock.now().getTime() / 1000)),
      'x-webhook-attempt': String(delivery.attempts),
    },
  };
}
