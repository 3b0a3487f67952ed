// Images that accounts have beside the catalog. Instances keep copies of what they were made of, so nothing refers to a row here.

import { type Selectable, sql } from 'kysely';
import type { ImageFormat, OwnImageState } from '../model/own-image.ts';
import type { Database, Tx } from './database.ts';
import type { Tables } from './tables.ts';

/** An account's own image. */
export interface OwnImageRow {
  id: string;
  accountId: string;
  name: string;
  distribution: string;
  username: string;
  url: string;
  sha256: string;
  format: ImageFormat | null;
  state: OwnImageState;
  reason: string | null;
  createdAt: Date;
  updatedAt: Date;
}

const toRow = (row: Selectable<Tables['own_image']>): OwnImageRow => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  distribution: row.distribution,
  username: row.username,
  url: row.url,
  sha256: row.sha256,
  format: row.format,
  state: row.state,
  reason: row.reason,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** One own image, by its id, or by its name in an account. */
export async function findOwnImage(
  database: Database,
  by: { id: string } | { accountId: string; name: string },
): Promise<OwnImageRow | undefined> {
  const query = database.selectFrom('own_image').selectAll();
  const row = await ('id' in by
    ? query.where('id', '=', by.id)
    : query.where('account_id', '=', by.accountId).where('name', '=', by.name)
  ).executeTakeFirst();
  return row && toRow(row);
}

/** Makes changes of an account's images wait for one another; what refers to the account does not wait. @returns how many it has */
export async function lockOwnImages(tx: Tx, accountId: string): Promise<number> {
  await sql`select from account where id = ${accountId}::uuid for no key update`.execute(tx);
  const { count } = await tx
    .selectFrom('own_image')
    .where('account_id', '=', accountId)
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Writes an image that is to be looked at, at once; the caller has seen that its name is new to the account. */
export async function insertOwnImage(
  tx: Tx,
  image: Omit<OwnImageRow, 'state' | 'reason' | 'updatedAt'>,
): Promise<OwnImageRow> {
  const { id, accountId, name, distribution, username, url, sha256, format, createdAt } = image;
  const row = await tx
    .insertInto('own_image')
    .values({
      ...{ id, account_id: accountId, name, distribution, username, url, sha256, format },
      ...{ check_at: createdAt, created_at: createdAt, updated_at: createdAt },
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toRow(row);
}

/** Gives an image another name, which the caller has seen to be free. @returns undefined where it is not there any more */
export async function renameOwnImage(tx: Tx, id: string, name: string, now: Date): Promise<OwnImageRow | undefined> {
  const row = await tx
    .updateTable('own_image')
    .set({ name, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  return row && toRow(row);
}

/** Removes an image. @returns whether it was there */
export async function deleteOwnImage(tx: Tx, id: string): Promise<boolean> {
  const { numDeletedRows } = await tx.deleteFrom('own_image').where('id', '=', id).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** An image whose turn it is to be looked at. */
export interface DueImage {
  id: string;
  accountId: string;
  name: string;
  url: string;
  format: ImageFormat | null;
  /** How often it was begun with, this time among them. */
  checks: number;
}

/** Takes images that are to be looked at now. Should whoever takes them die, they are due again at `until`. */
export async function takeDueImages(
  database: Database,
  { now, until, limit }: { now: Date; until: Date; limit: number },
): Promise<DueImage[]> {
  const { rows } = await sql<{
    id: string;
    account_id: string;
    name: string;
    url: string;
    format: ImageFormat | null;
    checks: number;
  }>`
    update own_image set check_at = ${until}::timestamptz, checks = checks + 1
    where id in (select id from own_image where check_at <= ${now}::timestamptz order by check_at limit ${limit}
      for update skip locked)
    returning id, account_id, name, url, format, checks`.execute(database);
  return rows.map(({ account_id: accountId, ...row }) => ({ ...row, accountId }));
}

/**
 * Notes what came of looking at an image, unless somebody else was told to look since.
 * @param found with a moment, it is looked at once more then
 * @returns whether it was noted
 */
export async function noteChecked(
  tx: Tx,
  { id, checks }: Pick<DueImage, 'id' | 'checks'>,
  found: { format: ImageFormat | null; reason: string | null; again: Date | null },
  now: Date,
): Promise<boolean> {
  const state = found.again ? 'checking' : found.reason === null ? 'ready' : 'failed';
  const { numUpdatedRows } = await tx
    .updateTable('own_image')
    .set({ state, reason: found.reason, format: found.format, check_at: found.again, updated_at: now })
    .where('id', '=', id)
    .where('checks', '=', checks)
    .where('state', '=', 'checking')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** An image of the catalog, or somebody's own, in one list. */
export interface AnyImageRow {
  /** In the form that catalog images have: 32 hexadecimal digits. */
  id: string;
  /** Null for one of the catalog. */
  accountId: string | null;
  slug: string;
  name: string;
  distribution: string;
  username: string;
  url: string | null;
  builtAs: string | null;
  sha256: string | null;
  format: ImageFormat | null;
  state: OwnImageState;
  reason: string | null;
  createdAt: Date;
  updatedAt: Date;
}

/** Which images are asked for. */
export interface ImageFilter {
  /** Whose own images are among them. */
  accounts: 'all' | readonly string[];
  catalog: boolean;
  state?: OwnImageState | undefined;
  /** By its id in the list's form, or its slug. */
  only?: string;
  limit: number;
  /** The place in the list to begin after: whether that is an own image, its slug and its id. */
  after: { own: boolean; slug: string; id: string } | null;
}

/** Images: the catalog first, then accounts' own, each by slug and id. */
export async function listAnyImages(database: Database, filter: ImageFilter): Promise<AnyImageRow[]> {
  const { accounts, catalog, state, only, limit, after } = filter;
  const ofAccounts = accounts === 'all' ? sql`true` : sql`account_id = any(${[...accounts]}::uuid[])`;
  const { rows } = await sql<AnyImageRow>`
    select * from (
      select id, null as "accountId", slug, name, distribution, username, download_url as url, built_as as "builtAs",
        null as sha256, null as format, 'ready' as state, null as reason, created_at as "createdAt", updated_at as "updatedAt",
        false as own
      from image where ${catalog}
      union all
      select replace(id::text, '-', ''), account_id::text, 'own:' || name, name, distribution, username, url, null,
        sha256, format, state, reason, created_at, updated_at, true
      from own_image where ${ofAccounts}
    ) as listed
    where (${state ?? null}::text is null or state = ${state ?? null})
      and (${only ?? null}::text is null or ${only ?? null} in (id, slug))
      and (${after === null} or (own, slug, id) > (${after?.own ?? false}, ${after?.slug ?? ''}, ${after?.id ?? ''}))
    order by own, slug, id limit ${limit}`.execute(database);
  return rows;
}
