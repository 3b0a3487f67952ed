// What every instance has, whatever its kind.

import type { Generated, GeneratedAlways } from 'kysely';
import type { Desired } from '../../model/assignment.ts';
import type { InstanceStatus } from '../../model/instance.ts';
import type { Goal, OperationError, OperationKind } from '../../model/operation.ts';
import type { Json } from './json.ts';

interface GroupTable {
  id: GeneratedAlways<bigint>;
  account_id: string;
  name: string;
  vlan_num: Generated<number>;
  created_at: Date;
}

interface InstanceTable {
  id: string;
  number: GeneratedAlways<bigint>;
  account_id: string;
  group_id: bigint;
  deployment_id: string;
  kind: 'vm' | 'container';
  name: string;
  hostname: string;
  status: InstanceStatus;
  status_reason: string | null;
  status_changed_at: Date;
  host_id: string;
  vcpus: number;
  memory_mib: number;
  image_url: string | null;
  /** What its image's file has to hash to; null where nobody said. */
  image_sha256: Generated<string | null>;
  ssh_keys: string[];
  price_id: string | null;
  slot_id: Generated<string | null>;
  slot_price_id: Generated<string | null>;
  failure_code: Generated<string | null>;
  price_micro_usd: bigint;
  created_at: Date;
  activated_at: Date | null;
  deleted_at: Date | null;
}

interface InstanceNameTable {
  group_id: bigint;
  name: string;
  deployment_id: string;
}

interface AssignmentTable {
  instance_id: string;
  host_id: string;
  generation: number;
  revision: bigint;
  desired: Desired;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  boot_number: Generated<number>;
  observed_boot_number: Generated<number | null>;
  observed_generation: Generated<number>;
  observed_state: string | null;
  observed_reason: string | null;
  restarts: Generated<number>;
  observed_at: Date | null;
  running_since: Generated<Date | null>;
  off_since: Generated<Date | null>;
  slot_id: Generated<string | null>;
}

interface AssignmentPoolTable {
  instance_id: string;
  pool_id: bigint;
  gib: number;
}

interface OperationTable {
  id: string;
  account_id: string;
  instance_id: string;
  kind: OperationKind;
  goal: Json<Goal>;
  actor: string;
  created_at: Date;
  finished_at: Generated<Date | null>;
  error_code: Generated<OperationError['code'] | null>;
  error: Generated<string | null>;
}

interface EventTable {
  id: Generated<bigint>;
  transaction_id: Generated<string>;
  account_id: string | null;
  instance_id: string | null;
  host_id: string | null;
  kind: string;
  message: string;
  actor: string;
  data: Json<Record<string, unknown> | null> | null;
  agent_event_id: string | null;
  created_at: Date;
}

/** What every instance has, whatever its kind */
export interface InstanceTables {
  group: GroupTable;
  deployment: { id: string; account_id: string; created_at: Date };
  instance: InstanceTable;
  instance_name: InstanceNameTable;
  assignment: AssignmentTable;
  assignment_pool: AssignmentPoolTable;
  operation: OperationTable;
  event: EventTable;
}
