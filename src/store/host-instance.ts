// What a host has been told to run, beside what it said of it.

import { sql } from 'kysely';
import type { Desired } from '../model/assignment.ts';
import type { InstanceStatus } from '../model/instance.ts';
import type { Database } from './database.ts';

/** An instance that a host holds something of. */
export interface HostInstanceRow {
  id: string;
  accountId: string;
  kind: 'vm' | 'container';
  name: string;
  status: InstanceStatus;
  /** What it takes of its host. */
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  slotId: string | null;
  desired: Desired;
  generation: number;
  /** What the host last said: of which order, and in which state it found the instance. */
  observedGeneration: number;
  observedState: string | null;
  observedAt: Date | null;
  restarts: number;
}

/** The instances that a host holds something of, by their ids. @param after the last one of the page before */
export async function listHostInstances(
  database: Database,
  hostId: string,
  limit: number,
  after: string | null,
): Promise<HostInstanceRow[]> {
  const { rows } = await sql<HostInstanceRow>`
    select instance.id, account_id as "accountId", kind, name, status, assignment.vcpus, assignment.memory_mib as "memoryMib",
      assignment.disk_gib as "diskGib", assignment.slot_id as "slotId", desired, generation,
      observed_generation as "observedGeneration", observed_state as "observedState", observed_at as "observedAt", restarts
    from assignment join instance on instance.id = instance_id
    where assignment.host_id = ${hostId}::uuid and (${after}::text is null or instance.id > ${after}::text)
    order by instance.id limit ${limit}::int`.execute(database);
  return rows;
}
