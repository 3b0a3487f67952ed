// Where a VM belongs and what it is called: another name, another group, another account. The bill, the name and the addresses
// go along.

import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { isOff } from '../model/power.ts';
import { notListed } from '../model/vm.ts';
import type { Tx } from '../store/database.ts';
import { claimName, insertDeployment, releaseUnusedNames } from '../store/deployment.ts';
import { deleteVmPrivileges } from '../store/privilege.ts';
import { type LockedVm, writePlace } from '../store/vm-change.ts';
import { type AtGroup, type AtVm, type Caller, reachGroup } from './access.ts';
import { moveAddresses } from './address.ts';
import { transferBill } from './bill-change.ts';
import type { Context } from './context.ts';
import type { Note } from './vm.ts';

/** A place that a VM is about to take, its name claimed. */
export interface NewPlace {
  name: string;
  accountId: string;
  groupId: bigint;
  deploymentId: string;
  /** How it is called in messages. */
  groupName: string;
}

/**
 * The group that an instance is to be in; undefined where it is in it. Who moves one has to be in charge of both groups.
 * @throws BerthError `forbidden`; InvalidFields where the caller sees no such group
 */
export async function findTarget(
  context: Context,
  caller: Caller,
  { group }: Pick<AtVm, 'group'>,
  groupId: number | undefined,
): Promise<AtGroup | undefined> {
  if (groupId === undefined || groupId === Number(group.id)) return undefined;
  await reachGroup(context, caller, { group: String(group.id) }, 'group_admin');
  try {
    return await reachGroup(context, caller, { group: String(groupId) }, 'group_admin');
  } catch (error) {
    if (error instanceof BerthError && error.code === 'not_found') throw new InvalidFields({ group_id: [notListed] });
    throw error;
  }
}

/**
 * Claims the name that a VM is to have in the group that it is to be in; before any row of a host is held, as whoever makes a
 * VM does.
 * @returns undefined where both stay as they are
 * @throws InvalidFields when another has the name
 */
export async function claimPlace(
  context: Context,
  tx: Tx,
  { account, group, vm }: AtVm,
  name = vm.name,
  target?: AtGroup,
): Promise<NewPlace | undefined> {
  if (name === vm.name && !target) return undefined;
  const { account: toAccount, group: toGroup } = target ?? { account, group };
  // What was deployed together stays together in one account only.
  const deploymentId = toAccount.id === account.id ? vm.deploymentId : newUuid(context.entropy);
  const place = { name, accountId: toAccount.id, groupId: toGroup.id, deploymentId, groupName: toGroup.name };
  const isClaimed =
    deploymentId === vm.deploymentId
      ? await claimName(tx, place)
      : await insertDeployment(tx, { ...place, id: deploymentId, now: context.clock.now() });
  if (!isClaimed) throw new InvalidFields({ name: ['has already been taken'] });
  return place;
}

/**
 * Puts a VM to a place that was claimed for it.
 * @returns whether its host has to be told, and what was done
 * @throws BerthError `unavailable` when somebody else has moved it meanwhile; `insufficient_balance`, `wrong_state`
 */
export async function takePlace(
  context: Context,
  tx: Tx,
  at: AtVm,
  vm: LockedVm,
  place: NewPlace,
): Promise<{ isOrdered: boolean; note: Note }> {
  if (vm.name !== at.vm.name || vm.groupId !== at.group.id || vm.deploymentId !== at.vm.deploymentId) {
    throw new BerthError('unavailable', `${shown(at.vm.name)} was renamed or moved at the same time; try again.`);
  }
  const { id: instanceId, hostId } = vm;
  // Should it never come up, what was charged goes back to who paid it.
  if (place.accountId !== vm.accountId && vm.status === 'launching' && !vm.hasRun) {
    const message = `${shown(vm.name)} is still being brought up; it can go to another account once it is on.`;
    throw new BerthError('wrong_state', message);
  }
  await writePlace(tx, instanceId, place);
  await releaseUnusedNames(tx, [vm.deploymentId]);
  if (place.groupId === vm.groupId) {
    return {
      isOrdered: false,
      note: { kind: 'instance.renamed', message: `Renamed from ${vm.name} to ${place.name}.` },
    };
  }
  const move = { instanceId, hostId, fromGroupId: vm.groupId, toGroupId: place.groupId, isOff: isOff(vm) };
  await moveAddresses(tx, move);
  await transferBill(context, tx, instanceId, place.accountId);
  // Whom the old account has let in would spend the new one's money.
  if (place.accountId !== vm.accountId) await deleteVmPrivileges(tx, instanceId);
  const message = `Moved from ${at.group.name} to ${place.groupName}, as ${place.name}.`;
  // Another group is another network, whether its addresses are others or not.
  return { isOrdered: true, note: { kind: 'instance.moved', message } };
}
