// Reads what the checker looks at, all from one moment.

import type { Facts } from '../model/drift.ts';
import type { Database } from './database.ts';
import { listOrphans } from './orphan.ts';

/** The facts of one moment. Deleted instances are left out, except those that something still refers to. */
export async function readFacts(database: Database): Promise<Facts> {
  return database
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const instances = await tx
        .selectFrom('instance')
        .leftJoin('assignment', 'assignment.instance_id', 'instance.id')
        .leftJoin('disk', (join) => join.onRef('disk.instance_id', '=', 'instance.id').on('disk.boot', '=', true))
        .where((eb) => eb.or([eb('status', '!=', 'deleted'), eb('assignment.instance_id', 'is not', null)]))
        .select([
          'instance.id',
          'status',
          'status_reason',
          'name',
          'deployment_id',
          'instance.host_id',
          'vcpus',
          'memory_mib',
          'size_gib',
        ])
        .execute();
      const assignments = await tx.selectFrom('assignment').selectAll().execute();
      const addresses = await tx.selectFrom('address').selectAll().execute();
      const hosts = await tx
        .selectFrom('host')
        .leftJoin('host_health', 'host_health.host_id', 'host.id')
        .select(['host.id', 'vcpus_used', 'memory_mib_used', 'disk_gib_used', 'strays'])
        .execute();
      const names = await tx.selectFrom('instance_name').select(['name', 'deployment_id']).execute();
      return {
        instances: instances.map((row) => ({
          id: row.id,
          status: row.status,
          statusReason: row.status_reason,
          name: row.name,
          deploymentId: row.deployment_id,
          hostId: row.host_id,
          vcpus: row.vcpus,
          memoryMib: row.memory_mib,
          diskGib: row.size_gib,
        })),
        assignments: assignments.map((row) => ({
          instanceId: row.instance_id,
          hostId: row.host_id,
          desired: row.desired,
          generation: row.generation,
          observedGeneration: row.observed_generation,
          observedState: row.observed_state,
        })),
        addresses: addresses.map((row) => ({ ip: row.ip, instanceId: row.instance_id, orphanId: row.orphan_id })),
        hosts: hosts.map((row) => ({
          id: row.id,
          vcpusUsed: row.vcpus_used,
          memoryMibUsed: row.memory_mib_used,
          diskGibUsed: row.disk_gib_used,
          strays: row.strays ?? [],
        })),
        orphans: await listOrphans(tx),
        names: names.map((row) => ({ name: row.name, deploymentId: row.deployment_id })),
      };
    });
}
