// Changes of a VM: its power, size and machine, its name and group, and bringing it back. Each request is one transaction; one
// that is about power is answered when the VM's host has done it.

import type { Taken } from '../model/assignment.ts';
import { BerthError, type FieldFaults, InvalidFields } from '../model/errors.ts';
import { isOff, type PowerGoal, type PowerOrder, powerOrderFor } from '../model/power.ts';
import { appliances, notListed, type VmAttributes, vmFaults } from '../model/vm.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { takeCapacity } from '../store/host.ts';
import { writeStatuses } from '../store/instance.ts';
import { type LockedVm, orderVm, writeMachine, writeSize } from '../store/vm-change.ts';
import type { AtGroup, AtVm, Caller } from './access.ts';
import type { Context } from './context.ts';
import { readVmById, type VmRow } from './overview.ts';
import { powerReached, requireReachable } from './power.ts';
import { holdVm, type Note, noteStarting, requireVmAllowed, tellOfVm } from './vm.ts';
import { claimPlace, findTarget, takePlace } from './vm-place.ts';
import { repriceVms } from './vm-price.ts';
import { cdromFaults, mergeFaults, requireNone } from './vm-request.ts';

/** A change of a VM; what is undefined stays. */
export interface VmChange extends VmAttributes {
  /** The number of the group that it is to be in. */
  groupId?: number | undefined;
  hardwareProfileLocked?: boolean | undefined;
  cdromUrl?: string | null | undefined;
  autoreboot?: boolean | undefined;
  powerOn?: boolean | undefined;
  /** Pulls the plug of one that is on, and puts it in again. */
  isCycled?: true | undefined;
  /** The same, and switches on one that is off. */
  isRestarted?: true | undefined;
  /** Brings a deleted one back. */
  isRestored?: true | undefined;
  /** A system to start in place of its own: from its next start on, or only that once. Null is its own again. */
  appliance?: { name: string | null; isPermanent: boolean } | undefined;
}

/**
 * Changes a VM.
 * @param unread what of the change could not be read, by field
 * @returns the VM as it is then
 * @throws InvalidFields with all that is wrong, BerthError for what its state or host, the account or the caller's privileges
 *   forbid; then nothing was changed. `unavailable` also where its host went out of reach while it was waited for
 */
export async function changeVm(
  context: Context,
  caller: Caller,
  at: AtVm,
  change: VmChange,
  unread: FieldFaults,
): Promise<VmRow> {
  const goal = await orderChange(context, caller, at, change, unread);
  if (goal) await powerReached(context, at.vm, goal);
  return readVmById(context, at.vm.id, []);
}

/**
 * {@link changeVm} without waiting for the VM's host.
 * @returns what to wait for, if anything
 */
export async function orderChange(
  context: Context,
  caller: Caller,
  at: AtVm,
  change: VmChange,
  unread: FieldFaults,
): Promise<PowerGoal | null> {
  requireNone(
    mergeFaults(
      unread,
      vmFaults(change),
      await cdromFaults(context, change.cdromUrl),
      applianceFaults(change.appliance),
    ),
  );
  if (Object.values(change).every((value) => value === undefined)) return null;
  const target = await findTarget(context, caller, at, change.groupId);
  const goal = await inTransaction(context.database, (tx) => write(context, tx, at, change, target));
  context.wakeups.changed([at.vm.hostId]);
  return goal;
}

function applianceFaults(appliance: VmChange['appliance']): FieldFaults {
  const name = appliance?.name ?? null;
  return name === null || (appliances as readonly string[]).includes(name) ? {} : { appliance: [notListed] };
}

/** Writes a change, all of it or nothing. @returns what to wait for, if anything */
async function write(
  context: Context,
  tx: Tx,
  at: AtVm,
  change: VmChange,
  target: AtGroup | undefined,
): Promise<PowerGoal | null> {
  const place = await claimPlace(context, tx, at, change.name, target);
  const { vm, revision } = await holdVm(tx, at);
  const restored = change.isRestored ? await restore(context, tx, vm) : null;
  // Without a wish beside that there is nothing to refuse.
  requireVmAllowed('change-machine', restored ? { ...vm, status: 'stopped' } : vm);
  const resized = await resize(tx, vm, change);
  const power = await powerFor(tx, vm, change);
  if (power === 'start') await noteStarting(context, tx, vm);
  const machine = await changeMachine(tx, vm, change, power);
  const moved = place ? await takePlace(context, tx, at, vm, place) : null;
  const isOrdered = resized || machine || power || moved?.isOrdered;
  const notes = [restored, resized, machine, power && powerNotes[power], moved?.note ?? null];
  await tellOfVm(
    context,
    tx,
    at,
    notes.filter((note) => note !== null),
  );
  const what = power ? ordersOf[power] : staysOff(vm, change) ? ordersOf.stop : {};
  const order = isOrdered ? await orderVm(tx, { instanceId: vm.id, revision, ...what }) : vm;
  await repriceVms(context, tx, [vm.id], at.principal.actor);
  const isOn = change.isRestarted ?? change.isCycled ?? change.powerOn;
  return isOn === undefined ? null : goalOf(vm, isOn, power, order);
}

/** Brings a deleted VM back, as it was and switched off. */
async function restore({ clock }: Context, tx: Tx, { id, status }: LockedVm): Promise<Note | null> {
  if (status !== 'soft-deleted') return null;
  await writeStatuses(tx, [{ id, status: 'stopped', reason: null }], clock.now());
  return { kind: 'instance.restored', message: 'Was brought back after its deletion.' };
}

/**
 * Gives a VM other cores and memory from its next start on. More is taken of its host at once; less is given back once it runs
 * with less.
 * @throws InvalidFields where its host has no more
 */
async function resize(tx: Tx, vm: LockedVm, change: VmChange): Promise<Note | null> {
  const ordered: Taken = {
    vcpus: change.vcpus ?? vm.ordered.vcpus,
    memoryMib: change.memoryMib ?? vm.ordered.memoryMib,
  };
  const { vcpus, memoryMib } = ordered;
  if (vcpus === vm.ordered.vcpus && memoryMib === vm.ordered.memoryMib) return null;
  const keeps = isOff(vm) ? ordered : vm.taken;
  const taken = { vcpus: Math.max(vcpus, keeps.vcpus), memoryMib: Math.max(memoryMib, keeps.memoryMib) };
  const more = { vcpus: taken.vcpus - vm.taken.vcpus, memoryMib: taken.memoryMib - vm.taken.memoryMib, diskGib: 0 };
  if (!(await takeCapacity(tx, vm.hostId, more))) {
    const why = ['is more than its host has left'];
    throw new InvalidFields({
      ...(more.vcpus > 0 ? { cores: why } : {}),
      ...(more.memoryMib > 0 ? { memory: why } : {}),
    });
  }
  await writeSize(tx, vm.id, ordered, taken);
  const message = `Has ${vcpus} vCPUs and ${memoryMib} MiB of memory from its next start on.`;
  return { kind: 'instance.resized', message };
}

/**
 * What becomes of its power.
 * @throws InvalidFields where there is nothing to start, BerthError `unavailable` where its host can't be told, `wrong_state`
 *   where what is to be switched off and on again is off
 */
async function powerFor(tx: Tx, vm: LockedVm, change: VmChange): Promise<PowerOrder | null> {
  if (change.powerOn === undefined && !change.isCycled && !change.isRestarted) return null;
  const order = change.isRestarted
    ? (powerOrderFor(vm, true, false) ?? 'cycle')
    : change.isCycled
      ? cycleOf(vm)
      : powerOrderFor(vm, change.powerOn ?? false, change.autoreboot ?? vm.autoreboot);
  const hasCdrom = change.cdromUrl === undefined ? vm.hasCdrom : change.cdromUrl !== null;
  if (order && order !== 'stop' && vm.disks === 0 && !hasCdrom && !change.appliance?.name) {
    throw new InvalidFields({ power_on: ['needs a disc or a CD to start from'] });
  }
  if (order) await requireReachable(tx, vm);
  return order;
}

function cycleOf(vm: LockedVm): PowerOrder {
  // Whatever an order to be on would begin is no cycle.
  if (powerOrderFor(vm, true, false) === null) return 'cycle';
  throw new BerthError('wrong_state', `The virtual machine ${vm.name} is not on; start it first.`);
}

/**
 * Changes what its next start is to be like, and whether it comes back by itself.
 * @throws InvalidFields where its hardware profile is locked
 */
async function changeMachine(tx: Tx, vm: LockedVm, change: VmChange, power: PowerOrder | null): Promise<Note | null> {
  const { hardwareProfile, hardwareProfileLocked, autoreboot, cdromUrl, keymap, appliance } = change;
  const isLocked = vm.hardwareProfileLocked && hardwareProfileLocked !== false;
  if (isLocked && hardwareProfile !== undefined && hardwareProfile !== vm.hardwareProfile) {
    throw new InvalidFields({ hardware_profile: ['is locked'] });
  }
  const nextBoot = vm.bootNumber + 1;
  const machine = {
    ...{ hardwareProfile, hardwareProfileLocked, autoreboot, cdromUrl, keymap },
    appliance: appliance && {
      name: appliance.name,
      bootNumber: appliance.name === null || appliance.isPermanent ? null : nextBoot,
    },
  };
  const fields = Object.entries({ ...machine, appliance: appliance?.name }).filter(([, value]) => value !== undefined);
  if (fields.length === 0) return null;
  await writeMachine(tx, vm.id, machine);
  // Whether it comes back is for its host to know at once; the rest counts from its next start on.
  const names = fields.map(([name]) => name).join(', ');
  return power && names === 'autoreboot' ? null : { kind: 'instance.changed', message: `Was changed: ${names}.` };
}

const powerNotes: Record<PowerOrder, Note> = {
  start: { kind: 'instance.start', message: 'Was switched on.' },
  stop: { kind: 'instance.stop', message: 'Its plug was pulled.' },
  cycle: { kind: 'instance.cycle', message: 'Its plug was pulled and put in again.' },
};

const ordersOf = {
  start: { desired: 'running', nextBoot: true },
  stop: { desired: 'off' },
  cycle: { desired: 'running', nextBoot: true },
} as const;

/** Whether it is to be told to stay off: its host would start what its guest has switched off, once it is to come back up. */
const staysOff = (vm: LockedVm, { autoreboot }: VmChange) => autoreboot === true && isOff(vm);

/** What to wait for, where anything is yet to happen. */
function goalOf(
  vm: LockedVm,
  on: boolean,
  power: PowerOrder | null,
  { generation, bootNumber }: { generation: number; bootNumber: number },
): PowerGoal | null {
  const isSo = on ? vm.status === 'active' : isOff(vm);
  return power === null && isSo ? null : { on: on || power === 'cycle', generation, bootNumber };
}
