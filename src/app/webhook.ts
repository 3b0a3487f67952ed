// Webhooks: an account registers what it wants to be told of and where to, and sees what has become of it. Delivering is in
// `webhook-delivery.ts`.

import { BerthError, shown } from '../model/errors.ts';
import { isUuid, newSecret, newUuid } from '../model/id.ts';
import {
  checkCallbackUrl,
  checkWebhookSecret,
  type DeliveryState,
  type WebhookEventType,
  webhooksMax,
} from '../model/webhook.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import * as store from '../store/webhook.ts';
import { type DeliveryRow, listDeliveries, requeueDelivery } from '../store/webhook-delivery.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

export type { WebhookRow } from '../store/webhook.ts';
export type { DeliveryRow } from '../store/webhook-delivery.ts';

/** What is registered; without a secret, one is made. */
export interface GivenWebhook {
  eventType: WebhookEventType;
  callbackUrl: string;
  secret: string | null;
}

/**
 * Registers a webhook.
 * @param fields how the dialect calls the two
 * @returns its id, and the secret where it was made here; it is never shown again
 * @throws BerthError `invalid_value`
 */
export async function registerWebhook(
  context: Context,
  principal: Principal,
  given: GivenWebhook,
  fields: { callbackUrl: string; secret: string },
): Promise<{ id: string; madeSecret: string | null }> {
  const { accountId } = principal;
  const url = checkCallbackUrl(given.callbackUrl, context.allowedCallbackHosts, fields.callbackUrl);
  const madeSecret = given.secret === null ? newSecret('whsec', context.entropy) : null;
  const secret = madeSecret ?? checkWebhookSecret(given.secret ?? '', fields.secret);
  const webhook = {
    ...{ id: newUuid(context.entropy), eventType: given.eventType, callbackUrl: url.href },
    createdAt: context.clock.now(),
  };
  await inTransaction(context.database, async (tx) => {
    const count = await store.lockWebhooks(tx, accountId);
    if (count >= webhooksMax) {
      const message = `${count} webhooks are registered, as many as an account can have; delete one first.`;
      throw new BerthError('invalid_value', message, fields.callbackUrl);
    }
    const row = { ...webhook, accountId, hostName: url.hostname, secret: context.vault.seal(secret) };
    await store.insertWebhook(tx, row);
    await insertEvents(tx, [eventOf(context, principal, 'webhook.registered', webhook)]);
  });
  return { id: webhook.id, madeSecret };
}

/** The account's webhooks, oldest first. */
export function listWebhooks(context: Context, { accountId }: Principal): Promise<store.WebhookRow[]> {
  return store.listWebhooks(context.database, accountId);
}

/** One of the account's webhooks. @throws BerthError `not_found` */
export async function readWebhook(context: Context, { accountId }: Principal, id: string): Promise<store.WebhookRow> {
  const [webhook] = isUuid(id) ? await store.listWebhooks(context.database, accountId, id) : [];
  if (!webhook) throw unknownWebhook(id);
  return webhook;
}

/** Ends a webhook with all that is still to be delivered to it. @throws BerthError `not_found` */
export async function removeWebhook(context: Context, principal: Principal, id: string): Promise<void> {
  if (!isUuid(id)) throw unknownWebhook(id);
  await inTransaction(context.database, async (tx) => {
    const removed = await store.removeWebhook(tx, principal.accountId, id, context.clock.now());
    if (!removed) throw unknownWebhook(id);
    await insertEvents(tx, [eventOf(context, principal, 'webhook.removed', removed)]);
  });
}

/** What was, is being or could not be delivered to a webhook, the newest first. @throws BerthError `not_found` */
export async function listWebhookDeliveries(
  context: Context,
  principal: Principal,
  id: string,
  filter: { state: DeliveryState | undefined; limit: number },
): Promise<DeliveryRow[]> {
  const webhook = await readWebhook(context, principal, id);
  const { state, limit } = filter;
  return listDeliveries(context.database, webhook.id, { limit, ...(state ? { state } : {}) });
}

/**
 * Has a delivery made again, whatever has become of it.
 * @param eventId what was to be told
 * @returns the delivery, pending
 * @throws BerthError `not_found`
 */
export async function resendWebhookDelivery(
  context: Context,
  principal: Principal,
  webhookId: string,
  eventId: string,
): Promise<DeliveryRow> {
  const { id } = await readWebhook(context, principal, webhookId);
  const unknown = () => new BerthError('not_found', `There is no delivery ${shown(eventId)}.`, eventId);
  if (!isUuid(eventId)) throw unknown();
  return inTransaction(context.database, async (tx) => {
    const { accountId } = principal;
    const isThere = await requeueDelivery(tx, { accountId, webhookId: id, eventId }, context.clock.now());
    const [delivery] = isThere ? await listDeliveries(tx, id, { eventId, limit: 1 }) : [];
    if (!delivery) throw unknown();
    return delivery;
  });
}

const unknownWebhook = (id: string) => new BerthError('not_found', `There is no webhook ${shown(id)}.`, id);

function eventOf(
  context: Context,
  { accountId, actor }: Principal,
  kind: 'webhook.registered' | 'webhook.removed',
  { id, eventType, callbackUrl }: Pick<store.WebhookRow, 'id' | 'eventType' | 'callbackUrl'>,
): NewEvent {
  // Not the whole URL: many carry a token in their path or query.
  const { origin } = new URL(callbackUrl);
  const message = `A webhook for ${eventType} at ${origin} was ${kind === 'webhook.registered' ? 'registered' : 'deleted'}.`;
  const data = { webhookId: id, eventType, origin };
  return { accountId, instanceId: null, hostId: null, kind, message, actor, data, createdAt: context.clock.now() };
}
