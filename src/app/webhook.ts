// Webhooks: an account registers what it wants to be told of and where to, and sees what has become of it. Delivering is in
// `webhook-delivery.ts`.

import { BerthError, shown } from '../model/errors.ts';
import { isUuid, newSecret, newUuid } from '../model/id.ts';
import type { PrivilegeLevel } from '../model/privilege.ts';
import {
  checkCallbackUrl,
  checkWebhookKinds,
  checkWebhookSecret,
  type DeliveryState,
  type WebhookEventType,
  webhooksMax,
} from '../model/webhook.ts';
import { inTransaction } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import * as store from '../store/webhook.ts';
import { type DeliveryRow, listDeliveries, requeueDelivery } from '../store/webhook-delivery.ts';
import { reachAccount } from './access.ts';
import type { Principal } from './authenticate.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';

export type { WebhookRow } from '../store/webhook.ts';
export type { DeliveryRow } from '../store/webhook-delivery.ts';

/** What is registered, by a type or by kinds of events; without a secret, one is made. */
export type GivenWebhook = { callbackUrl: string; secret: string | null } & (
  | { eventType: WebhookEventType }
  | { kinds: readonly string[] }
);

/** How a request calls the parts of a webhook. */
export interface WebhookFields {
  callbackUrl: string;
  secret: string;
  kinds?: string;
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
  fields: WebhookFields,
): Promise<store.WebhookRow & { madeSecret: string | null }> {
  const { accountId } = principal;
  const url = checkCallbackUrl(given.callbackUrl, context.allowedCallbackHosts, fields.callbackUrl);
  const madeSecret = given.secret === null ? newSecret('whsec', context.entropy) : null;
  const secret = madeSecret ?? checkWebhookSecret(given.secret ?? '', fields.secret);
  const told =
    'kinds' in given
      ? { eventType: null, kinds: checkWebhookKinds(given.kinds, fields.kinds ?? 'kinds') }
      : { eventType: given.eventType, kinds: null };
  const webhook = {
    ...{ id: newUuid(context.entropy), accountId, ...told, callbackUrl: url.href, enabled: true },
    createdAt: context.clock.now(),
  };
  await inTransaction(context.database, async (tx) => {
    const count = await store.lockWebhooks(tx, accountId);
    if (count >= webhooksMax) {
      const message = `${count} webhooks are registered, as many as an account can have; delete one first.`;
      throw new BerthError('invalid_value', message, fields.callbackUrl);
    }
    const row = { ...webhook, hostName: url.hostname, secret: context.vault.seal(secret) };
    await store.insertWebhook(tx, row);
    await insertEvents(tx, [eventOf(context, principal, 'webhook.registered', webhook)]);
  });
  return { ...webhook, madeSecret };
}

/**
 * Where a webhook goes, what it tells by kinds, and whether it tells anything.
 * @param change what is left out stays as it is
 * @returns the webhook as it is then
 * @throws BerthError `not_found`, `invalid_value`
 */
export async function changeWebhook(
  context: Context,
  principal: Principal,
  id: string,
  change: { callbackUrl?: string | undefined; kinds?: readonly string[] | undefined; enabled?: boolean | undefined },
  fields: { callbackUrl: string; kinds: string },
): Promise<store.WebhookRow> {
  const { callbackUrl, kinds, enabled } = change;
  const url =
    callbackUrl === undefined
      ? undefined
      : checkCallbackUrl(callbackUrl, context.allowedCallbackHosts, fields.callbackUrl);
  const checked = {
    ...(url ? { target: { callbackUrl: url.href, hostName: url.hostname } } : {}),
    ...(kinds ? { kinds: checkWebhookKinds(kinds, fields.kinds) } : {}),
    ...(enabled === undefined ? {} : { enabled }),
  };
  return inTransaction(context.database, async (tx) => {
    const webhook = await readWebhook({ ...context, database: tx }, principal, id);
    if (checked.kinds && webhook.eventType !== null) {
      const message = `This webhook tells of ${webhook.eventType}, in the form of another API; make one of its own for kinds of events.`;
      throw new BerthError('invalid_value', message, fields.kinds);
    }
    const changed = await store.changeWebhook(tx, principal.accountId, id, checked, context.clock.now());
    if (!changed) throw unknownWebhook(id);
    await insertEvents(tx, [eventOf(context, principal, 'webhook.changed', changed)]);
    return changed;
  });
}

/**
 * The account of a webhook, for whoever may see or change it.
 * @throws BerthError `not_found`, and as {@link reachAccount} does
 */
export async function reachWebhook(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel,
): Promise<Principal> {
  const accountId = await store.findWebhookAccount(context.database, id);
  if (accountId === undefined) throw unknownWebhook(id);
  const { principal } = await reachAccount(context, caller, { id: accountId }, level).catch((error) => {
    throw error instanceof BerthError && error.code === 'not_found' ? unknownWebhook(id) : error;
  });
  return principal;
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
  filter: { state: DeliveryState | undefined; before?: bigint | undefined; limit: number },
): Promise<DeliveryRow[]> {
  const webhook = await readWebhook(context, principal, id);
  const { state, before, limit } = filter;
  const more = { ...(state ? { state } : {}), ...(before === undefined ? {} : { before }) };
  return listDeliveries(context.database, webhook.id, { limit, ...more });
}

/**
 * Has a delivery made again, whatever has become of it.
 * @param eventId what was to be told
 * @returns the delivery, pending
 * @throws BerthError `not_found`, `wrong_state` while the webhook is switched off
 */
export async function resendWebhookDelivery(
  context: Context,
  principal: Principal,
  webhookId: string,
  eventId: string,
): Promise<DeliveryRow> {
  const { id, enabled } = await readWebhook(context, principal, webhookId);
  const unknown = () => new BerthError('not_found', `There is no delivery ${shown(eventId)}.`, eventId);
  if (!isUuid(eventId)) throw unknown();
  if (!enabled) throw new BerthError('wrong_state', 'This webhook is switched off; switch it on first.');
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
  kind: 'webhook.registered' | 'webhook.changed' | 'webhook.removed',
  { id, eventType, kinds, callbackUrl, enabled }: store.WebhookRow,
): NewEvent {
  // Not the whole URL: many carry a token in their path or query.
  const { origin } = new URL(callbackUrl);
  const became = { 'webhook.registered': 'registered', 'webhook.changed': 'changed', 'webhook.removed': 'deleted' }[
    kind
  ];
  const told = eventType ?? kinds?.join(', ');
  const message = `A webhook for ${told} at ${origin} was ${became}${enabled ? '' : ' and is switched off'}.`;
  const data = { webhookId: id, ...(eventType ? { eventType } : { kinds }), origin };
  return { accountId, instanceId: null, hostId: null, kind, message, actor, data, createdAt: context.clock.now() };
}
