// What hosts last said of their instances, beside what they should do about them.

import { sql } from 'kysely';
import type { Desired, Taken } from '../model/assignment.ts';
import type { InstanceKind, InstanceStatus } from '../model/instance.ts';
import type { Database, Tx } from './database.ts';

/** What a report is held against. */
export interface AssignmentState {
  instanceId: string;
  kind: InstanceKind;
  accountId: string;
  deploymentId: string;
  status: InstanceStatus;
  statusReason: string | null;
  generation: number;
  desired: Desired;
  observedGeneration: number;
  observedState: string | null;
  observedReason: string | null;
  restarts: number;
  runningSince: Date | null;
  activatedAt: Date | null;
  observedBootNumber: number | null;
  /** What it has by the newest order. */
  ordered: Taken;
  /** What it takes of its host. */
  taken: Taken;
  diskGib: number;
}

/** A host's assignments among the given instances (or all of them), in id order. */
export async function readAssignmentStates(
  database: Database,
  hostId: string,
  instanceIds: readonly string[],
  options: { lock: boolean },
): Promise<AssignmentState[]> {
  if (instanceIds.length === 0) return [];
  let query = database
    .selectFrom('assignment')
    .innerJoin('instance', 'instance.id', 'assignment.instance_id')
    .where('assignment.host_id', '=', hostId)
    .where(sql<boolean>`assignment.instance_id = any(${[...instanceIds]}::text[])`)
    .select([
      'assignment.instance_id',
      'kind',
      'account_id',
      'deployment_id',
      'status',
      'status_reason',
      'generation',
      'desired',
      'observed_generation',
      'observed_state',
      'observed_reason',
      'restarts',
      'running_since',
      'activated_at',
      'observed_boot_number',
      'instance.vcpus as ordered_vcpus',
      'instance.memory_mib as ordered_memory_mib',
      'assignment.vcpus',
      'assignment.memory_mib',
      'assignment.disk_gib',
    ])
    .orderBy('assignment.instance_id');
  // Of each row the instance first, as deletions do.
  if (options.lock) query = query.forNoKeyUpdate(['instance', 'assignment']);
  const rows = await query.execute();
  return rows.map((row) => ({
    instanceId: row.instance_id,
    kind: row.kind,
    accountId: row.account_id,
    deploymentId: row.deployment_id,
    status: row.status,
    statusReason: row.status_reason,
    generation: row.generation,
    desired: row.desired,
    observedGeneration: row.observed_generation,
    observedState: row.observed_state,
    observedReason: row.observed_reason,
    restarts: row.restarts,
    runningSince: row.running_since,
    activatedAt: row.activated_at,
    observedBootNumber: row.observed_boot_number,
    ordered: { vcpus: row.ordered_vcpus, memoryMib: row.ordered_memory_mib },
    taken: { vcpus: row.vcpus, memoryMib: row.memory_mib },
    diskGib: row.disk_gib,
  }));
}

/** What a host says of one instance. */
export interface ObservedRow {
  instanceId: string;
  generation: number;
  state: string;
  reason: string | null;
  restarts: number;
  runningSince: Date | null;
  bootNumber: number | null;
}

/** Writes what a host says of its instances. */
export async function writeObserved(
  tx: Tx,
  hostId: string,
  observed: readonly ObservedRow[],
  now: Date,
): Promise<void> {
  if (observed.length === 0) return;
  await sql`
    update assignment set observed_generation = seen.generation, observed_state = seen.state, observed_reason = seen.reason,
      restarts = seen.restarts, running_since = seen."runningSince", observed_boot_number = seen."bootNumber",
      observed_at = ${now}::timestamptz, off_since = case when seen.state = 'off' then coalesce(off_since, ${now}::timestamptz) end
    from jsonb_to_recordset(${JSON.stringify(observed)}::jsonb)
      as seen ("instanceId" text, generation int, state text, reason text, restarts int, "runningSince" timestamptz,
        "bootNumber" int)
    where assignment.instance_id = seen."instanceId" and assignment.host_id = ${hostId}::uuid`.execute(tx);
}
