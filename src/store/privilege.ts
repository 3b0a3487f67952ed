// Privileges, and where the objects stand that they are held on.

import { sql } from 'kysely';
import type { Grant, PrivilegeLevel } from '../model/privilege.ts';
import type { PrivilegeTerms } from '../model/privilege-terms.ts';
import type { Database, Tx } from './database.ts';

/** A thing that a privilege names. */
interface Named<Id> {
  id: Id;
  number: bigint;
  name: string;
}

/** A privilege with the names of whom and what it concerns; of the objects also those that its own is in. */
export interface PrivilegeRow extends PrivilegeTerms {
  id: bigint;
  level: PrivilegeLevel;
  user: Named<string>;
  account: Named<string> | null;
  group: Named<bigint> | null;
  vm: Named<string> | null;
  apiKey: { id: string; number: bigint } | null;
  grantedBy: string | null;
}

/** Which privileges; each field leaves some out. */
export interface PrivilegeFilter {
  id?: bigint;
  userId?: string;
  /** Held by this key; null for those that users' sessions hold. */
  apiKeyId?: string | null;
  /** Held on one of these accounts or on anything in them. */
  inAccounts?: readonly string[];
  /** Held on this account itself, and not on what is in it; likewise the next two. */
  onAccount?: string;
  onGroup?: bigint;
  onInstance?: string;
  /** A user's own, with those in some accounts. */
  ofUserOrIn?: { userId: string | null; accountIds: readonly string[] };
  /** Granted after this one, and at most so many. */
  after?: bigint;
  limit?: number;
}

/** Privileges in the order in which they were granted. What is held on a VM that is gone is not among them. */
export async function listPrivileges(database: Database, filter: PrivilegeFilter): Promise<PrivilegeRow[]> {
  let query = database
    .selectFrom('privilege')
    .innerJoin('privilege_place as place', 'place.privilege_id', 'privilege.id')
    .innerJoin('user', 'user.id', 'privilege.user_id')
    .leftJoin('account', 'account.id', 'place.account_id')
    .leftJoin('group', 'group.id', 'place.group_id')
    .leftJoin('instance', 'instance.id', 'place.instance_id')
    .leftJoin('api_key', 'api_key.id', 'privilege.api_key_id');
  const { id, userId, apiKeyId, inAccounts, onAccount, onGroup, onInstance, ofUserOrIn, after, limit } = filter;
  if (id !== undefined) query = query.where('privilege.id', '=', id);
  if (userId !== undefined) query = query.where('privilege.user_id', '=', userId);
  if (apiKeyId === null) query = query.where('privilege.api_key_id', 'is', null);
  else if (apiKeyId !== undefined) query = query.where('privilege.api_key_id', '=', apiKeyId);
  if (inAccounts !== undefined) query = query.where(sql<boolean>`place.account_id = any(${[...inAccounts]}::uuid[])`);
  if (onAccount !== undefined) query = query.where('privilege.account_id', '=', onAccount);
  if (onGroup !== undefined) query = query.where('privilege.group_id', '=', onGroup);
  if (onInstance !== undefined) query = query.where('privilege.instance_id', '=', onInstance);
  if (ofUserOrIn !== undefined) {
    const { userId: own, accountIds } = ofUserOrIn;
    query = query.where(
      sql<boolean>`(privilege.user_id = ${own}::uuid or place.account_id = any(${[...accountIds]}::uuid[]))`,
    );
  }
  if (after !== undefined) query = query.where('privilege.id', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  const rows = await query
    .select(['privilege.id', 'level', 'password_required', 'second_factor_required', 'second_factor_age_seconds_max'])
    .select(['from_addresses', 'granted_by'])
    .select(['user.id as user_id', 'user.number as user_number', 'username'])
    .select(['account.id as account_id', 'account.number as account_number', 'account.name as account_name'])
    .select(['group.id as group_id', 'group.name as group_name'])
    .select(['instance.id as instance_id', 'instance.number as instance_number', 'instance.name as instance_name'])
    .select(['api_key.id as api_key_id', 'api_key.number as api_key_number'])
    .orderBy('privilege.id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    level: row.level,
    user: { id: row.user_id, number: row.user_number, name: row.username },
    account: named(row.account_id, row.account_number, row.account_name),
    group: named(row.group_id, row.group_id, row.group_name),
    vm: named(row.instance_id, row.instance_number, row.instance_name),
    apiKey: row.api_key_id === null ? null : { id: row.api_key_id, number: row.api_key_number as bigint },
    passwordRequired: row.password_required,
    secondFactorRequired: row.second_factor_required,
    secondFactorAgeSecondsMax: row.second_factor_age_seconds_max,
    fromAddresses: row.from_addresses,
    grantedBy: row.granted_by,
  }));
}

function named<Id>(id: Id | null, number: bigint | null, name: string | null): Named<Id> | null {
  return id === null || number === null || name === null ? null : { id, number, name };
}

/** What a privilege grants. */
export function grantOf({ level, account, group, vm }: PrivilegeRow): Grant {
  return {
    level,
    ...(account ? { accountId: account.id } : {}),
    ...(group ? { groupId: group.id } : {}),
    ...(vm ? { instanceId: vm.id } : {}),
  };
}

/** A privilege as it is written: with its own object alone. */
export interface NewPrivilege extends PrivilegeTerms {
  userId: string;
  grant: Grant;
  apiKeyId: string | null;
  grantedBy: string | null;
  createdAt: Date;
}

/** Writes a privilege. @returns its id, or undefined when the same is held already */
export async function insertPrivilege(tx: Tx, { grant, ...row }: NewPrivilege): Promise<bigint | undefined> {
  const written = await tx
    .insertInto('privilege')
    .values({
      user_id: row.userId,
      level: grant.level,
      account_id: grant.accountId ?? null,
      group_id: grant.groupId ?? null,
      instance_id: grant.instanceId ?? null,
      api_key_id: row.apiKeyId,
      password_required: row.passwordRequired,
      second_factor_required: row.secondFactorRequired,
      second_factor_age_seconds_max: row.secondFactorAgeSecondsMax,
      from_addresses: row.fromAddresses && [...row.fromAddresses],
      granted_by: row.grantedBy,
      created_at: row.createdAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return written?.id;
}

/** Changes the terms of a privilege. */
export async function updateTerms(tx: Tx, id: bigint, terms: Partial<PrivilegeTerms>): Promise<void> {
  const { secondFactorRequired, secondFactorAgeSecondsMax, fromAddresses } = terms;
  const values = {
    ...(secondFactorRequired === undefined ? {} : { second_factor_required: secondFactorRequired }),
    ...(secondFactorAgeSecondsMax === undefined ? {} : { second_factor_age_seconds_max: secondFactorAgeSecondsMax }),
    ...(fromAddresses === undefined ? {} : { from_addresses: fromAddresses && [...fromAddresses] }),
  };
  if (Object.keys(values).length > 0) await tx.updateTable('privilege').set(values).where('id', '=', id).execute();
}

/** Takes a privilege away. */
export async function deletePrivilege(tx: Tx, id: bigint): Promise<void> {
  await tx.deleteFrom('privilege').where('id', '=', id).execute();
}

/** Takes all privileges on a VM away, those of API keys, too. */
export async function deleteVmPrivileges(tx: Tx, instanceId: string): Promise<void> {
  await tx.deleteFrom('privilege').where('instance_id', '=', instanceId).execute();
}

/** Forgets privileges on VMs that are gone for good. */
export async function forgetPrivileges(database: Database): Promise<void> {
  await database
    .deleteFrom('privilege')
    .where('instance_id', 'in', (eb) => eb.selectFrom('instance').where('status', '=', 'deleted').select('instance.id'))
    .execute();
}
