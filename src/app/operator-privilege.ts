// Privileges by the operator's hand, who is above all levels.

import { BerthError, InvalidFields, shown } from '../model/errors.ts';
import { type Grant, type PrivilegeLevel, privilegeLevels, targetOf } from '../model/privilege.ts';
import { parseAddresses } from '../model/privilege-terms.ts';
import { findGroup } from '../store/group.ts';
import { listPrivileges as list, type PrivilegeRow } from '../store/privilege.ts';
import { findVm } from '../store/vm.ts';
import { findAccount } from './account.ts';
import type { Context } from './context.ts';
import { operatorActor, unknownName } from './operator.ts';
import { erasePrivilege, writePrivilege } from './privilege.ts';
import { requireUser } from './user.ts';

/** An object by names; the fields at fault are called as in `--account`. */
export interface ObjectNames {
  account?: string;
  group?: string;
  vm?: string;
}

/** Privileges of one user, or of all. */
export async function listPrivileges(context: Context, username: string | null): Promise<PrivilegeRow[]> {
  if (username === null) return list(context.database, {});
  return list(context.database, { userId: (await requireUser(context.database, username)).id });
}

/**
 * Grants a user a privilege.
 * @param terms `from` lists addresses and ranges
 * @throws BerthError `invalid_value`, `not_found`, `name_taken`
 */
export async function grantByOperator(
  context: Context,
  username: string,
  level: string,
  names: ObjectNames,
  terms: { secondFactor: boolean; from: string | null },
): Promise<PrivilegeRow> {
  const user = await requireUser(context.database, username);
  const fromAddresses = terms.from === null ? null : parseAddresses(terms.from);
  if (terms.from !== null && !fromAddresses?.length) {
    const message = `--from is ${shown(terms.from)}; write addresses and ranges such as 192.0.2.7,198.51.100.0/24.`;
    throw new BerthError('invalid_value', message, '--from');
  }
  const grant = await grantNamed(context, checkLevel(level), names);
  return writePrivilege(context, operatorActor, {
    ...{ userId: user.id, grant, apiKeyId: null, grantedBy: null, passwordRequired: true, fromAddresses },
    ...{ secondFactorRequired: terms.secondFactor, secondFactorAgeSecondsMax: null, createdAt: context.clock.now() },
  }).catch((error: Error) => {
    if (!(error instanceof InvalidFields)) throw error;
    throw new BerthError('name_taken', `User ${username} holds ${level} there already, or very much altogether.`);
  });
}

/**
 * Takes a privilege away.
 * @throws BerthError `not_found`
 */
export async function revokeByOperator(context: Context, id: string): Promise<PrivilegeRow> {
  const [found] = /^\d{1,18}$/.test(id) ? await list(context.database, { id: BigInt(id) }) : [];
  if (!found) throw unknownName('privilege', id);
  await erasePrivilege(context, operatorActor, found);
  return found;
}

function checkLevel(level: string): PrivilegeLevel {
  const known = privilegeLevels.find((one) => one === level);
  if (known) return known;
  const message = `the level is ${shown(level)}; it must be one of ${privilegeLevels.join(', ')}.`;
  throw new BerthError('invalid_value', message, 'the level');
}

async function grantNamed(context: Context, level: PrivilegeLevel, names: ObjectNames): Promise<Grant> {
  const target = targetOf(level);
  const need = (option: keyof ObjectNames): string => {
    const name = names[option];
    if (name !== undefined) return name;
    throw new BerthError('invalid_value', `${level} is held on something; name it with --${option}.`, `--${option}`);
  };
  if (target === 'cluster') return { level };
  const account = await findAccount(context, need('account'));
  if (target === 'account') return { level, accountId: account.id };
  const groupName = need('group');
  const group = await findGroup(context.database, { accountId: account.id, name: groupName });
  if (!group) throw unknownName('group', groupName);
  if (target === 'group') return { level, accountId: account.id, groupId: group.id };
  const vmName = need('vm');
  const vm = await findVm(context.database, { groupId: group.id, name: vmName });
  if (!vm) throw unknownName('VM', vmName);
  return { level, accountId: account.id, groupId: group.id, instanceId: vm.id };
}
