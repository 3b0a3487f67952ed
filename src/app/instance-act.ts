// What is done to an instance as a whole and takes its host a while: its power, its image, its end. Each is one transaction that
// waits for nothing, and an operation for whoever wants to see how it goes.

import { BerthError } from '../model/errors.ts';
import { type InstanceAct, whyNot, whyNotOf } from '../model/instance.ts';
import type { Goal, OperationKind, PowerAction } from '../model/operation.ts';
import type { PowerGoal } from '../model/power.ts';
import type { Imaging } from '../model/vm.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { readPower } from '../store/vm-change.ts';
import type { AtInstance, AtVm, Caller } from './access.ts';
import { orderAct } from './act.ts';
import { moveContainer } from './container-place.ts';
import type { Context } from './context.ts';
import { updateInstances } from './instance.ts';
import { deleteInstances } from './instance-end.ts';
import { type OperationView, settleOperationsOf, startOperation } from './operation.ts';
import { tellOfVm } from './vm.ts';
import { orderChange, type VmChange } from './vm-change.ts';
import { orderDeletion } from './vm-delete.ts';
import { findTarget } from './vm-place.ts';
import { orderReimage } from './vm-reimage.ts';

/**
 * Holds an act against the state table.
 * @throws BerthError `wrong_state` with the reason, `unsupported` for what is never done with this kind
 */
function requireInstanceAllowed(act: InstanceAct, { instance }: AtInstance): void {
  const reason = whyNotOf(act, instance);
  if (reason === null) return;
  const isOfKind = instance.kind === 'container' && reason !== whyNot(act, instance.status);
  const message = `Instance ${instance.name} can't take "${act}" now: ${reason}.`;
  throw new BerthError(isOfKind ? 'unsupported' : 'wrong_state', message, instance.id);
}

/** An instance that is known to be a VM, for use cases of VMs. */
const asVm = ({ instance, ...at }: AtInstance): AtVm => ({ ...at, vm: instance });

/**
 * Does something to an instance in one transaction, and notes it as an operation.
 * @param order gives the order; what it returns is waited for
 */
async function operate(
  context: Context,
  at: AtInstance,
  kind: Exclude<OperationKind, 'send-keys'>,
  order: (inside: Context, tx: Tx) => Promise<Goal>,
): Promise<OperationView> {
  requireInstanceAllowed(kind === 'create' ? 'start' : kind, at);
  return inTransaction(context.database, async (tx) => {
    const { id: instanceId } = at.instance;
    // By the new order nothing can be told of what was asked for before it.
    await settleOperationsOf(context, tx, instanceId);
    const goal = await order({ ...context, database: tx }, tx);
    return startOperation(context, tx, at.principal, { instanceId, kind, goal });
  });
}

/** What is waited for: what was ordered, or what the VM was ordered to be before. */
async function powerGoal(tx: Tx, instanceId: string, goal: PowerGoal | null, on: boolean): Promise<Goal> {
  if (goal) return { is: 'power', ...goal };
  const { state } = (await readPower(tx, instanceId)) ?? {};
  return { is: 'power', on, generation: state?.generation ?? 0, bootNumber: state?.bootNumber ?? 0 };
}

const changes: Record<Exclude<PowerAction, 'shutdown' | 'reset'>, VmChange> = {
  start: { powerOn: true },
  stop: { powerOn: false },
  cycle: { isCycled: true },
  restart: { isRestarted: true },
};

const pressed = {
  shutdown: { act: { kind: 'powerdown' }, message: 'Its host was told to press its power button.' },
  reset: { act: { kind: 'reset' }, message: 'Its host was told to press its reset button.' },
} as const;

/**
 * Switches a VM on or off, or presses one of its buttons.
 * @throws BerthError `wrong_state`, `unsupported` for a container, `unavailable` while its host is out of reach; InvalidFields under
 *   `power_on` where there is nothing to start from
 */
export function powerInstance(
  context: Context,
  caller: Caller,
  at: AtInstance,
  action: PowerAction,
): Promise<OperationView> {
  const { instance } = at;
  return operate(context, at, action, async (inside, tx) => {
    if (action === 'shutdown' || action === 'reset') {
      const { act, message } = pressed[action];
      const actId = await orderAct(inside, instance, act);
      await tellOfVm(inside, tx, asVm(at), [{ kind: `vm.${act.kind}`, message }]);
      return { is: action === 'shutdown' ? 'off' : 'act', actId };
    }
    const goal = await orderChange(inside, caller, asVm(at), changes[action], {});
    return powerGoal(tx, instance.id, goal, action !== 'stop');
  });
}

/**
 * Puts another image on the first disk of a VM that is off, and switches it on.
 * @throws InvalidFields; BerthError `wrong_state`, `unsupported` for a container, `unavailable`
 */
export function reimageInstance(context: Context, at: AtInstance, imaging: Imaging): Promise<OperationView> {
  return operate(context, at, 'reimage', async (inside) => {
    return { is: 'power', ...(await orderReimage(inside, asVm(at), imaging)) };
  });
}

/**
 * Deletes an instance: a VM so that it can be brought back for a while, or for good; a container for good.
 * @param isPurge whether a VM is to be gone for good
 * @throws BerthError `wrong_state` for what is on its way out already
 */
export function deleteInstance(context: Context, at: AtInstance, isPurge: boolean): Promise<OperationView> {
  const { id, kind } = at.instance;
  return operate(context, at, isPurge && kind === 'vm' ? 'purge' : 'delete', async (inside, tx) => {
    const goal = isPurge || kind === 'container' ? 'gone' : await orderDeletion(inside, asVm(at));
    // What holds nothing any more was purged in place of being deleted.
    if (goal !== 'gone') return powerGoal(tx, id, goal, false);
    if (isPurge || kind === 'container') await deleteInstances(inside, at.principal, [id], 'instance');
    return { is: 'gone' };
  });
}

/**
 * Brings a deleted VM back, switched off.
 * @throws BerthError `wrong_state` where it is not deleted, `unsupported` for a container
 */
export async function undeleteInstance(context: Context, caller: Caller, at: AtInstance): Promise<void> {
  requireInstanceAllowed('undelete', at);
  await orderChange(context, caller, asVm(at), { isRestored: true }, {});
}

/**
 * Changes a VM's name, group, size or machine, or a container's name and group; what is undefined stays.
 * @throws InvalidFields under the names that `changeVm` has for fields, BerthError as that does; `unsupported` naming the field
 *   for what only VMs have
 */
export async function changeInstance(
  context: Context,
  caller: Caller,
  at: AtInstance,
  change: VmChange,
): Promise<void> {
  const { instance, principal } = at;
  if (instance.kind === 'vm') {
    await orderChange(context, caller, asVm(at), change, {});
    return;
  }
  const { name, groupId, ...rest } = change;
  const [other] = Object.entries(rest).find(([, value]) => value !== undefined) ?? [];
  if (other !== undefined) {
    throw new BerthError(
      'unsupported',
      `Instance ${instance.name} is a container, of which only the name and the group change.`,
      other,
    );
  }
  if (groupId !== undefined) {
    await moveContainer(context, at, await findTarget(context, caller, at, groupId), name);
    return;
  }
  if (name === undefined) return;
  const fields = { list: '', name: 'name', portRules: 'ports' };
  await updateInstances(context, principal, [{ id: instance.id, name }], fields);
}
