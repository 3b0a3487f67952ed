// Reading the event feed.

import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { type EventRow, type FeedPlace, parseEventCursor, listEvents as readEvents } from '../store/event.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

export type { EventRow } from '../store/event.ts';

/**
 * An account's events, oldest first.
 * @param filter `after` is the cursor of the last event already seen
 * @throws BerthError `invalid_value` when the cursor or the instance's id can't be one
 */
export async function listEvents(
  context: Context,
  principal: Principal,
  filter: { instance: string | undefined; after: string | undefined; limit: number },
): Promise<EventRow[]> {
  const { instance, after, limit } = filter;
  if (after !== undefined) placeOf(after, 'cursor');
  const instanceId = instance === undefined ? undefined : instanceOf(instance);
  return readEvents(context.database, principal.accountId, {
    limit,
    ...(instanceId ? { instanceId } : {}),
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
