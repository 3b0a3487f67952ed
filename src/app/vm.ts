// What every change of a VM begins and ends with: its host's row and its own are taken, its state is held against what is
// wanted, and what was done is told.

import { BerthError } from '../model/errors.ts';
import { type InstanceAct, whyNot } from '../model/instance.ts';
import type { Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import { writeStatuses } from '../store/instance.ts';
import { type LockedVm, lockVm } from '../store/vm-change.ts';
import type { AtVm } from './access.ts';
import type { Context } from './context.ts';

/** A VM whose row and whose host's row are held. */
export interface HeldVm {
  vm: LockedVm;
  /** Its host's, which orders of this transaction carry. */
  revision: bigint;
}

/**
 * Takes a VM's host and the VM.
 * @throws BerthError `not_found` when it was purged meanwhile, `wrong_state` when its host holds nothing of it any more
 */
export async function holdVm(tx: Tx, { vm: { id, hostId, name } }: AtVm): Promise<HeldVm> {
  const revision = (await bumpRevisions(tx, [hostId])).get(hostId) ?? 0n;
  const vm = await lockVm(tx, id);
  if (!vm) {
    const message = `The virtual machine ${name} has failed or is gone, and its host holds nothing of it any more.`;
    throw new BerthError('wrong_state', message);
  }
  // Its host may still be at erasing it, which nothing calls off.
  if (vm.status === 'deleting') throw new BerthError('not_found', `There is no virtual machine ${name} any more.`);
  return { vm, revision };
}

/** @throws BerthError `wrong_state` with the reason */
export function requireVmAllowed(act: InstanceAct, { name, status }: LockedVm): void {
  const reason = whyNot(act, status);
  if (reason) throw new BerthError('wrong_state', `The virtual machine ${name} can't be changed: ${reason}.`);
}

/** Notes that a VM is ordered on: from now on it is off for nobody, whenever its host comes to tell of it. */
export async function noteStarting({ clock }: Context, tx: Tx, { id }: LockedVm): Promise<void> {
  await writeStatuses(tx, [{ id, status: 'launching', reason: null }], clock.now());
}

/** What was done to a VM, for whoever reads events. */
export interface Note {
  kind: string;
  message: string;
}

/** Tells what was done to a VM. */
export async function tellOfVm(
  { clock }: Context,
  tx: Tx,
  { account, principal, vm }: AtVm,
  notes: readonly Note[],
): Promise<void> {
  const about = { accountId: account.id, instanceId: vm.id, hostId: vm.hostId };
  await insertEvents(
    tx,
    notes.map((note) => ({ ...about, ...note, actor: principal.actor, createdAt: clock.now() })),
  );
}
