// Hosts, where they stand, what they are made of, and what is sold of them.

import type { ColumnType, Generated, GeneratedAlways } from 'kysely';
import type { Hardware, HardwareOverrides } from '../../model/hardware.ts';
import type { HostState } from '../../model/host.ts';
import type { OwnImageState } from '../../model/own-image.ts';
import type { GeneratedJson, Json } from './json.ts';

interface HostTable {
  id: string;
  number: GeneratedAlways<bigint>;
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
  storage_grades: Generated<string[] | null>;
  apart_grades: Generated<string[]>;
  runs_containers: Generated<boolean>;
  gpu_ids: Generated<string[]>;
  network: Generated<'user' | 'bridge'>;
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

interface StoragePoolTable {
  id: GeneratedAlways<bigint>;
  host_id: string;
  label: string;
  grades: string[];
  storage_type: 'HDD' | 'SSD' | 'NVMe';
  size_gib: number;
  free_gib: number;
  present: Generated<boolean>;
  gib_limit: Generated<number>;
  gib_used: Generated<number>;
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

interface PriceTable {
  id: string;
  vcpu_micro_usd: bigint;
  memory_gib_micro_usd: bigint;
  storage_gib_micro_usd: bigint;
  /** As numbers, which hold every rate that may be set. */
  grade_gib_micro_usd: GeneratedJson<Record<string, number>>;
  public_ip_micro_usd: bigint;
  created_at: Date;
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

interface OwnImageTable {
  id: string;
  account_id: string;
  name: string;
  distribution: string;
  username: string;
  url: string;
  sha256: string;
  format: 'qcow2' | 'raw' | null;
  state: Generated<OwnImageState>;
  reason: Generated<string | null>;
  check_at: Date | null;
  checks: Generated<number>;
  created_at: Date;
  updated_at: Date;
}

interface OrphanTable {
  instance_id: string;
  host_id: string;
  state: string;
  ip: string | null;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  generation: Generated<number>;
  removal_generation: Generated<number | null>;
  removal_revision: Generated<bigint | null>;
  seen_at: Date;
}

/** Hosts, where they stand, what they are made of, and what is sold of them */
export interface HostTables {
  host: HostTable;
  host_health: HostHealthTable;
  enrolment: EnrolmentTable;
  address_pool: AddressPoolTable;
  storage_pool: StoragePoolTable;
  datacenter: DatacenterTable;
  configuration: ConfigurationTable;
  catalog_change: { only_row: Generated<boolean>; changed_xid: string };
  price: PriceTable;
  image: ImageTable;
  own_image: OwnImageTable;
  orphan: OrphanTable;
}
