// The event feed: what happened in an account, readable from any point on without missing anything.

import Type, { type Static } from 'typebox';
import { requireCluster } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { type EventRow, listEvents } from '../../app/event.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, parseId, toIdOrNull } from './id.ts';
import { momentFilter, readMomentFilter } from './moment-filter.ts';
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
const eventQuery = {
  account: Type.Optional(AccountRef()),
  instance: Type.Optional(Text('ins_3b1c5f0a9d8e7c6b5a4f3e2d1c0b9a8f7e6d5c4b', 'Only of this one', { maxLength: 100 })),
  cursor: Type.Optional(Text('612-1093', 'Where to go on', { maxLength: 50 })),
};

/** What narrows the feed and the stream alike. */
export const feedQuery = {
  ...eventQuery,
  kind: Type.Optional(Text('instance', 'Only of this kind and those below it: `instance` has `instance.active`')),
  all: Type.Optional(
    Type.Boolean({
      default: false,
      description: "For operators: every account's, and what belongs to none",
      examples: [false],
    }),
  ),
};

/** The account whose events a query is about; null for all. @throws BerthError where the caller may not read them */
export async function feedAccount(
  context: Context,
  caller: Caller,
  query: { account?: string; all?: boolean },
): Promise<string | null> {
  if (query.all) requireCluster(caller);
  if (query.all && query.account === undefined) return null;
  return (await accountOf(context, caller, query, 'vm_console')).principal.accountId;
}

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
      summary: 'What happened in an account or to one instance, oldest first unless asked otherwise',
      path: '/events',
      query: {
        ...feedQuery,
        ...momentFilter,
        newestFirst: Type.Optional(
          Type.Boolean({
            default: false,
            description:
              'From the newest to the oldest; `nextCursor` leads to older ones, and is null behind the oldest',
            examples: [false],
          }),
        ),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, default: 100, examples: [100] })),
      },
      result: EventPage,
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) => {
      const { instance, kind, cursor, newestFirst = false, limit = 100 } = query;
      const accountId = await feedAccount(context, caller, query);
      const filter = {
        instance: instanceRef(instance),
        kind,
        after: cursor,
        newestFirst,
        limit,
        ...readMomentFilter(query),
      };
      const events = await listEvents(context, accountId, filter);
      const last = events.at(-1)?.cursor ?? null;
      const nextCursor = newestFirst ? (events.length < limit ? null : last) : (last ?? cursor ?? null);
      return { items: events.map(toEvent), nextCursor };
    },
  );
}
