// The end of a VM in two steps: deleted, it is off and out of sight and can be brought back; purged, everything of it is gone.
// What nobody brings back or purges is purged after a while.

import { BerthError } from '../model/errors.ts';
import type { InstanceStatus } from '../model/instance.ts';
import type { PowerGoal } from '../model/power.ts';
import { inTransaction } from '../store/database.ts';
import { writeStatuses } from '../store/instance.ts';
import { listExpired, orderVm } from '../store/vm-change.ts';
import type { AtVm } from './access.ts';
import type { Context } from './context.ts';
import { deleteInstances } from './instance-end.ts';
import { powerReached } from './power.ts';
import { holdVm, tellOfVm } from './vm.ts';
import { repriceVms } from './vm-price.ts';

/** Those that hold nothing of what a deleted VM keeps. */
const holdsNothing: ReadonlySet<InstanceStatus> = new Set(['failed', 'terminated']);

/**
 * Deletes a VM: it is switched off and out of sight, and keeps its name, addresses and disks. One that has failed keeps nothing
 * and is gone for good.
 */
export async function deleteVm(context: Context, at: AtVm): Promise<void> {
  const goal = await orderDeletion(context, at);
  if (goal === null || goal === 'gone') return;
  // A host that is out of reach pulls the plug when it is back; the VM is deleted all the same.
  await powerReached(context, at.vm, goal).catch((error: unknown) => {
    if (!(error instanceof BerthError && error.code === 'unavailable')) throw error;
  });
}

/**
 * {@link deleteVm} without waiting for the VM's host.
 * @returns what to wait for: `gone` where it is gone for good, null where it is deleted already
 */
export async function orderDeletion(context: Context, at: AtVm): Promise<PowerGoal | 'gone' | null> {
  const purge = async () => {
    await purgeVm(context, at);
    return 'gone' as const;
  };
  if (holdsNothing.has(at.vm.status)) return purge();
  const { id, hostId } = at.vm;
  const goal = await inTransaction(context.database, async (tx): Promise<PowerGoal | 'failed' | null> => {
    const { vm, revision } = await holdVm(tx, at);
    if (vm.status === 'soft-deleted') return null;
    if (holdsNothing.has(vm.status)) return 'failed';
    await writeStatuses(tx, [{ id, status: 'soft-deleted', reason: null }], context.clock.now());
    const order = await orderVm(tx, { instanceId: id, revision, desired: 'off' });
    const message = `Was deleted; it can be brought back within ${context.settings.bytemark.purgeAfterDays} days.`;
    await tellOfVm(context, tx, at, [{ kind: 'instance.soft-deleted', message }]);
    await repriceVms(context, tx, [id], at.principal.actor);
    return { on: false, ...order };
  });
  if (goal === 'failed') return purge();
  context.wakeups.changed([hostId]);
  return goal;
}

/** Erases a VM for good, deleted before or not, and frees its name, addresses and disks. */
export async function purgeVm(context: Context, { principal, vm }: AtVm): Promise<void> {
  await deleteInstances(context, principal, [vm.id], 'virtual_machine');
}

const batchMax = 100;
const dayMs = 24 * 60 * 60 * 1000;

/** Purges what was deleted longer ago than it is kept. */
export async function purgeExpired(context: Context): Promise<void> {
  const keptMs = context.settings.bytemark.purgeAfterDays * dayMs;
  const before = new Date(context.clock.now().getTime() - keptMs);
  for (const { id, accountId, accountName } of await listExpired(context.database, { before, limit: batchMax })) {
    const principal = { accountId, accountName, actor: 'berth', scope: 'full' as const };
    try {
      await deleteInstances(context, principal, [id], 'virtual_machine', { onlyHidden: true });
    } catch (error) {
      // Another server was quicker, or its owner has moved it or brought it back.
      if (!(error instanceof BerthError && ['not_found', 'wrong_state'].includes(error.code))) throw error;
    }
  }
}
