// Privileges as they are shown, and how a request says what is to be granted.

import Type, { type Static } from 'typebox';
import { reachAccount, reachGroup, reachVm } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import type { PrivilegeRow } from '../../app/privilege.ts';
import { BerthError, InvalidFields } from '../../model/errors.ts';
import {
  type Grant,
  type PrivilegeLevel,
  type PrivilegeTarget,
  privilegeLevels,
  targetOf,
} from '../../model/privilege.ts';
import { AccountRef, accountRef } from './account.ts';
import { Id, readId, toId } from './id.ts';
import { Nullable, OneOf, Shape, Text, Whole } from './shape.ts';
import { toUserRef, UserRefSchema } from './user-ref.ts';

/** A year; what is longer is meant to be for ever. */
const ageSecondsMax = 366 * 24 * 60 * 60;

/** The terms of a privilege that can be changed. */
export const terms = {
  secondFactorRequired: Type.Boolean({
    description: 'Whether it holds only in sessions with a second factor',
    examples: [false],
  }),
  secondFactorAgeSecondsMax: Nullable(
    Whole(3600, 'How old that may be; null for any age', { minimum: 1, maximum: ageSecondsMax }),
  ),
  fromAddresses: Nullable(
    Type.Array(Text('192.0.2.0/24', undefined, { maxLength: 100 }), {
      description: 'Addresses and ranges from which it holds; null for everywhere',
      maxItems: 50,
      examples: [['192.0.2.0/24']],
    }),
  ),
};

/** A privilege. */
export const PrivilegeSchema = Shape(
  'Privilege',
  {
    id: Id('privilege'),
    user: UserRefSchema,
    level: OneOf(privilegeLevels, 'What may be done; each level holds for what is below its object, too'),
    account: Nullable(Id('account', 'What it is held on, or what that is in')),
    group: Nullable(Id('group')),
    instance: Nullable(Id('instance')),
    targetName: Nullable(Text('web', 'What the account, group or VM that it is held on is called')),
    apiKey: Nullable(Id('apiKey', "The user's key that holds it in place of the user's sessions")),
    ...terms,
    grantedBy: Nullable(Text('root', 'The username of who granted it')),
  },
  'What a user may do, and on what',
);

/** A privilege as it is shown. */
export const toPrivilege = (row: PrivilegeRow): Static<typeof PrivilegeSchema> => ({
  id: toId('privilege', row.id),
  user: toUserRef({ id: row.user.id, username: row.user.name }),
  level: row.level,
  account: row.account && toId('account', row.account.id),
  group: row.group && toId('group', row.group.id),
  instance: row.vm && toId('instance', row.vm.id),
  targetName: (row.vm ?? row.group ?? row.account)?.name ?? null,
  apiKey: row.apiKey && toId('apiKey', row.apiKey.id),
  secondFactorRequired: row.secondFactorRequired,
  secondFactorAgeSecondsMax: row.secondFactorAgeSecondsMax,
  fromAddresses: row.fromAddresses && [...row.fromAddresses],
  grantedBy: row.grantedBy,
});

/** What a request says of a level and what it is to be held on. */
export const grantFields = {
  level: OneOf(
    privilegeLevels,
    'vm_… is held on a VM, group_… on a group, account_… on an account, cluster_… on everything',
  ),
  account: Type.Optional(AccountRef('Of a level of accounts')),
  group: Type.Optional(Id('group', 'Of a level of groups')),
  instance: Type.Optional(Id('instance', 'Of a level of VMs')),
};
export const NewGrant = Shape('NewGrant', grantFields);

/** What a request asks to be granted. */
export interface GrantBody {
  level: PrivilegeLevel;
  account?: string;
  group?: string;
  instance?: string;
}

const fieldOf: Record<PrivilegeTarget, 'account' | 'group' | 'instance' | null> = {
  cluster: null,
  account: 'account',
  group: 'group',
  virtual_machine: 'instance',
};

/**
 * The grant of a level on the object that a request names. What the caller can't see is as good as none.
 * @throws BerthError `invalid_value`, `not_found`
 */
export async function readGrant(context: Context, caller: Caller, body: GrantBody): Promise<Grant> {
  const { level } = body;
  const target = targetOf(level);
  const field = fieldOf[target];
  for (const other of ['account', 'group', 'instance'] as const) {
    if (other === field || body[other] === undefined) continue;
    const message = `${other} is given, but ${level} is held on ${field === null ? 'everything' : `one ${field}`}; leave it out.`;
    throw new BerthError('invalid_value', message, other);
  }
  if (field === null) return { level };
  const ref = body[field];
  if (ref === undefined) throw new BerthError('invalid_value', `${field} is missing; ${level} is held on one.`, field);
  return named(field, () => placeOf(context, caller, field, ref)).then((place) => ({ level, ...place }));
}

async function placeOf(
  context: Context,
  caller: Caller,
  field: 'account' | 'group' | 'instance',
  ref: string,
): Promise<Omit<Grant, 'level'>> {
  if (field === 'account') {
    return { accountId: (await reachAccount(context, caller, accountRef(ref), 'see')).account.id };
  }
  if (field === 'group') {
    const { account, group } = await reachGroup(context, caller, { group: readId('group', ref, field) }, 'see');
    return { accountId: account.id, groupId: group.id };
  }
  const { account, group, vm } = await reachVm(context, caller, { id: readId('instance', ref, field) }, 'see');
  return { accountId: account.id, groupId: group.id, instanceId: vm.id };
}

/** Says of what is not there which field has named it. */
export async function named<Result>(field: string, find: () => Promise<Result>): Promise<Result> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof BerthError && error.code === 'not_found')) throw error;
    throw new BerthError('not_found', error.message, field);
  }
}

/** The grants of a list in a request; what is wrong with one says which it is. */
export async function readGrants(
  context: Context,
  caller: Caller,
  bodies: readonly GrantBody[],
  field: string,
): Promise<Grant[]> {
  const grants: Grant[] = [];
  for (const [index, body] of bodies.entries()) {
    grants.push(await inPart(`${field}[${index}]`, () => readGrant(context, caller, body)));
  }
  return grants;
}

/** Says of what is wrong with a part of a request where that part is. @param part such as `privileges[0]` */
export async function inPart<Result>(part: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BerthError)) throw error;
    if (!(error instanceof InvalidFields)) {
      throw new BerthError(error.code, error.message, error.subject === undefined ? part : `${part}.${error.subject}`);
    }
    const [, field = '', index = '0'] = /^(\w+)\[(\d+)\]$/.exec(part) ?? [];
    throw new InvalidFields({ [field]: [...Array(Number(index)).fill({}), error.fields] });
  }
}
