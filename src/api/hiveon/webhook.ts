// Hiveon's calls of webhooks: one registration for one type of event. Its documentation prints only how one is registered; the
// other calls are our completion. (Hiveon API: webhooks.)

import Type, { type Static } from 'typebox';
import {
  type DeliveryRow,
  listWebhookDeliveries,
  listWebhooks,
  readWebhook,
  registerWebhook,
  removeWebhook,
  resendWebhookDelivery,
  type WebhookRow,
} from '../../app/webhook.ts';
import { BerthError, shown } from '../../model/errors.ts';
import { deliveryStates, type WebhookEventType } from '../../model/webhook.ts';
import type { Api } from '../types.ts';
import { Optional } from './schema.ts';
import { eventTypeNames } from './webhook-body.ts';

const RegistrationSchema = Type.Object({
  event_type: Type.String({ minLength: 1, description: Object.values(eventTypeNames).join(', ') }),
  callback_url: Type.String({ minLength: 1 }),
  secret: Optional(Type.String({ description: 'What deliveries are signed with; without one, one is made' })),
});

const RegisteredSchema = Type.Object({
  id: Type.String(),
  secret: Type.Optional(Type.String({ description: 'The one that was made; it is not shown again' })),
});

const WebhookSchema = Type.Object({
  id: Type.String(),
  event_type: Type.String(),
  callback_url: Type.String(),
  created_at: Type.String(),
});

const DeliverySchema = Type.Object({
  delivery_id: Type.String({ description: "The event's id, as receivers read it" }),
  subject_id: Type.String({ description: "The deployment's or the machine's id" }),
  state: Type.Enum([...deliveryStates]),
  attempts: Type.Integer(),
  last_error: Type.Union([Type.String(), Type.Null()]),
  created_at: Type.String(),
  ended_at: Type.Union([Type.String(), Type.Null()]),
});

const DeliveryQuerySchema = Type.Object({
  state: Type.Optional(Type.Enum([...deliveryStates])),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
});

const IdSchema = Type.Object({ id: Type.String() });
const limitDefault = 50;
const path = '/vendors/v1/webhooks';

function eventTypeOf(name: string): WebhookEventType {
  const types = Object.keys(eventTypeNames) as WebhookEventType[];
  const type = types.find((one) => eventTypeNames[one] === name);
  if (type) return type;
  const message = `event_type is ${shown(name)}; it is one of ${Object.values(eventTypeNames).join(', ')}.`;
  throw new BerthError('invalid_value', message, 'event_type');
}

/** A webhook of one of these types. Those by kinds of events are not this dialect's. */
type TypedWebhook = WebhookRow & { eventType: WebhookEventType };
const isTyped = (webhook: WebhookRow): webhook is TypedWebhook => webhook.eventType !== null;

const toWebhook = ({ id, eventType, callbackUrl, createdAt }: TypedWebhook): Static<typeof WebhookSchema> => ({
  id,
  event_type: eventTypeNames[eventType],
  callback_url: callbackUrl,
  created_at: createdAt.toISOString(),
});

const toDelivery = (delivery: DeliveryRow): Static<typeof DeliverySchema> => ({
  delivery_id: delivery.eventId,
  subject_id: delivery.subject,
  state: delivery.state,
  attempts: delivery.attempts,
  last_error: delivery.lastError,
  created_at: delivery.happenedAt.toISOString(),
  ended_at: delivery.endedAt?.toISOString() ?? null,
});

/** Adds the routes. */
export function webhookRoutes({ app, context, principalOf, errors }: Api): void {
  app.post(
    path,
    {
      schema: {
        operationId: 'registerWebhook',
        summary: 'Be told of one type of event',
        body: RegistrationSchema,
        response: { 200: RegisteredSchema, ...errors(400, 401, 403) },
      },
    },
    async (request) => {
      const { event_type: eventType, callback_url: callbackUrl, secret } = request.body;
      const given = { eventType: eventTypeOf(eventType), callbackUrl, secret: secret ?? null };
      const fields = { callbackUrl: 'callback_url', secret: 'secret' };
      const { id, madeSecret } = await registerWebhook(context, principalOf(request), given, fields);
      return madeSecret === null ? { id } : { id, secret: madeSecret };
    },
  );

  app.get(
    path,
    {
      schema: {
        operationId: 'listWebhooks',
        summary: 'List webhooks, oldest first',
        response: { 200: Type.Object({ webhooks: Type.Array(WebhookSchema) }), ...errors(401) },
      },
    },
    async (request) => ({
      webhooks: (await listWebhooks(context, principalOf(request))).filter(isTyped).map(toWebhook),
    }),
  );

  app.get(
    `${path}/:id`,
    {
      schema: {
        operationId: 'readWebhook',
        summary: 'One webhook',
        params: IdSchema,
        response: { 200: WebhookSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const { id } = request.params;
      const webhook = await readWebhook(context, principalOf(request), id);
      if (isTyped(webhook)) return toWebhook(webhook);
      throw new BerthError('not_found', `There is no webhook ${shown(id)}.`, id);
    },
  );

  app.delete(
    `${path}/:id`,
    {
      schema: {
        operationId: 'deleteWebhook',
        summary: 'Be told no more; what has not been delivered is dropped',
        params: IdSchema,
        response: { 200: Type.Object({}), ...errors(401, 403, 404) },
      },
    },
    async (request) => {
      await removeWebhook(context, principalOf(request), request.params.id);
      return {};
    },
  );

  app.get(
    `${path}/:id/deliveries`,
    {
      schema: {
        operationId: 'listWebhookDeliveries',
        summary: 'What was, is being or could not be delivered, the newest first',
        params: IdSchema,
        querystring: DeliveryQuerySchema,
        response: { 200: Type.Object({ deliveries: Type.Array(DeliverySchema) }), ...errors(400, 401, 404) },
      },
    },
    async (request) => {
      const { state, limit = limitDefault } = request.query;
      const { id } = request.params;
      const deliveries = await listWebhookDeliveries(context, principalOf(request), id, { state, limit });
      return { deliveries: deliveries.map(toDelivery) };
    },
  );

  app.post(
    `${path}/:id/deliveries/:deliveryId/resend`,
    {
      schema: {
        operationId: 'resendWebhookDelivery',
        summary: 'Deliver again, whatever has become of it',
        params: Type.Object({ id: Type.String(), deliveryId: Type.String() }),
        response: { 200: DeliverySchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { id, deliveryId } = request.params;
      return toDelivery(await resendWebhookDelivery(context, principalOf(request), id, deliveryId));
    },
  );
}
