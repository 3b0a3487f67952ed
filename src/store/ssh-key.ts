// The public SSH keys that an account has registered. Instances keep copies of the keys they were deployed with, so nothing
// refers to a row here.

import { sql } from 'kysely';
import type { Database, Tx } from './database.ts';
import type { Tables } from './tables.ts';

/** A registered key. */
export interface SshKeyRow {
  id: string;
  name: string;
  fingerprint: string;
  algorithm: string;
  comment: string;
  publicKey: string;
  createdAt: Date;
}

const columns = ['id', 'name', 'fingerprint', 'algorithm', 'comment', 'public_key', 'created_at'] as const;

const toRow = ({
  public_key: publicKey,
  created_at: createdAt,
  ...row
}: Omit<Tables['ssh_key'], 'account_id'>): SshKeyRow => ({
  ...row,
  publicKey,
  createdAt,
});

/** An account's keys, oldest first. */
export async function listSshKeys(
  database: Database,
  accountId: string,
  window: { limit: number; offset: number },
): Promise<SshKeyRow[]> {
  const rows = await database
    .selectFrom('ssh_key')
    .where('account_id', '=', accountId)
    .select(columns)
    .orderBy('created_at')
    .orderBy('id')
    .limit(window.limit)
    .offset(window.offset)
    .execute();
  return rows.map(toRow);
}

/** One key, and whose it is. */
export async function findSshKey(
  database: Database,
  id: string,
): Promise<{ accountId: string; key: SshKeyRow } | undefined> {
  const row = await database
    .selectFrom('ssh_key')
    .where('id', '=', id)
    .select([...columns, 'account_id'])
    .executeTakeFirst();
  if (!row) return undefined;
  const { account_id: accountId, ...key } = row;
  return { accountId, key: toRow(key) };
}

/** Those of an account's keys that bear one of these names or fingerprints. */
export async function findSshKeys(
  database: Database,
  accountId: string,
  given: readonly string[],
): Promise<SshKeyRow[]> {
  if (given.length === 0) return [];
  const rows = await database
    .selectFrom('ssh_key')
    .where('account_id', '=', accountId)
    .where((eb) => eb.or([eb('name', 'in', given), eb('fingerprint', 'in', given)]))
    .select(columns)
    .execute();
  return rows.map(toRow);
}

/** Makes changes of an account's keys wait for one another; what refers to the account does not wait. @returns how many keys it has */
export async function lockSshKeys(tx: Tx, accountId: string): Promise<number> {
  await sql`select from account where id = ${accountId}::uuid for no key update`.execute(tx);
  const { count } = await tx
    .selectFrom('ssh_key')
    .where('account_id', '=', accountId)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Writes a key; the caller has seen that its name and its fingerprint are new to the account. */
export async function insertSshKey(tx: Tx, accountId: string, row: SshKeyRow): Promise<void> {
  const { publicKey, createdAt, ...rest } = row;
  await tx
    .insertInto('ssh_key')
    .values({ ...rest, account_id: accountId, public_key: publicKey, created_at: createdAt })
    .execute();
}

/** Removes a key. @returns its name, or undefined when the account has no such key */
export async function deleteSshKey(tx: Tx, accountId: string, fingerprint: string): Promise<string | undefined> {
  const row = await tx
    .deleteFrom('ssh_key')
    .where('account_id', '=', accountId)
    .where('fingerprint', '=', fingerprint)
    .returning('name')
    .executeTakeFirst();
  return row?.name;
}
