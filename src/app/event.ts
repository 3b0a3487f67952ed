// Reading the event feed.

import { BerthError, shown } from '../model/errors.ts';
import { checkKind } from '../model/event-kind.ts';
import { parseInstanceId } from '../model/id.ts';
import {
  type EventRow,
  type FeedPlace,
  listEventsBackwards,
  parseEventCursor,
  listEvents as readEvents,
} from '../store/event.ts';
import type { Context } from './context.ts';

export type { EventRow } from '../store/event.ts';

/** Which events are wanted. */
export interface EventQuery {
  instance: string | undefined;
  /** With all kinds below it. */
  kind?: string | undefined;
  /** The cursor of the last event already seen. */
  after: string | undefined;
  /** Whether they go from the newest to the oldest. */
  newestFirst?: boolean;
  /** Only what happened at this moment or later, and before that one. */
  createdAfter?: Date | undefined;
  createdBefore?: Date | undefined;
  limit: number;
}

/**
 * Events, oldest first unless they are asked for the other way round.
 * @param accountId null for those of every account, and what belongs to none
 * @throws BerthError `invalid_value` when the cursor, the kind or the instance's id can't be one
 */
export async function listEvents(context: Context, accountId: string | null, query: EventQuery): Promise<EventRow[]> {
  const { instance, kind, after, newestFirst = false, createdAfter, createdBefore, limit } = query;
  if (after !== undefined) placeOf(after, 'cursor');
  const instanceId = instance === undefined ? undefined : instanceOf(instance);
  const list = newestFirst ? listEventsBackwards : readEvents;
  return list(context.database, accountId, {
    ...{ limit, createdAfter, createdBefore },
    ...(instanceId ? { instanceId } : {}),
    ...(kind === undefined ? {} : { kind: checkKind(kind, 'kind') }),
    ...(after ? { after } : {}),
  });
}

/**
 * The place in the feed that a cursor names.
 * @throws BerthError `invalid_value`
 */
export function placeOf(cursor: string, field: string): FeedPlace {
  const place = parseEventCursor(cursor);
  if (place) return place;
  throw new BerthError('invalid_value', `${field} is ${shown(cursor)}; pass the cursor of an event, unchanged.`, field);
}

/**
 * The id of an instance whose events are wanted.
 * @throws BerthError `invalid_value`
 */
export function instanceOf(instance: string): string {
  const id = parseInstanceId(instance);
  if (id) return id;
  const message = `instance is ${shown(instance)}; an id is 0x and 40 hexadecimal digits.`;
  throw new BerthError('invalid_value', message, 'instance');
}
