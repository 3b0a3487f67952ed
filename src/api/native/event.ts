// The event feed: what happened to an account's instances, readable from any point on without missing anything.

import Type from 'typebox';
import { listEvents } from '../../app/event.ts';
import type { Api } from '../types.ts';

const EventsQuery = Type.Object({
  instance: Type.Optional(Type.String({ maxLength: 100 })),
  after: Type.Optional(Type.String({ maxLength: 50 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
});

const Events = Type.Object({
  events: Type.Array(
    Type.Object({
      cursor: Type.String(),
      instanceId: Type.Unsafe<string | null>({ type: ['string', 'null'] }),
      kind: Type.String(),
      message: Type.String(),
      actor: Type.String(),
      data: Type.Unsafe<Record<string, unknown> | null>({ type: ['object', 'null'], additionalProperties: true }),
      createdAt: Type.String(),
    }),
  ),
  next: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Pass as `after` to go on from here.' }),
});

/** Adds the route. */
export function eventRoutes({ app, context, principalOf, errors }: Api): void {
  app.get(
    '/berth/v1/events',
    {
      schema: {
        operationId: 'listEvents',
        summary: 'Events of an account or of one instance, oldest first',
        querystring: EventsQuery,
        response: { 200: Events, ...errors(400, 401, 422) },
      },
    },
    async (request) => {
      const { instance, after, limit = 100 } = request.query;
      const events = await listEvents(context, principalOf(request), { instance, after, limit });
      return {
        events: events.map((event) => ({ ...event, createdAt: event.createdAt.toISOString() })),
        next: events.at(-1)?.cursor ?? after ?? null,
      };
    },
  );
}
