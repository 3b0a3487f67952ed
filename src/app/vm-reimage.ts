// Putting another image on a VM's first disk. What was on it is gone; the VM is switched on afterwards.

import { BerthError, type FieldFaults } from '../model/errors.ts';
import { isGoingOff, isOff, type PowerGoal } from '../model/power.ts';
import type { Imaging } from '../model/vm.ts';
import { inTransaction } from '../store/database.ts';
import { writeImagingSecret } from '../store/imaging-secret.ts';
import { orderVm, readPower, writeImaging } from '../store/vm-change.ts';
import type { AtVm } from './access.ts';
import type { Context } from './context.ts';
import { powerReached, requireReachable } from './power.ts';
import { holdVm, noteStarting, requireVmAllowed, tellOfVm } from './vm.ts';
import { type CheckedImaging, checkImaging, mergeFaults, requireNone } from './vm-request.ts';

/** Waits for a host that was just told something of a VM that is to be off. */
async function untilOff(context: Context, { vm }: AtVm): Promise<void> {
  const found = await readPower(context.database, vm.id);
  if (found && isGoingOff(found.state)) await powerReached(context, vm, { ...found.state, on: false });
}

/**
 * Images a VM that is off, and switches it on.
 * @param unread what of the request could not be read, by field
 * @throws InvalidFields; BerthError `wrong_state` while it is on or has no disk, `unavailable`
 *   where its host is out of reach or has not switched it off in time
 */
export async function reimageVm(context: Context, at: AtVm, given: Imaging, unread: FieldFaults): Promise<void> {
  const imaging = await requireImaging(context, at, given, unread);
  await untilOff(context, at);
  await powerReached(context, at.vm, await order(context, at, imaging));
}

/**
 * {@link reimageVm} without waiting for the VM's host: one that is just being switched off is refused as `unavailable`.
 * @returns what to wait for
 */
export async function orderReimage(context: Context, at: AtVm, given: Imaging): Promise<PowerGoal> {
  return order(context, at, await requireImaging(context, at, given, {}));
}

async function requireImaging(
  context: Context,
  { account }: AtVm,
  given: Imaging,
  unread: FieldFaults,
): Promise<CheckedImaging> {
  const { imaging, faults } = await checkImaging(context, account.id, given);
  requireNone(mergeFaults(unread, faults));
  if (!imaging) throw new Error('An imaging without faults is complete.');
  return imaging;
}

async function order(context: Context, at: AtVm, imaging: CheckedImaging): Promise<PowerGoal> {
  const { id: instanceId, hostId, name } = at.vm;
  const goal = await inTransaction(context.database, async (tx) => {
    const { vm, revision } = await holdVm(tx, at);
    requireVmAllowed('change-machine', vm);
    if (isGoingOff(vm))
      throw new BerthError('unavailable', `The host of ${name} has yet to say that it is off; try again.`);
    if (!isOff(vm))
      throw new BerthError('wrong_state', `The virtual machine ${name} must be off to be reimaged; stop it first.`);
    if (vm.disks === 0)
      throw new BerthError('wrong_state', `The virtual machine ${name} has no disc to put an image on.`);
    await requireReachable(tx, vm);
    await noteStarting(context, tx, vm);
    const number = await writeImaging(tx, instanceId, imaging);
    const { sealedSecrets: sealed } = imaging;
    await writeImagingSecret(tx, instanceId, sealed && { imaging: number, sealed });
    const ordered = await orderVm(tx, { instanceId, revision, desired: 'running', nextBoot: true });
    const message = `Its first disc is made anew from ${imaging.distribution}, and it is switched on.`;
    await tellOfVm(context, tx, at, [{ kind: 'instance.reimage', message }]);
    return { on: true, ...ordered };
  });
  context.wakeups.changed([hostId]);
  return goal;
}
