// Deliveries of a webhook: what was, is being or could not be told, and telling it again.

import Type, { type Static } from 'typebox';
import { type DeliveryRow, listWebhookDeliveries, reachWebhook, resendWebhookDelivery } from '../../app/webhook.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { deliveryStates } from '../../model/webhook.ts';
import type { Api } from '../types.ts';
import { EventSchema } from './event.ts';
import { Id, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toTimeOrNull, Whole } from './shape.ts';
import { eventAt } from './webhook-body.ts';

const DeliverySchema = Shape('Delivery', {
  id: Id('delivery'),
  webhook: Id('webhook'),
  event: Nullable(EventSchema),
  state: OneOf(deliveryStates, '`dead` is given up'),
  attempts: Whole(1),
  lastError: Nullable(Text('The receiver answered 500.', 'Why the last attempt failed')),
  createdAt: Time('When it happened'),
  endedAt: Nullable(Time('When it was taken or given up')),
});

const toDelivery = (webhookId: string, row: DeliveryRow): Static<typeof DeliverySchema> => ({
  id: toId('delivery', row.eventId),
  webhook: toId('webhook', webhookId),
  // What is told in another API's form is no event there.
  event: 'cursor' in row.snapshot ? eventAt(row.snapshot) : null,
  state: row.state,
  attempts: row.attempts,
  lastError: row.lastError,
  createdAt: toTime(row.happenedAt),
  endedAt: toTimeOrNull(row.endedAt),
});

/** @throws BerthError `invalid_value` for what no cursor of this list says */
function placeOf(text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new BerthError('invalid_value', `cursor says ${shown(text)}; pass nextCursor of the page before.`, 'cursor');
}

/** Adds the routes. */
export function webhookDeliveryRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listDeliveries',
      tag: 'webhooks',
      summary: 'What was, is being or could not be delivered, the newest first',
      description: 'Kept for 7 days when it was delivered, for 30 when it was given up.',
      path: '/webhooks/{webhook}/deliveries',
      query: { ...pageQuery, state: Type.Optional(OneOf(deliveryStates)) },
      result: PageOf('DeliveryPage', DeliverySchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, params, query }) => {
      const id = readId('webhook', params.webhook);
      const principal = await reachWebhook(context, caller, id, 'vm_console');
      const { limit, after } = readWindow(query, 1);
      const before = after?.[0] === undefined ? undefined : placeOf(after[0]);
      const filter = { state: query.state, before, limit: limit + 1 };
      const rows = await listWebhookDeliveries(context, principal, id, filter);
      return toPage(
        rows,
        limit,
        (row) => [row.id],
        (row) => toDelivery(id, row),
      );
    },
  );

  change(
    api,
    {
      id: 'resendDelivery',
      tag: 'webhooks',
      summary: 'Deliver again, whatever has become of it',
      method: 'POST',
      path: '/webhooks/{webhook}/deliveries/{delivery}/resend',
      result: DeliverySchema,
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params }) => {
      const id = readId('webhook', params.webhook);
      const principal = await reachWebhook(context, caller, id, 'account_admin');
      return toDelivery(id, await resendWebhookDelivery(context, principal, id, readId('delivery', params.delivery)));
    },
  );
}
