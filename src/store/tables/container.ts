// Containers, the slots that they rent, and their output.

import type { Generated } from 'kysely';
import type { ContainerPort } from '../../model/container.ts';
import type { LogEnding, LogLine, StreamQuery } from '../../model/log.ts';
import type { SlotPriceUnit, SlotState } from '../../model/slot.ts';
import type { GeneratedJson, Json } from './json.ts';

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

/** Containers, the slots that they rent, and their output */
export interface ContainerTables {
  slot: SlotTable;
  slot_price: SlotPriceTable;
  container: ContainerTable;
  stream: StreamTable;
  stream_chunk: StreamChunkTable;
}
