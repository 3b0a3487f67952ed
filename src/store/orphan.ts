// What hosts have and nobody owns. It is shown and its address kept from others; nothing here ends it.

import type { Selectable } from 'kysely';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

/** Something on a host that no assignment explains. */
export interface OrphanRow {
  instanceId: string;
  hostId: string;
  state: string;
  address: string | null;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
}

/** Notes orphans that a host reported. */
export async function writeOrphans(database: Database, orphans: readonly OrphanRow[], now: Date): Promise<void> {
  for (const orphan of orphans) {
    const columns = {
      host_id: orphan.hostId,
      state: orphan.state,
      ip: orphan.address,
      vcpus: orphan.vcpus,
      memory_mib: orphan.memoryMib,
      disk_gib: orphan.diskGib,
      seen_at: now,
    };
    await database
      .insertInto('orphan')
      .values({ instance_id: orphan.instanceId, ...columns })
      .onConflict((conflict) => conflict.column('instance_id').doUpdateSet(columns))
      .execute();
  }
}

/** Forgets a host's orphans except those it still has. @returns how many were forgotten */
export async function keepOnlyOrphans(
  database: Database,
  hostId: string,
  instanceIds: readonly string[],
): Promise<number> {
  let query = database.deleteFrom('orphan').where('host_id', '=', hostId);
  if (instanceIds.length > 0) query = query.where('instance_id', 'not in', instanceIds);
  return Number((await query.executeTakeFirst()).numDeletedRows);
}

/** All orphans of all hosts. */
export async function listOrphans(database: Database): Promise<OrphanRow[]> {
  const rows = await database.selectFrom('orphan').selectAll().orderBy('instance_id').execute();
  return rows.map(toOrphan);
}

const toOrphan = (row: Selectable<Tables['orphan']>): OrphanRow => ({
  instanceId: row.instance_id,
  hostId: row.host_id,
  state: row.state,
  address: row.ip,
  vcpus: row.vcpus,
  memoryMib: row.memory_mib,
  diskGib: row.disk_gib,
});

/** What one host has and nobody owns, with when it was last seen. */
export async function listOrphansOf(database: Database, hostId: string): Promise<(OrphanRow & { seenAt: Date })[]> {
  const rows = await database
    .selectFrom('orphan')
    .where('host_id', '=', hostId)
    .selectAll()
    .orderBy('instance_id')
    .execute();
  return rows.map((row) => ({ ...toOrphan(row), seenAt: row.seen_at }));
}
