// The sizes that are sold.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { Tx } from './database.ts';

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
