// Reading the event feed.

import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { type EventRow, isEventCursor, listEvents as readEvents } from '../store/event.ts';
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
  if (after !== undefined && !isEventCursor(after)) {
    throw new BerthError(
      'invalid_value',
      `cursor is ${shown(after)}; pass the cursor of an event, unchanged.`,
      'cursor',
    );
  }
  const instanceId = instance === undefined ? undefined : parseInstanceId(instance);
  if (instanceId === null) {
    throw new BerthError(
      'invalid_value',
      `instance is ${shown(instance)}; an id is 0x and 40 hexadecimal digits.`,
      'instance',
    );
  }
  return readEvents(context.database, principal.accountId, {
    limit,
    ...(instanceId ? { instanceId } : {}),
    ...(after ? { after } : {}),
  });
}
