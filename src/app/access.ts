// What a caller reaches of accounts, groups and VMs, and what he may do there. What he may not see is not there for him; what he
// may see and not change is refused (Bytemark API: general rules).

import { BerthError, shown } from '../model/errors.ts';
import { clusterLevelOf, may, type Place, type PrivilegeLevel } from '../model/privilege.ts';
import { parseReference } from '../model/reference.ts';
import { type AccountHandle, findAccount } from '../store/account.ts';
import { findGroup, findGroupWithin, type GroupRow } from '../store/group.ts';
import { findInstancePlace, type InstancePlace } from '../store/instance-list.ts';
import { findVm, type VmHandle } from '../store/vm.ts';
import type { Principal } from './authenticate.ts';
import type { Caller } from './caller.ts';
import type { Context } from './context.ts';

export type { Caller } from './caller.ts';

/** An account as a caller reaches it. */
export interface AtAccount {
  account: AccountHandle;
  /** Who acts there, for use cases that act for an account. */
  principal: Principal;
}

/** A group as a caller reaches it. */
export interface AtGroup extends AtAccount {
  group: GroupRow;
}

/** A VM as a caller reaches it. */
export interface AtVm extends AtGroup {
  vm: VmHandle;
}

/** An instance as a caller reaches it. */
export interface AtInstance extends AtGroup {
  instance: InstancePlace;
}

/**
 * The account that a caller names by its number or name, or by its id.
 * @throws BerthError `not_found` where there is none that he may see, `forbidden` where he may see it and not act as `level`
 */
export async function reachAccount(
  context: Context,
  caller: Caller,
  ref: string | { id: string },
  level: PrivilegeLevel | 'see',
): Promise<AtAccount> {
  const number = typeof ref === 'string' ? numberOf(ref) : undefined;
  const by = typeof ref === 'object' ? ref : number === undefined ? { name: ref } : { number };
  const account = await findAccount(context.database, by);
  const sees = account && seesInside(caller, account.id);
  if (!account || !sees) throw nothing('account', typeof ref === 'object' ? ref.id : ref);
  requireLevel(caller, level, { accountId: account.id }, `account ${account.name}`);
  return at(caller, account);
}

/**
 * The group that a caller names by its number or name, within an account where the path names one.
 * @throws BerthError as {@link reachAccount} does
 */
export async function reachGroup(
  context: Context,
  caller: Caller,
  refs: { account?: string | undefined; group: string },
  level: PrivilegeLevel | 'see',
): Promise<AtGroup> {
  const { database } = context;
  if (refs.account !== undefined) {
    const found = await findGroupWithin(database, parseReference(refs.account), parseReference(refs.group));
    if (found && seesGroup(caller, found.group)) {
      requireLevel(caller, level, placeOf(found.group), `group ${found.group.name}`);
      return { ...at(caller, found.account), group: found.group };
    }
  }
  // What is not there, or not for this caller to see: which of the two it is about is told.
  const within = refs.account === undefined ? undefined : await reachAccount(context, caller, refs.account, 'see');
  const id = numberOf(refs.group);
  const by = id !== undefined ? { id } : within && { accountId: within.account.id, name: refs.group };
  const group = by && (await findGroup(database, by));
  const isElsewhere = within && group && group.accountId !== within.account.id;
  const sees = group && seesGroup(caller, group);
  if (!group || isElsewhere || !sees) throw nothing('group', refs.group);
  requireLevel(caller, level, placeOf(group), `group ${group.name}`);
  return { ...(within ?? at(caller, await accountOf(context, group.accountId))), group };
}

/**
 * The VM that a caller names by its number or name, within an account and group where the path names them; or by its id.
 * @throws BerthError as {@link reachAccount} does
 */
export async function reachVm(
  context: Context,
  caller: Caller,
  refs: { account?: string; group?: string; vm: string } | { id: string },
  level: PrivilegeLevel | 'see',
): Promise<AtVm> {
  const {
    account,
    group: groupRef,
    vm: ref,
  }: { account?: string; group?: string; vm: string } = 'id' in refs ? { vm: refs.id } : refs;
  const within =
    groupRef === undefined ? undefined : await reachGroup(context, caller, { account, group: groupRef }, 'see');
  const number = numberOf(ref);
  const by =
    'id' in refs ? refs : number !== undefined ? { number } : within && { groupId: within.group.id, name: ref };
  const vm = by && (await findVm(context.database, by));
  const place = vm && { accountId: vm.accountId, groupId: vm.groupId, instanceId: vm.id };
  const isElsewhere = within && vm && vm.groupId !== within.group.id;
  if (!vm || !place || isElsewhere || !may(caller.grants, 'vm_console', place)) throw nothing('virtual machine', ref);
  requireLevel(caller, level, place, `virtual machine ${vm.name}`);
  if (within) return { ...within, vm };
  const home = await findGroup(context.database, { id: vm.groupId });
  if (!home) throw nothing('virtual machine', ref);
  return { ...at(caller, await accountOf(context, vm.accountId)), group: home, vm };
}

/**
 * The instance, VM or container, that a caller names by its id.
 * @param ref how he names it, for messages
 * @throws BerthError as {@link reachAccount} does
 */
export async function reachInstance(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel | 'see',
  ref: string,
): Promise<AtInstance> {
  const instance = await seeInstance(context, caller, id, ref);
  const place = { accountId: instance.accountId, groupId: instance.groupId, instanceId: id };
  requireLevel(caller, level, place, `instance ${instance.name}`);
  const group = await findGroup(context.database, { id: instance.groupId });
  if (!group) throw nothing('instance', ref);
  return { ...at(caller, await accountOf(context, instance.accountId)), group, instance };
}

/**
 * The instance that a caller names by its id, for who only looks at it: whose it is, and its group, are not read.
 * @throws BerthError `not_found` where there is none that he may see
 */
export async function seeInstance(
  { database }: Context,
  { grants }: Caller,
  id: string,
  ref: string,
): Promise<InstancePlace> {
  const instance = await findInstancePlace(database, id);
  const place = instance && { accountId: instance.accountId, groupId: instance.groupId, instanceId: id };
  if (!place || !may(grants, 'vm_console', place)) throw nothing('instance', ref);
  return instance;
}

function numberOf(ref: string): bigint | undefined {
  const reference = parseReference(ref);
  return typeof reference === 'bigint' ? reference : undefined;
}

const placeOf = ({ id, accountId }: GroupRow): Place => ({ accountId, groupId: id });

/** Whether anything of an account is the caller's to see; a grant on something in it names the account, too. */
const seesInside = ({ grants }: Caller, accountId: string) =>
  may(grants, 'vm_console', { accountId }) || grants.some((grant) => grant.accountId === accountId);

/** Whether a group or anything in it is the caller's to see; a grant on a VM names its group, too. */
const seesGroup = ({ grants }: Caller, group: GroupRow) =>
  may(grants, 'vm_console', placeOf(group)) || grants.some(({ groupId }) => groupId === group.id);

/**
 * Holds a caller to be an operator of the whole.
 * @throws BerthError `forbidden`
 */
export function requireCluster({ grants }: Caller): void {
  if (clusterLevelOf(grants) === null) throw new BerthError('forbidden', 'This needs the privilege cluster_admin.');
}

function requireLevel({ grants }: Caller, level: PrivilegeLevel | 'see', place: Place, what: string): void {
  if (level === 'see' || may(grants, level, place)) return;
  throw new BerthError('forbidden', `You may see ${what}, but this needs the privilege ${level} on it.`);
}

const nothing = (what: string, ref: string) => new BerthError('not_found', `There is no ${what} ${shown(ref)}.`, ref);

const at = ({ actor }: Caller, account: AccountHandle): AtAccount => ({
  account,
  principal: { accountId: account.id, accountName: account.name, actor, scope: 'full' },
});

async function accountOf({ database }: Context, id: string): Promise<AccountHandle> {
  const account = await findAccount(database, { id });
  if (!account) throw new Error(`There is no account ${id}.`);
  return account;
}
