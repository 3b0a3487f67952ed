// The sizes that are sold.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { Database, Tx } from './database.ts';

/** Puts configurations on sale where none is at all. */
export async function seedConfigurations(
  tx: Tx,
  configurations: readonly { slug: string; size: Size }[],
  now: Date,
): Promise<void> {
  const rows = configurations.map(({ slug, size }) => ({ slug, ...size }));
  await sql`
    insert into configuration (slug, vcpus, memory_mib, disk_gib, created_at)
    select slug, vcpus, "memoryMib", "diskGib", ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (slug text, vcpus int, "memoryMib" int, "diskGib" int)
    where not exists (select 1 from configuration)
    on conflict do nothing`.execute(tx);
}

/** Puts a configuration on sale. @returns false when it is on sale already */
export async function insertConfiguration(tx: Tx, slug: string, size: Size, now: Date): Promise<boolean> {
  const written = await tx
    .insertInto('configuration')
    .values({ slug, vcpus: size.vcpus, memory_mib: size.memoryMib, disk_gib: size.diskGib, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('slug')
    .executeTakeFirst();
  return written !== undefined;
}

/** Keeps everybody else from changing what is sold until the transaction ends. @returns the slugs on sale */
export async function lockConfigurations(tx: Tx): Promise<string[]> {
  await tx.selectFrom('catalog_change').select('only_row').forUpdate().execute();
  return (await tx.selectFrom('configuration').select('slug').execute()).map(({ slug }) => slug);
}

/** Takes a configuration off the market. */
export async function deleteConfiguration(tx: Tx, slug: string): Promise<void> {
  await tx.deleteFrom('configuration').where('slug', '=', slug).execute();
}

/** Every configuration that is sold, with its size. */
export async function listConfigurations(database: Database): Promise<{ slug: string; size: Size }[]> {
  const rows = await database.selectFrom('configuration').selectAll().execute();
  return rows.map(({ slug, vcpus, memory_mib, disk_gib }) => {
    return { slug, size: { vcpus, memoryMib: memory_mib, diskGib: disk_gib } };
  });
}
