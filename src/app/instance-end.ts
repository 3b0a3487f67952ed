// How instances end: their owner deletes them, nothing pays for them any more, or they never came up.

import type { FailureCode } from '../model/container.ts';
import { BerthError } from '../model/errors.ts';
import { type InstanceStatus, isOver, requireAllowed } from '../model/instance.ts';
import { order } from '../store/assignment.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { releaseUnusedNames } from '../store/deployment.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import { findInstances, type InstanceHandle, writeStatuses } from '../store/instance.ts';
import type { Principal } from './authenticate.ts';
import { endBills, settleOverdue } from './billing.ts';
import type { Context } from './context.ts';
import { changeInstances, checkIds, eventOf } from './instance-change.ts';

/**
 * Orders instances away, all or none. Their hosts power them off gracefully and then erase them.
 * @param options with `onlyHidden`, none that its owner has brought back
 * @returns the ids in the form that Berth writes them
 * @throws BerthError `not_found` naming what is unknown, `wrong_state`
 */
export async function deleteInstances(
  context: Context,
  principal: Principal,
  given: readonly string[],
  field: string,
  { onlyHidden } = { onlyHidden: false },
): Promise<string[]> {
  const ids = checkIds(given, field);
  const hostIds = await changeInstances(context, principal, ids, new Set(ids), async (tx, handles, revisions) => {
    for (const handle of handles) requireAllowed('delete', handle);
    const back = onlyHidden && handles.find(({ status }) => status !== 'soft-deleted');
    if (back) throw new BerthError('wrong_state', `Instance ${back.id} was brought back.`, back.id);
    const now = context.clock.now();
    await endBills(
      context,
      tx,
      handles.map(({ id }) => ({ instanceId: id, neverRan: false })),
      now,
    );
    // A failed instance that its host has already let go of is over now; the others wait for their hosts' word.
    const status = ({ released }: InstanceHandle) => (released ? 'deleted' : 'deleting');
    await orderAway(tx, handles, revisions, { status, reason: null, now });
    await insertEvents(
      tx,
      handles.map((handle) => eventOf(context, principal, handle, 'instance.deleting', 'Deletion was ordered.')),
    );
  });
  context.wakeups.changed(hostIds);
  return ids;
}

/**
 * Ends those of the instances that nothing pays for any more: their hosts erase them, and they are shown until they are
 * deleted, unless they were deleted already and could only have been brought back.
 */
export async function terminateInstances(context: Context, ids: readonly string[]): Promise<void> {
  const now = context.clock.now();
  const reason = 'Nothing was left to pay with.';
  const hostIds = await inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, null, ids, { lock: false });
    const revisions = await bumpRevisions(
      tx,
      found.map(({ hostId }) => hostId),
    );
    const live = (await findInstances(tx, null, ids, { lock: true })).filter(({ status }) => !isGoing(status));
    const overdue = await settleOverdue(context, tx, live, now);
    const handles = live.filter(({ id }) => overdue.has(id));
    const hidden = handles.filter(({ status }) => status === 'soft-deleted');
    await endBills(
      context,
      tx,
      hidden.map(({ id: instanceId }) => ({ instanceId, neverRan: false })),
      now,
    );
    const status = ({ status: before }: InstanceHandle) => (before === 'soft-deleted' ? 'deleting' : 'terminated');
    await orderAway(tx, handles, revisions, { status, reason, failureCode: 'OUT_OF_FUNDS', now });
    await insertEvents(
      tx,
      handles.map(({ id, hostId, accountId }) => ({
        ...{ accountId, instanceId: id, hostId, kind: 'instance.terminated', message: reason },
        ...{ actor: 'berth', createdAt: now },
      })),
    );
    return handles.map(({ hostId }) => hostId);
  });
  context.wakeups.changed(hostIds);
}

/** Ends an instance that never came up, if it has not come up meanwhile. Nothing is charged for it. */
export async function failInstance(
  context: Context,
  id: string,
  failureCode: FailureCode,
  reason: string,
): Promise<void> {
  const now = context.clock.now();
  const hostIds = await inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, null, [id], { lock: false });
    const revisions = await bumpRevisions(
      tx,
      found.map(({ hostId }) => hostId),
    );
    const handles = (await findInstances(tx, null, [id], { lock: true })).filter(
      ({ status }) => status === 'launching',
    );
    await endBills(
      context,
      tx,
      handles.map(({ id: instanceId }) => ({ instanceId, neverRan: true })),
      now,
    );
    await orderAway(tx, handles, revisions, { status: () => 'failed', reason, failureCode, now });
    await insertEvents(
      tx,
      handles.map(({ id: instanceId, hostId, accountId }) => ({
        ...{ accountId, instanceId, hostId, kind: 'instance.failed', message: reason },
        ...{ actor: 'berth', createdAt: now },
      })),
    );
    return handles.map(({ hostId }) => hostId);
  });
  context.wakeups.changed(hostIds);
}

/** How instances end. */
interface Ending {
  status(handle: InstanceHandle): InstanceStatus;
  reason: string | null;
  failureCode?: FailureCode | null;
  now: Date;
}

/** Tells the hosts of locked instances to erase them, and takes back the names that nobody bears any more. */
async function orderAway(
  tx: Tx,
  handles: readonly InstanceHandle[],
  revisions: ReadonlyMap<string, bigint>,
  { status, reason, failureCode = null, now }: Ending,
): Promise<void> {
  await writeStatuses(
    tx,
    handles.map((handle) => ({ id: handle.id, status: status(handle), reason, failureCode })),
    now,
  );
  await order(
    tx,
    handles.map(({ id, hostId }) => ({ instanceId: id, desired: 'absent', revision: revisions.get(hostId) ?? 0n })),
  );
  await releaseUnusedNames(tx, [...new Set(handles.map(({ deploymentId }) => deploymentId))]);
}

const isGoing = (status: InstanceStatus) => isOver({ status }) || status === 'deleting' || status === 'deleted';
