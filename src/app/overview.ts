// What a caller sees of accounts, groups and VMs, singly or with all that is in them. Each list is read once for all that it
// is shown in, so an overview takes as many queries as there are kinds of things in it.

import { BerthError, shown } from '../model/errors.ts';
import { may, sightOf } from '../model/privilege.ts';
import { characterOf, parseReference } from '../model/reference.ts';
import { type AccountHandle, listAccountsInSight, listOwners, type OwnerRow } from '../store/account.ts';
import { type GroupFilter, type GroupRow, listGroups as readGroups } from '../store/group.ts';
import { type DiskRow, listVms as readVms, type VmFilter, type VmPart, type VmRow } from '../store/overview.ts';
import { type Caller, reachAccount, reachGroup, reachVm } from './access.ts';
import type { Context } from './context.ts';

export type { AccountHandle } from '../store/account.ts';
export type { GroupRow } from '../store/group.ts';
export type { DiskRow, VmRow } from '../store/overview.ts';

/** A group with its VMs. */
export interface GroupOverview extends GroupRow {
  vms: VmRow[];
}

/** An account with its groups and their VMs. */
export interface AccountOverview extends AccountHandle {
  groups: GroupOverview[];
}

/**
 * The accounts that a caller sees anything of, the oldest first, but those before all others that he runs himself: clients take
 * the first one unless told otherwise, and anybody may let him into an older one.
 */
export async function listAccounts(context: Context, caller: Caller): Promise<AccountHandle[]> {
  const accounts = await listAccountsInSight(context.database, sightOf(caller.grants));
  const own = new Set(caller.grants.filter(({ level }) => level === 'account_admin').map(({ accountId }) => accountId));
  return accounts.toSorted((one, other) => Number(own.has(other.id)) - Number(own.has(one.id)));
}

/** An account with who runs it, where somebody does and the caller may know. */
export type OwnedAccount = AccountHandle & { owner: OwnerRow | null };

/** The accounts as {@link listAccounts} has them; those that he runs himself with who runs them. */
export async function listOwnedAccounts(context: Context, caller: Caller): Promise<OwnedAccount[]> {
  const accounts = await listAccounts(context, caller);
  const owners = await listOwners(
    context.database,
    accounts.map(({ id }) => id).filter((accountId) => may(caller.grants, 'account_admin', { accountId })),
  );
  const byAccount = new Map(owners.map((owner) => [owner.accountId, owner]));
  return accounts.map((account) => ({ ...account, owner: byAccount.get(account.id) ?? null }));
}

/** The groups that a caller sees anything of. */
export function listGroups(context: Context, caller: Caller, filter: GroupFilter): Promise<GroupRow[]> {
  return readGroups(context.database, sightOf(caller.grants), filter);
}

/** The VMs that a caller sees. */
export function listVms(context: Context, caller: Caller, filter: VmFilter): Promise<VmRow[]> {
  return readVms(context.database, sightOf(caller.grants), filter);
}

/** Accounts with everything in them that the caller sees. */
export async function overviewAccounts(
  context: Context,
  caller: Caller,
  accounts: readonly AccountHandle[],
  includeDeleted: boolean,
): Promise<AccountOverview[]> {
  const [only] = accounts;
  const account = accounts.length === 1 ? only?.number : undefined;
  const groups = await overviewGroups(context, caller, await listGroups(context, caller, { account }), {
    account,
    includeDeleted,
  });
  const byAccount = Map.groupBy(groups, ({ accountId }) => accountId);
  return accounts.map((one) => ({ ...one, groups: byAccount.get(one.id) ?? [] }));
}

/** Groups with those of their VMs that the caller sees. @param filter narrows to VMs that are in one of the groups */
export async function overviewGroups(
  context: Context,
  caller: Caller,
  groups: readonly GroupRow[],
  filter: VmFilter,
): Promise<GroupOverview[]> {
  const vms = Map.groupBy(await listVms(context, caller, filter), ({ groupId }) => groupId);
  return groups.map((group) => ({ ...group, vms: vms.get(group.id) ?? [] }));
}

/** How a path names a VM; without a group a name is looked for among all that the caller sees. */
export interface VmReferences {
  account?: string;
  group?: string;
  vm: string;
}

/**
 * One VM that the caller sees.
 * @param includeDeleted whether a VM is to be found, too, that is out of sight until it is restored or purged
 * @throws BerthError `not_found`
 */
export async function readVm(
  context: Context,
  caller: Caller,
  references: VmReferences,
  includeDeleted: boolean,
): Promise<VmRow> {
  const vm = parseReference(references.vm);
  if (references.group === undefined && typeof vm === 'string') {
    const [found, ...others] = await listVms(context, caller, { vm, includeDeleted });
    if (found && others.length === 0) return found;
    throw nothing('virtual machine', references.vm);
  }
  const { vm: handle } = await reachVm(context, caller, references, 'see');
  const [found] = await listVms(context, caller, { instanceId: handle.id, includeDeleted });
  if (!found) throw nothing('virtual machine', references.vm);
  return found;
}

/**
 * A VM that whoever asks has just made or changed.
 * @param parts what is read of it beside itself; everything where it is left out
 * @throws BerthError `not_found` when it is gone again
 */
export async function readVmById({ database }: Context, instanceId: string, parts?: readonly VmPart[]): Promise<VmRow> {
  const filter = { instanceId, includeDeleted: true, ...(parts ? { parts } : {}) };
  const [found] = await readVms(database, 'everything', filter);
  if (!found) throw nothing('virtual machine', instanceId);
  return found;
}

/** One account that the caller sees anything of. @throws BerthError `not_found` */
export async function readAccount(context: Context, caller: Caller, account: string): Promise<AccountHandle> {
  return (await reachAccount(context, caller, account, 'see')).account;
}

/** One group that the caller sees anything of. @throws BerthError `not_found` */
export async function readGroup(
  context: Context,
  caller: Caller,
  references: { account?: string; group: string },
): Promise<GroupRow> {
  return (await reachGroup(context, caller, references, 'see')).group;
}

/**
 * One disk of a VM, by its number or its label.
 * @throws BerthError `not_found`
 */
export function diskOf(vm: VmRow, reference: string): DiskRow {
  const by = parseReference(reference);
  const disk = vm.disks.find(({ number, label }) => (typeof by === 'bigint' ? number : label) === by);
  if (!disk) throw nothing('disc', reference);
  return disk;
}

/** One disk of a VM that the caller sees, by its number. @throws BerthError `not_found` */
export async function readDisk(context: Context, caller: Caller, reference: string): Promise<DiskRow> {
  const disk = parseReference(reference);
  const found = typeof disk === 'bigint' ? await listVms(context, caller, { disk, includeDeleted: true }) : [];
  const [vm] = found;
  if (!vm) throw nothing('disc', reference);
  return diskOf(vm, reference);
}

/** A disk that whoever asks has just made or changed. @throws BerthError `not_found` when it is gone again */
export async function readDiskById({ database }: Context, id: string): Promise<DiskRow> {
  const [vm] = await readVms(database, 'everything', { diskId: id, includeDeleted: true });
  const disk = vm?.disks.find((one) => one.id === id);
  if (!disk) throw nothing('disc', id);
  return disk;
}

/** The VM whose network interface has a number. @throws BerthError `not_found` */
export async function readNic(context: Context, caller: Caller, reference: string): Promise<VmRow> {
  const vm = parseReference(reference);
  const found = typeof vm === 'bigint' ? await listVms(context, caller, { vm, includeDeleted: true }) : [];
  const [only] = found;
  if (!only) throw nothing('network interface', reference);
  return only;
}

/** Holds a number to be that of a VM's network interface. @throws BerthError `not_found` */
export function requireNic(vm: VmRow, reference: string): VmRow {
  const isMeant = parseReference(reference) === vm.number || reference === characterOf(vm.number);
  if (!isMeant) throw nothing('network interface', reference);
  return vm;
}

const nothing = (what: string, reference: string) =>
  new BerthError('not_found', `There is no ${what} ${shown(reference)}.`, reference);
