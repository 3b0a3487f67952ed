// Changes what a VM has, with the locks that such a change takes and nothing else of it: what the ledger makes of that.

import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Context } from '../../src/app/context.ts';
import { repriceVms } from '../../src/app/vm-price.ts';
import { inTransaction, type Tx } from '../../src/store/database.ts';
import { bumpRevisions } from '../../src/store/host.ts';
import { findInstances } from '../../src/store/instance.ts';

/** What becomes of a VM; what is left out stays. */
export interface VmChange {
  vcpus?: number;
  memoryMib?: number;
  /** One disk more. */
  disk?: { label: string; grade: string; sizeMib: number };
  /** One additional address more. */
  address?: string;
  status?: 'soft-deleted' | 'active';
}

/** Changes VMs in one transaction, with their prices. */
export async function changeVms(context: Context, changes: ReadonlyMap<string, VmChange>): Promise<void> {
  const ids = [...changes.keys()];
  await inTransaction(context.database, async (tx) => {
    const found = await findInstances(tx, null, ids, { lock: false });
    await bumpRevisions(
      tx,
      found.map(({ hostId }) => hostId),
    );
    for (const { id } of await findInstances(tx, null, ids, { lock: true })) await write(tx, id, changes.get(id) ?? {});
    await repriceVms(context, tx, ids, 'key:test');
  });
}

async function write(tx: Tx, id: string, { vcpus, memoryMib, disk, address, status }: VmChange): Promise<void> {
  const diskGib = disk ? Math.ceil(disk.sizeMib / 1024) : 0;
  await sql`
    with before as (select * from assignment where instance_id = ${id}), after as (
      update assignment set vcpus = coalesce(${vcpus ?? null}::int, vcpus),
        memory_mib = coalesce(${memoryMib ?? null}::int, memory_mib), disk_gib = disk_gib + ${diskGib}::int
      where instance_id = ${id} returning *
    )
    update host set vcpus_used = vcpus_used + after.vcpus - before.vcpus,
      memory_mib_used = memory_mib_used + after.memory_mib - before.memory_mib, disk_gib_used = disk_gib_used + ${diskGib}::int
    from before, after where host.id = after.host_id`.execute(tx);
  if (disk) {
    const row = { id: randomUUID(), instance_id: id, label: disk.label, grade: disk.grade, size_mib: disk.sizeMib };
    const position = sql<number>`(select max(position) + 1 from disk where instance_id = ${id})`;
    await tx
      .insertInto('disk')
      .values({ ...row, position, storage_type: 'SSD' })
      .execute();
  }
  if (address) await tx.insertInto('address').values({ ip: address, instance_id: id, additional: true }).execute();
  if (status) {
    await tx.updateTable('instance').set({ status }).where('id', '=', id).execute();
    const desired = status === 'active' ? 'running' : 'off';
    await tx.updateTable('assignment').set({ desired }).where('instance_id', '=', id).execute();
  }
}
