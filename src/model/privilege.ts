// Privileges: what a person may do with an account, one of its groups or one of its VMs (Bytemark API: privileges). Each
// level holds for what is below its object, too.

/** The levels from the least: to look at a VM and use its console; to manage a VM, a group, an account; to run the whole. */
export const privilegeLevels = [
  'vm_console',
  'vm_admin',
  'group_admin',
  'account_admin',
  'cluster_admin',
  'cluster_su',
] as const;

/** One of {@link privilegeLevels}. */
export type PrivilegeLevel = (typeof privilegeLevels)[number];

/**
 * A level and what it is held on, which is the innermost that is named: with a VM also its group and account are, with a group
 * its account. A level of the cluster is held on everything.
 */
export interface Grant {
  level: PrivilegeLevel;
  accountId?: string;
  groupId?: bigint;
  instanceId?: string;
}

/** Where something stands: an account, a group of it, an instance in that. */
export interface Place {
  accountId: string;
  groupId?: bigint;
  instanceId?: string;
}

/** A place among privileges: the higher, the more it includes. */
const rankOf = (level: PrivilegeLevel) => privilegeLevels.indexOf(level);

const isOnAll = ({ level }: Grant) => level === 'cluster_admin' || level === 'cluster_su';

/** Whether a grant holds at a place: it is held on the place itself or on what the place is in. */
function covers(grant: Grant, place: Place): boolean {
  if (isOnAll(grant)) return true;
  if (grant.instanceId !== undefined) return grant.instanceId === place.instanceId;
  if (grant.groupId !== undefined) return grant.groupId === place.groupId;
  return grant.accountId === place.accountId;
}

/** Whether these grants are enough to act at a place as this level may. */
export function may(grants: readonly Grant[], level: PrivilegeLevel, place: Place): boolean {
  return grants.some((grant) => rankOf(grant.level) >= rankOf(level) && covers(grant, place));
}

/** What grants let somebody see: everything, or accounts, groups and VMs with what is in them. */
export type Sight = 'everything' | { accountIds: string[]; groupIds: bigint[]; instanceIds: string[] };

/** What these grants let somebody see. */
export function sightOf(grants: readonly Grant[]): Sight {
  if (grants.some(isOnAll)) return 'everything';
  const sight = { accountIds: [] as string[], groupIds: [] as bigint[], instanceIds: [] as string[] };
  for (const { accountId, groupId, instanceId } of grants) {
    if (instanceId !== undefined) sight.instanceIds.push(instanceId);
    else if (groupId !== undefined) sight.groupIds.push(groupId);
    else if (accountId !== undefined) sight.accountIds.push(accountId);
  }
  return sight;
}

/** A kind of object that levels are held on. */
export type PrivilegeTarget = 'cluster' | 'account' | 'group' | 'virtual_machine';

const targets: Record<PrivilegeLevel, PrivilegeTarget> = {
  vm_console: 'virtual_machine',
  vm_admin: 'virtual_machine',
  group_admin: 'group',
  account_admin: 'account',
  cluster_admin: 'cluster',
  cluster_su: 'cluster',
};

/** What a level is held on. */
export function targetOf(level: PrivilegeLevel): PrivilegeTarget {
  return targets[level];
}

/** The highest level of the cluster among grants, where there is one. */
export function clusterLevelOf(grants: readonly Grant[]): PrivilegeLevel | null {
  const levels = grants.filter(isOnAll).map(({ level }) => level);
  return levels.toSorted((one, other) => rankOf(other) - rankOf(one))[0] ?? null;
}

/** Whether grants hold a level, or a higher one, where a grant is held. */
export function mayAs(
  grants: readonly Grant[],
  level: PrivilegeLevel,
  { accountId, ...rest }: Omit<Grant, 'level'>,
): boolean {
  if (accountId !== undefined) return may(grants, level, { accountId, ...rest });
  return grants.some((grant) => isOnAll(grant) && rankOf(grant.level) >= rankOf(level));
}

/** Whether grants may make or change a privilege: they hold a higher level where it is held. */
export function mayChange(grants: readonly Grant[], privilege: Grant): boolean {
  const { level, ...place } = privilege;
  const next = privilegeLevels[rankOf(level) + 1];
  return next !== undefined && mayAs(grants, next, place);
}
