// Assignments: what one host should do about one instance, and what it last said of it.

import { sql } from 'kysely';
import type { ContainerPort } from '../model/container.ts';
import type { InstanceKind, InstanceStatus } from '../model/instance.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Database, Tx } from './database.ts';

/** An assignment as it goes to the host: of a VM or of a container. */
export interface AssignmentRow {
  instanceId: string;
  generation: number;
  desired: 'running' | 'absent';
  vm?: AssignedSize & { imageUrl: string; portRules: PortRule[] };
  container?: AssignedSize & AssignedContainer;
}

interface AssignedSize {
  hostname: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  sshKeys: string[];
  address: string;
}

interface AssignedContainer {
  image: string;
  gpus: string[];
  hasRegistryAuth: boolean;
  ports: ContainerPort[];
  environment: Record<string, string>;
  startupScript: string | null;
}

/** A host's assignments that changed after a revision; after 0, all of them. In no order that matters. */
export async function listAssignments(
  database: Database,
  hostId: string,
  afterRevision: bigint,
): Promise<AssignmentRow[]> {
  const rows = await database
    .selectFrom('assignment')
    .innerJoin('instance', 'instance.id', 'assignment.instance_id')
    .innerJoin('disk', (join) => join.onRef('disk.instance_id', '=', 'instance.id').on('disk.boot', '=', true))
    .innerJoin('address', 'address.instance_id', 'assignment.instance_id')
    .leftJoin('container', 'container.instance_id', 'assignment.instance_id')
    .leftJoin('slot', 'slot.id', 'assignment.slot_id')
    .where('assignment.host_id', '=', hostId)
    .where('revision', '>', afterRevision)
    .select([
      'assignment.instance_id',
      'generation',
      'desired',
      'hostname',
      'instance.vcpus',
      'instance.memory_mib',
      'size_gib',
      'image_url',
      'ssh_keys',
      'ip',
      'gpus',
      'ports',
      'environment',
      'startup_script',
      sql<boolean>`registry_auth is not null`.as('has_registry_auth'),
      sql<PortRule[]>`coalesce((
        select jsonb_agg(jsonb_build_object('port', port, 'protocol', protocol) order by port, protocol)
        from port_rule where port_rule.ip = address.ip), '[]')`.as('port_rules'),
    ])
    .execute();
  return rows.map((row) => {
    const size: AssignedSize = {
      hostname: row.hostname,
      vcpus: row.vcpus,
      memoryMib: row.memory_mib,
      diskGib: row.size_gib,
      sshKeys: row.ssh_keys,
      address: row.ip,
    };
    const { instance_id: instanceId, generation, desired } = row;
    if (row.ports === null) {
      return { instanceId, generation, desired, vm: { ...size, imageUrl: row.image_url, portRules: row.port_rules } };
    }
    const container = {
      ...size,
      image: row.image_url,
      gpus: row.gpus ?? [],
      hasRegistryAuth: row.has_registry_auth,
      ports: row.ports,
      environment: row.environment ?? {},
      startupScript: row.startup_script,
    };
    return { instanceId, generation, desired, container };
  });
}

/** What a report is held against. */
export interface AssignmentState {
  instanceId: string;
  kind: InstanceKind;
  accountId: string;
  deploymentId: string;
  status: InstanceStatus;
  statusReason: string | null;
  generation: number;
  desired: 'running' | 'absent';
  observedGeneration: number;
  observedState: string | null;
  observedReason: string | null;
  restarts: number;
  runningSince: Date | null;
  activatedAt: Date | null;
  vcpus: number;
  memoryMib: number;
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
    .innerJoin('disk', (join) => join.onRef('disk.instance_id', '=', 'instance.id').on('disk.boot', '=', true))
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
      'vcpus',
      'memory_mib',
      'size_gib',
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
    vcpus: row.vcpus,
    memoryMib: row.memory_mib,
    diskGib: row.size_gib,
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
      restarts = seen.restarts, running_since = seen."runningSince", observed_at = ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(observed)}::jsonb)
      as seen ("instanceId" text, generation int, state text, reason text, restarts int, "runningSince" timestamptz)
    where assignment.instance_id = seen."instanceId" and assignment.host_id = ${hostId}::uuid`.execute(tx);
}

/**
 * Gives a new order. Its generation is newer than any that the host has told of, also after this database was put back to
 * an older copy. The caller holds the host's row and brings its new revision.
 */
export async function order(
  tx: Tx,
  orders: readonly { instanceId: string; desired: 'running' | 'absent'; revision: bigint }[],
): Promise<void> {
  if (orders.length === 0) return;
  const rows = JSON.stringify(orders.map((row) => ({ ...row, revision: String(row.revision) })));
  await sql`
    update assignment set desired = given.desired, revision = given.revision,
      generation = greatest(generation, observed_generation) + 1
    from jsonb_to_recordset(${rows}::jsonb) as given ("instanceId" text, desired text, revision bigint)
    where assignment.instance_id = given."instanceId"`.execute(tx);
}

/** Ends assignments; addresses and open ports go with them. The caller holds the host's row and gives the capacity back. */
export async function removeAssignments(tx: Tx, instanceIds: readonly string[]): Promise<void> {
  if (instanceIds.length === 0) return;
  await tx.deleteFrom('assignment').where('instance_id', 'in', instanceIds).execute();
}
