// What a VM's owner does with its disks while it lives. Each change is one transaction: the room on the host, the row, the
// host's order, the price, the event; the host makes it so afterwards.

import { gibTaken } from '../model/configuration.ts';
import { type DiskAttributes, diskFaults, disksMax, nextLabel } from '../model/disk.ts';
import { BerthError, type FieldFaults, InvalidFields, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { whyNot } from '../model/instance.ts';
import { may } from '../model/privilege.ts';
import { defaultGrade } from '../model/storage-grade.ts';
import { type Pool, poolsFor } from '../model/storage-pool.ts';
import { order } from '../store/assignment.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import {
  areErasing,
  type DiskState,
  forgetErased,
  insertDisk,
  listDisks,
  moveDisk,
  takeDiskAway,
  updateDisk,
} from '../store/disk.ts';
import { insertEvents } from '../store/event.ts';
import { bumpRevisions } from '../store/host.ts';
import { findInstances, type InstanceHandle } from '../store/instance.ts';
import { listPools, takeDiskRoom } from '../store/storage-pool.ts';
import { type AtVm, type Caller, reachVm } from './access.ts';
import type { Context } from './context.ts';
import { poolIdOf, takeFromPools } from './storage-pool.ts';
import { repriceVms } from './vm-price.ts';
import { mergeFaults, requireNone } from './vm-request.ts';

const taken = { label: ['has already been taken'] };

/**
 * Adds a blank disk to a VM. A guest that runs sees it at once where its hardware profile can, and else from its next start on.
 * @param unread what could not be read of the request
 * @returns the disk's id
 * @throws InvalidFields; BerthError `wrong_state`, `no_suitable_offer`, `insufficient_balance`
 */
export async function addDisk(
  context: Context,
  { vm, principal }: AtVm,
  given: DiskAttributes,
  unread: FieldFaults,
): Promise<string> {
  const missing: FieldFaults = given.sizeMib === undefined ? { size: ["can't be blank", 'is not a number'] } : {};
  requireNone(mergeFaults(unread, missing, diskFaults(given)));
  const { sizeMib = 0, grade = defaultGrade } = given;
  const id = newUuid(context.entropy);
  await changeDisks(context, [vm], principal.actor, async (tx, [handle], disks) => {
    requireDisksOf('change-disks', handle);
    const label = given.label ?? nextLabel(disks.map((disk) => disk.label));
    if (disks.length >= disksMax) {
      throw new InvalidFields({ base: [`a virtual machine has up to ${disksMax} discs`] });
    }
    requireNone(disks.some((disk) => disk.label === label) ? taken : {});
    const pool = await takePool(tx, handle, grade, sizeMib);
    await insertDisk(tx, {
      ...{ id, instanceId: handle.id, label, grade, sizeMib },
      pool: poolIdOf(pool) === null ? null : pool,
      createdAt: context.clock.now(),
    });
    return { kind: 'disk.added', message: `Given the disk ${label} of ${sizeMib} MiB, grade ${grade}.` };
  });
  return id;
}

async function takePool(tx: Tx, handle: InstanceHandle, grade: string, sizeMib: number): Promise<Pool> {
  const pool = await takeFromPools(tx, handle, grade, sizeMib);
  if (pool) return pool;
  const pools = poolsFor(await listPools(tx, handle.hostId), grade);
  if (pools.length > 0) throw noRoom(Math.max(0, ...pools.map(({ freeGib }) => freeGib)));
  throw new InvalidFields({ storage_grade: [`is not to be had where this virtual machine is: ${shown(grade)}`] });
}

const noRoom = (freeGib: number) =>
  new BerthError('no_suitable_offer', `is more than the virtual machine's head has room for: ${freeGib} GiB`, 'size');

/** A change of a disk; what is undefined stays. */
export interface DiskChange {
  label?: string | undefined;
  sizeMib?: number | undefined;
  /** Null is none. */
  iopsLimit?: number | null | undefined;
  /** The VM that is to have it. */
  to?: { number: number } | { id: string } | undefined;
}

/**
 * Changes a disk: a larger size is seen by a guest that runs; for another VM to have it both have to be off.
 * @param unread what could not be read of the request
 * @throws InvalidFields; BerthError `wrong_state`, `forbidden`, `no_suitable_offer`, `insufficient_balance`
 */
export async function changeDisk(
  context: Context,
  caller: Caller,
  at: AtVm,
  diskId: string,
  change: DiskChange,
  unread: FieldFaults,
): Promise<void> {
  requireNone(mergeFaults(unread, changeFaults(change)));
  const { vm, account, principal } = at;
  const target = change.to === undefined ? undefined : await reachTarget(context, caller, change.to);
  const isMoved = target !== undefined && target.vm.id !== vm.id;
  const vms = isMoved ? [vm, target.vm] : [vm];
  await changeDisks(context, vms, principal.actor, async (tx, handles, disks) => {
    const handle = requireHandle(handles, vm.id);
    const own = disks.filter(({ instanceId }) => instanceId === vm.id);
    const disk = requireDisk(own, diskId);
    // Who sends a disk back as it was shown asks for nothing.
    const isBounded = change.iopsLimit !== undefined && change.iopsLimit !== disk.iopsLimit;
    if (isBounded && !may(caller.grants, 'cluster_admin', { accountId: account.id })) {
      throw new BerthError('forbidden', 'How busy a disk may be is for whoever runs this installation to say.');
    }
    requireDisksOf('change-disks', handle);
    const said = await setDisk(tx, handle, disk, own, change);
    if (isMoved) {
      const to = requireHandle(handles, target.vm.id);
      said.push(await giveDisk(tx, { ...disk, ...withoutUndefined(change) }, own, handle, to, disks));
    }
    return said.length === 0 ? null : { kind: 'disk.changed', message: said.join(' ') };
  });
}

const withoutUndefined = ({ label, sizeMib }: DiskChange) => ({
  ...(label === undefined ? {} : { label }),
  ...(sizeMib === undefined ? {} : { sizeMib }),
});

/** As many as a fast disk can; more are no limit. */
const iopsLimitMax = 10_000_000;

function changeFaults({ label, sizeMib, iopsLimit }: DiskChange): FieldFaults {
  const isLimit = iopsLimit == null || (Number.isInteger(iopsLimit) && iopsLimit > 0 && iopsLimit <= iopsLimitMax);
  const limit: FieldFaults = isLimit ? {} : { iops_limit: [`must be a whole number from 1 to ${iopsLimitMax}`] };
  return mergeFaults(diskFaults({ label, sizeMib }), limit);
}

/** The VM that a disk is to be moved to; one that the caller may not see is none. */
async function reachTarget(context: Context, caller: Caller, to: NonNullable<DiskChange['to']>): Promise<AtVm> {
  try {
    return await reachVm(context, caller, 'id' in to ? to : { vm: String(to.number) }, 'vm_admin');
  } catch (error) {
    const isUnknown = error instanceof BerthError && error.code === 'not_found';
    throw isUnknown ? new InvalidFields({ virtual_machine_id: ['is not a virtual machine that you have'] }) : error;
  }
}

/** Changes what a disk is. @returns what was done, in sentences */
async function setDisk(
  tx: Tx,
  handle: InstanceHandle,
  disk: DiskState,
  own: readonly DiskState[],
  { label, sizeMib, iopsLimit }: DiskChange,
): Promise<string[]> {
  const said: string[] = [];
  if (label !== undefined && label !== disk.label) {
    requireNone(own.some((other) => other.label === label) ? taken : {});
    said.push(`Disk ${disk.label} is called ${label} now.`);
  }
  if (sizeMib !== undefined && sizeMib !== disk.sizeMib) {
    if (sizeMib < disk.sizeMib) throw new InvalidFields({ size: [`must be greater than or equal to ${disk.sizeMib}`] });
    const moreGib = gibTaken([sizeMib]) - gibTaken([disk.sizeMib]);
    if (!(await takeDiskRoom(tx, handle.id, disk.poolId, moreGib))) {
      const pools = await listPools(tx, handle.hostId);
      const pool = pools.find((one) => poolIdOf(one) === disk.poolId);
      throw noRoom(gibTaken([disk.sizeMib]) + (pool?.freeGib ?? 0));
    }
    said.push(`Disk ${label ?? disk.label} has ${sizeMib} MiB now, instead of ${disk.sizeMib}.`);
  }
  if (iopsLimit !== undefined && iopsLimit !== disk.iopsLimit) {
    said.push(`Disk ${label ?? disk.label} may be read and written ${iopsLimit ?? 'any number of'} times a second.`);
  }
  if (said.length > 0) await updateDisk(tx, disk.id, { label, sizeMib, iopsLimit });
  return said;
}

/** Gives a disk to another VM of its host, with its backups. @returns what was done, in a sentence */
async function giveDisk(
  tx: Tx,
  disk: DiskState,
  own: readonly DiskState[],
  from: InstanceHandle,
  to: InstanceHandle,
  disks: readonly DiskState[],
): Promise<string> {
  const refuse = (why: string) => new InvalidFields({ virtual_machine_id: [why] });
  requireDisksOf('remove-disk', from);
  requireDisksOf('remove-disk', to);
  if (own[0]?.id === disk.id) throw refuse(`can't be changed: ${from.name} starts from this disc`);
  if (from.hostId !== to.hostId) throw refuse(`is of a virtual machine on another head: discs stay on theirs`);
  const theirs = disks.filter(({ instanceId }) => instanceId === to.id);
  if (theirs.length >= disksMax) throw refuse(`is of a virtual machine that has ${disksMax} discs`);
  if (theirs.some(({ label }) => label === disk.label)) {
    throw refuse(`is of a virtual machine that has a disc called ${disk.label}`);
  }
  const gib = gibTaken([disk.sizeMib]) + disk.backupGib;
  for (const [instanceId, sign] of [
    [from.id, -1],
    [to.id, 1],
  ] as const) {
    // What the one gives back the other takes: there is room for it.
    await takeDiskRoom(tx, instanceId, disk.poolId, sign * gib);
  }
  await moveDisk(tx, disk.id, to.id);
  return `Disk ${disk.label} was moved from ${from.name} to ${to.name}.`;
}

/**
 * Takes a disk from a VM that is off. Its host erases it.
 * @throws BerthError `wrong_state`
 */
export async function deleteDisk(context: Context, { vm, principal }: AtVm, diskId: string): Promise<void> {
  await changeDisks(context, [vm], principal.actor, async (tx, [handle], disks) => {
    const disk = requireDisk(disks, diskId);
    requireDisksOf('remove-disk', handle);
    await takeDiskAway(tx, disk, context.clock.now());
    return { kind: 'disk.deleted', message: `Disk ${disk.label} of ${disk.sizeMib} MiB is erased.` };
  });
}

/** Gives back the room of disks that a host was told to erase and has erased. */
export async function noteErasedDisks(context: Context, hostId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0 || !(await areErasing(context.database, hostId, ids))) return;
  await inTransaction(context.database, async (tx) => {
    const revision = (await bumpRevisions(tx, [hostId])).get(hostId) ?? 0n;
    const erased = await forgetErased(tx, hostId, ids);
    for (const { instanceId, poolId, sizeMib, backupGib } of erased) {
      await takeDiskRoom(tx, instanceId, poolId, -gibTaken([sizeMib]) - backupGib);
    }
    const instanceIds = [...new Set(erased.map(({ instanceId }) => instanceId))];
    await order(
      tx,
      instanceIds.map((instanceId) => ({ instanceId, revision })),
    );
  });
  context.wakeups.changed([hostId]);
}

/** @throws BerthError `wrong_state` where the VM is in no state for it */
function requireDisksOf(act: 'change-disks' | 'remove-disk', { name, status }: InstanceHandle): void {
  const reason = whyNot(act, status);
  if (reason) throw new BerthError('wrong_state', `The discs of ${name} can't be changed like this now: ${reason}.`);
}

function requireDisk(disks: readonly DiskState[], id: string): DiskState {
  const disk = disks.find((one) => one.id === id);
  if (!disk) throw new BerthError('not_found', 'There is no such disk any more.', id);
  return disk;
}

type Handles = readonly [InstanceHandle, ...InstanceHandle[]];

function requireHandle(handles: readonly InstanceHandle[], id: string): InstanceHandle {
  const handle = handles.find((one) => one.id === id);
  if (!handle) throw new BerthError('not_found', 'There is no such virtual machine any more.', id);
  return handle;
}

/**
 * Changes disks of VMs with their hosts' rows and then their own locked, charges for what they have afterwards, and tells the
 * hosts. A change that comes to nothing is told to nobody.
 */
async function changeDisks(
  context: Context,
  vms: readonly { id: string; hostId: string }[],
  actor: string,
  change: (tx: Tx, handles: Handles, disks: readonly DiskState[]) => Promise<{ kind: string; message: string } | null>,
): Promise<void> {
  const createdAt = context.clock.now();
  const hostIds = vms.map(({ hostId }) => hostId);
  const ids = vms.map(({ id }) => id);
  await inTransaction(context.database, async (tx) => {
    const revisions = await bumpRevisions(tx, hostIds);
    const handles = await findInstances(tx, null, ids, { lock: true });
    const [first, ...rest] = ids.map((id) => requireHandle(handles, id));
    if (!first) throw new Error('No virtual machine was named.');
    const done = await change(tx, [first, ...rest], await listDisks(tx, ids));
    if (!done) return;
    await repriceVms(context, tx, ids, actor);
    await order(
      tx,
      handles.map(({ id, hostId }) => ({ instanceId: id, revision: revisions.get(hostId) ?? 0n })),
    );
    await insertEvents(
      tx,
      handles.map(({ id, hostId, accountId }) => ({ accountId, instanceId: id, hostId, actor, createdAt, ...done })),
    );
  });
  context.wakeups.changed(hostIds);
}
