// What hosts have and nobody owns. It is shown and its address kept from others; nothing ends it but an operator's order.

import { type Selectable, sql } from 'kysely';
import type { Database, Tx } from './database.ts';
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
  /** The newest order that the host has about it; 0 where it has none. */
  generation: number;
}

/** An orphan with what was ordered about it. */
export interface SeenOrphan extends OrphanRow {
  seenAt: Date;
  /** Whether its host was told to remove it. */
  removing: boolean;
}

/** Notes orphans that a host reported. An order to remove one stays newer than whatever the host has. */
export async function writeOrphans(database: Database, orphans: readonly OrphanRow[], now: Date): Promise<void> {
  for (const orphan of orphans) {
    const columns = {
      host_id: orphan.hostId,
      state: orphan.state,
      ip: orphan.address,
      vcpus: orphan.vcpus,
      memory_mib: orphan.memoryMib,
      disk_gib: orphan.diskGib,
      generation: orphan.generation,
      seen_at: now,
    };
    await database
      .insertInto('orphan')
      .values({ instance_id: orphan.instanceId, ...columns })
      .onConflict((conflict) =>
        conflict.column('instance_id').doUpdateSet({
          ...columns,
          // What one host was told is no order to another.
          removal_generation: sql`case when orphan.host_id = excluded.host_id then
            case when orphan.removal_generation < excluded.generation then excluded.generation + 1
            else orphan.removal_generation end end`,
          removal_revision: sql`case when orphan.host_id = excluded.host_id then orphan.removal_revision end`,
        }),
      )
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

/** Forgets orphans that their host has erased. @returns those that it was told to */
export async function forgetOrphans(tx: Tx, hostId: string, instanceIds: readonly string[]): Promise<string[]> {
  if (instanceIds.length === 0) return [];
  const rows = await tx
    .deleteFrom('orphan')
    .where('host_id', '=', hostId)
    .where('instance_id', 'in', instanceIds)
    .returning(['instance_id', 'removal_generation'])
    .execute();
  return rows.flatMap((row) => (row.removal_generation === null ? [] : [row.instance_id]));
}

/** Which orphans are asked for; what is undefined excludes none. */
export interface OrphanFilter {
  hostId?: string | undefined;
  instanceId?: string | undefined;
  /** The one that they come after. */
  after?: string | undefined;
  limit?: number | undefined;
}

/** Orphans, by id. */
export async function listOrphans(database: Database, filter: OrphanFilter = {}): Promise<SeenOrphan[]> {
  const { hostId, instanceId, after, limit } = filter;
  let query = database.selectFrom('orphan').selectAll().orderBy('instance_id');
  if (hostId !== undefined) query = query.where('host_id', '=', hostId);
  if (instanceId !== undefined) query = query.where('instance_id', '=', instanceId);
  if (after !== undefined) query = query.where('instance_id', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  return (await query.execute()).map(toOrphan);
}

const toOrphan = (row: Selectable<Tables['orphan']>): SeenOrphan => ({
  instanceId: row.instance_id,
  hostId: row.host_id,
  state: row.state,
  address: row.ip,
  vcpus: row.vcpus,
  memoryMib: row.memory_mib,
  diskGib: row.disk_gib,
  generation: row.generation,
  seenAt: row.seen_at,
  removing: row.removal_generation !== null,
});

/**
 * Orders an orphan away from its host, whose row the caller holds and whose new revision he brings.
 * @returns false where it is not there any more
 */
export async function orderRemoval(
  tx: Tx,
  { instanceId, hostId, revision }: { instanceId: string; hostId: string; revision: bigint },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('orphan')
    .set((eb) => ({ removal_generation: eb('generation', '+', 1), removal_revision: revision }))
    .where('instance_id', '=', instanceId)
    .where('host_id', '=', hostId)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** The orders to remove orphans that a host was given after a revision. What is assigned meanwhile is no orphan. */
export async function listRemovals(
  database: Database,
  hostId: string,
  afterRevision: bigint,
): Promise<{ instanceId: string; generation: number }[]> {
  const rows = await database
    .selectFrom('orphan')
    .where('host_id', '=', hostId)
    .where('removal_revision', '>', afterRevision)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('assignment').whereRef('assignment.instance_id', '=', 'orphan.instance_id').select('host_id'),
        ),
      ),
    )
    .select(['instance_id', 'removal_generation'])
    .execute();
  return rows.map((row) => ({ instanceId: row.instance_id, generation: row.removal_generation ?? 1 }));
}
