// The tables as Kysely sees them; `schema/*.sql` is where they are defined and explained. `int8` arrives as bigint,
// `numeric` and `xid8` as text, `inet` as the bare address.

import type { ColumnType, Generated } from 'kysely';
import type { BillingPeriod } from '../model/billing-period.ts';
import type { ContainerPort } from '../model/container.ts';
import type { Hardware, HardwareOverrides } from '../model/hardware.ts';
import type { HostState } from '../model/host.ts';
import type { InstanceStatus } from '../model/instance.ts';
import type { LogEnding, LogLine, StreamQuery } from '../model/log.ts';
import type { SlotPriceUnit, SlotState } from '../model/slot.ts';
import type { WebhookEventType } from '../model/webhook.ts';

type Json<Value> = ColumnType<Value, string, string>;
type GeneratedJson<Value> = ColumnType<Value, string | undefined, string>;

interface AccountTable {
  id: string;
  name: string;
  created_at: Date;
}

interface UserTable {
  id: string;
  account_id: string;
  username: string;
  password_hash: string;
  created_at: Date;
}

interface ApiKeyTable {
  id: string;
  account_id: string;
  name: string;
  secret_sha256: Uint8Array;
  created_at: Date;
  revoked_at: Date | null;
  scope: Generated<'read-only' | 'full'>;
  expires_at: Generated<Date | null>;
}

interface PriceTable {
  id: string;
  vcpu_micro_usd: bigint;
  memory_gib_micro_usd: bigint;
  storage_gib_micro_usd: bigint;
  public_ip_micro_usd: bigint;
  created_at: Date;
}

interface HostTable {
  id: string;
  name: string;
  credential_sha256: Uint8Array | null;
  price_id: string;
  revision: Generated<bigint>;
  vcpu_overcommit: ColumnType<string, number, number>;
  memory_overcommit: ColumnType<string, number, number>;
  disk_overcommit: ColumnType<string, number, number>;
  vcpus_limit: Generated<number>;
  memory_mib_limit: Generated<number>;
  disk_gib_limit: Generated<number>;
  vcpus_used: Generated<number>;
  memory_mib_used: Generated<number>;
  disk_gib_used: Generated<number>;
  created_at: Date;
  datacenter_id: Generated<string | null>;
  state: Generated<HostState>;
  reachable: Generated<boolean>;
  reachable_changed_at: Generated<Date | null>;
  hardware: GeneratedJson<Partial<Hardware>>;
  hardware_overrides: GeneratedJson<HardwareOverrides>;
  additional_disk_gib_max: Generated<number | null>;
  changed_xid: Generated<string>;
  runs_containers: Generated<boolean>;
  gpu_ids: Generated<string[]>;
}

interface DatacenterTable {
  id: string;
  slug: string;
  country_code: string;
  city_code: string;
  city_index: number;
  tier: number;
  certifications: string[];
  created_at: Date;
}

interface ConfigurationTable {
  slug: string;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  created_at: Date;
}

interface HostHealthTable {
  host_id: string;
  last_seen_at: Date;
  inventory: Json<Record<string, unknown>>;
  strays: Json<string[]>;
}

interface EnrolmentTable {
  token_sha256: Uint8Array;
  host_id: string;
  expires_at: Date;
  used_at: Date | null;
}

interface AddressPoolTable {
  id: string;
  host_id: string;
  cidr: string;
  first_ip: string;
  size: bigint;
  next_offset: Generated<bigint>;
}

interface ImageTable {
  id: string;
  slug: string;
  name: string;
  distribution: string;
  download_url: string | null;
  built_as: string | null;
  username: string;
  created_at: Date;
  updated_at: Date;
}

interface InstanceTable {
  id: string;
  account_id: string;
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
  image_url: string;
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
  account_id: string;
  name: string;
  deployment_id: string;
}

interface DiskTable {
  id: string;
  instance_id: string;
  boot: boolean;
  size_gib: number;
  storage_type: 'HDD' | 'SSD' | 'NVMe';
}

interface AssignmentTable {
  instance_id: string;
  host_id: string;
  generation: number;
  revision: bigint;
  desired: 'running' | 'absent';
  observed_generation: Generated<number>;
  observed_state: string | null;
  observed_reason: string | null;
  restarts: Generated<number>;
  observed_at: Date | null;
  running_since: Generated<Date | null>;
  slot_id: Generated<string | null>;
}

interface SlotTable {
  id: string;
  host_id: string;
  name: string;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  gpus: Generated<string[]>;
  state: Generated<SlotState>;
  told: GeneratedJson<Record<string, unknown> | null>;
  created_at: Date;
  removed_at: Generated<Date | null>;
}

interface SlotPriceTable {
  id: string;
  slot_id: string;
  amount_micro_usd: bigint;
  unit: SlotPriceUnit;
  created_at: Date;
  withdrawn_at: Generated<Date | null>;
}

interface ContainerTable {
  instance_id: string;
  account_id: string;
  external_id: string | null;
  request_sha256: Uint8Array;
  ports: Json<ContainerPort[]>;
  environment: Json<Record<string, string>>;
  startup_script: string | null;
  metadata: Json<Record<string, string>>;
  registry_auth: Uint8Array | null;
}

interface StreamTable {
  id: string;
  account_id: string;
  host_id: string | null;
  instance_id: string;
  query: Json<StreamQuery> | null;
  offered_at: Date | null;
  received: Generated<number>;
  expires_at: Date;
}

interface StreamChunkTable {
  stream_id: string;
  sequence: number;
  lines: Json<LogLine[]>;
  ending: LogEnding | null;
}

interface OrphanTable {
  instance_id: string;
  host_id: string;
  state: string;
  ip: string | null;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  seen_at: Date;
}

interface AddressTable {
  ip: string;
  instance_id: string | null;
  orphan_id: string | null;
}

interface PortRuleTable {
  ip: string;
  protocol: 'tcp' | 'udp';
  port: number;
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

interface IdempotencyRecordTable {
  account_id: string;
  key: string;
  request_sha256: Uint8Array;
  status: number;
  response: Json<unknown>;
  created_at: Date;
}

interface AccountBalanceTable {
  account_id: string;
  available_micro_usd: bigint;
  held_micro_usd: bigint;
}

interface LedgerTransactionTable {
  id: string;
  kind: 'credit' | 'debit' | 'charge' | 'deposit' | 'release' | 'refund';
  account_id: string;
  instance_id: string | null;
  reason: string;
  actor: string;
  created_at: Date;
}

interface LedgerEntryTable {
  id: Generated<bigint>;
  transaction_id: string;
  book: 'available' | 'held' | 'revenue' | 'cash';
  account_id: string | null;
  host_id: string | null;
  amount_micro_usd: bigint;
}

interface BillTable {
  instance_id: string;
  account_id: string;
  host_id: string;
  period: BillingPeriod;
  anchor_at: Date;
  price_micro_usd: bigint;
  paid_until: Date;
  held_micro_usd: Generated<bigint>;
  spent_micro_usd: Generated<bigint>;
  ran_until: Date | null;
  funds: Generated<'enough' | 'small' | 'none'>;
  funds_changed_at: Date;
  created_at: Date;
  closed_at: Date | null;
}

interface ChargeTable {
  instance_id: string;
  period_begins_at: Date;
  period_ends_at: Date;
  amount_micro_usd: bigint;
  transaction_id: string | null;
}

interface SshKeyTable {
  id: string;
  account_id: string;
  name: string;
  fingerprint: string;
  algorithm: string;
  comment: string;
  public_key: string;
  created_at: Date;
}

interface WebhookTable {
  id: string;
  account_id: string;
  event_type: WebhookEventType;
  callback_url: string;
  host_name: string;
  secret: Uint8Array;
  created_at: Date;
  removed_at: Generated<Date | null>;
}

interface WebhookDeliveryTable {
  id: Generated<bigint>;
  webhook_id: string;
  event_id: string;
  subject: string;
  snapshot: Json<Record<string, unknown>>;
  happened_at: Date;
  attempts: Generated<number>;
  waiting_since: Date;
  last_error: Generated<string | null>;
  delivered_at: Generated<Date | null>;
  dead_at: Generated<Date | null>;
}

interface WebhookQueueTable {
  webhook_id: string;
  subject: string;
  host_name: string;
  due_at: Date;
  lease: Generated<string | null>;
}

/** Every table of the database. */
export interface Tables {
  account: AccountTable;
  user: UserTable;
  api_key: ApiKeyTable;
  price: PriceTable;
  host: HostTable;
  host_health: HostHealthTable;
  enrolment: EnrolmentTable;
  address_pool: AddressPoolTable;
  image: ImageTable;
  deployment: { id: string; account_id: string; created_at: Date };
  instance: InstanceTable;
  instance_name: InstanceNameTable;
  disk: DiskTable;
  assignment: AssignmentTable;
  container: ContainerTable;
  slot: SlotTable;
  slot_price: SlotPriceTable;
  stream: StreamTable;
  stream_chunk: StreamChunkTable;
  orphan: OrphanTable;
  address: AddressTable;
  port_rule: PortRuleTable;
  event: EventTable;
  idempotency_record: IdempotencyRecordTable;
  datacenter: DatacenterTable;
  configuration: ConfigurationTable;
  catalog_change: { only_row: Generated<boolean>; changed_xid: string };
  account_balance: AccountBalanceTable;
  ledger_transaction: LedgerTransactionTable;
  ledger_entry: LedgerEntryTable;
  bill: BillTable;
  charge: ChargeTable;
  ssh_key: SshKeyTable;
  sealing_key: { only_row: Generated<boolean>; fingerprint: Uint8Array; created_at: Date };
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
  webhook_queue: WebhookQueueTable;
}
