// How a request changes several instances at once: named, locked in one order, and all of them changed or none.

import { BerthError, shown } from '../model/errors.ts';
import { parseInstanceId } from '../model/id.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import type { NewEvent } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import { findInstances, type InstanceHandle } from '../store/instance.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';

/** Instances that one request may name. */
const instanceIdsMax = 1_000;
/** An error message names this many. */
const namedMax = 10;

type Change = (tx: Tx, handles: readonly InstanceHandle[], revisions: ReadonlyMap<string, bigint>) => Promise<void>;

/**
 * Runs a change with the hosts' rows and then the instances' rows locked, each in id order.
 * @param ordering the instances whose hosts are told
 * @returns the hosts with news
 * @throws BerthError `not_found` naming those that the account does not have
 */
export async function changeInstances(
  context: Context,
  principal: Principal,
  ids: readonly string[],
  ordering: ReadonlySet<string>,
  change: Change,
): Promise<Set<string>> {
  return inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, principal.accountId, ids, { lock: false });
    requireAll(ids, found);
    const hostIds = new Set(found.filter(({ id }) => ordering.has(id)).map(({ hostId }) => hostId));
    const revisions = await bumpRevisions(tx, [...hostIds]);
    const locked = await findInstances(tx, principal.accountId, ids, { lock: true });
    // While this waited for the hosts, another deletion may have been ordered and carried out.
    requireAll(ids, locked);
    await change(tx, locked, revisions);
    return hostIds;
  });
}

function requireAll(ids: readonly string[], found: readonly InstanceHandle[]): void {
  const missing = ids.filter((id) => !found.some((instance) => instance.id === id));
  if (missing.length === 0) return;
  const more = missing.length > namedMax ? ` and ${missing.length - namedMax} more` : '';
  const list = missing.slice(0, namedMax).join(', ') + more;
  throw new BerthError('not_found', `There is no instance ${list}; nothing was changed.`, missing[0]);
}

/** Holds a request to a number of instances that it may name. @throws BerthError `invalid_value` */
export function checkCount(ids: readonly string[], field: string): readonly string[] {
  if (ids.length > instanceIdsMax) {
    throw new BerthError(
      'invalid_value',
      `${field} has ${ids.length} entries; at most ${instanceIdsMax} are taken.`,
      field,
    );
  }
  return ids;
}

/**
 * The ids that a request names, in the form that Berth writes them.
 * @throws BerthError `not_found` for what is no id, `invalid_value` for one that is named twice or too many of them
 */
export function checkIds(given: readonly string[], field: string): string[] {
  const ids = checkCount(given, field).map((id) => {
    const parsed = parseInstanceId(id);
    if (!parsed) throw new BerthError('not_found', `There is no instance ${shown(id)}; nothing was changed.`, id);
    return parsed;
  });
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice) throw new BerthError('invalid_value', `${field} names ${twice} twice.`, field);
  return ids;
}

/** The line in an instance's history that says what somebody has done. */
export function eventOf(
  context: Context,
  principal: Principal,
  handle: InstanceHandle,
  kind: string,
  message: string,
): NewEvent {
  return {
    accountId: principal.accountId,
    instanceId: handle.id,
    hostId: handle.hostId,
    kind,
    message,
    actor: principal.actor,
    createdAt: context.clock.now(),
  };
}
