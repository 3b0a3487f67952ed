// The event feed: what happened in an account, readable from any point on without missing anything.

import Type, { type Static } from 'typebox';
import { type EventRow, listEvents } from '../../app/event.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, parseId, toIdOrNull } from './id.ts';
import { read } from './operation.ts';
import { Nullable, Shape, Text, Time, toTime } from './shape.ts';

const limitMax = 1_000;

/** An event. */
export const EventSchema = Shape('Event', {
  cursor: Text('612-1093', 'Its place in the feed'),
  account: Nullable(Id('account')),
  kind: Text('instance.active'),
  instance: Nullable(Id('instance')),
  message: Text('Runs.', 'For people'),
  actor: Text('agent', 'Who did it'),
  data: Type.Unsafe<Record<string, unknown> | null>({
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'For programs; what is in it depends on the kind',
    examples: [null],
  }),
  createdAt: Time(),
});
const EventPage = Shape('EventPage', {
  items: Type.Array(EventSchema),
  nextCursor: Nullable(
    Text(
      '612-1093',
      'Pass as `cursor` to go on from here, also when there is nothing new; null while there is nothing at all',
    ),
  ),
});

/** An event as it is shown. */
export const toEvent = (row: EventRow): Static<typeof EventSchema> => ({
  cursor: row.cursor,
  account: toIdOrNull('account', row.accountId),
  kind: row.kind,
  instance: toIdOrNull('instance', row.instanceId),
  message: row.message,
  actor: row.actor,
  data: row.data,
  createdAt: toTime(row.createdAt),
});

/** Which part of the feed is wanted. */
export const eventQuery = {
  account: Type.Optional(AccountRef()),
  instance: Type.Optional(Text('ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b', 'Only of this one', { maxLength: 100 })),
  cursor: Type.Optional(Text('612-1093', 'Where to go on', { maxLength: 50 })),
};

/** The instance that a query names; the dialects' form of an id is taken as well. */
export const instanceRef = (instance: string | undefined): string | undefined =>
  instance && (parseId('instance', instance) ?? instance);

/** Adds the route. */
export function eventRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listEvents',
      tag: 'events',
      summary: 'What happened in an account or to one instance, oldest first',
      path: '/events',
      query: {
        ...eventQuery,
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, default: 100, examples: [100] })),
      },
      result: EventPage,
      refusals: [403, 404, 422],
    },
    async ({ context, caller, query }) => {
      const { instance, cursor, limit = 100 } = query;
      const { principal } = await accountOf(context, caller, query, 'vm_console');
      const filter = { instance: instanceRef(instance), after: cursor, limit };
      const events = await listEvents(context, principal, filter);
      return { items: events.map(toEvent), nextCursor: events.at(-1)?.cursor ?? cursor ?? null };
    },
  );
}
