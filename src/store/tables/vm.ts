// What only VMs have: disks, backups, and what is done to them.

import type { Generated, GeneratedAlways } from 'kysely';
import type { Act, ActOutcome } from '../../model/act.ts';
import type { BackupState } from '../../model/backup.ts';
import type { HardwareProfile } from '../../model/machine.ts';
import type { Json } from './json.ts';

interface VmTable {
  instance_id: string;
  hardware_profile: Generated<HardwareProfile>;
  hardware_profile_locked: Generated<boolean>;
  autoreboot: Generated<boolean>;
  cdrom_url: Generated<string | null>;
  keymap: Generated<string | null>;
  appliance: Generated<string | null>;
  appliance_boot_number: Generated<number | null>;
  imaging: Generated<number>;
  last_imaged_with: Generated<string | null>;
  all_ports_open: Generated<boolean>;
}

interface VmDefaultTable {
  id: GeneratedAlways<bigint>;
  account_id: string;
  name: string;
  public: boolean;
  server_settings: Json<Record<string, unknown>>;
  created_at: Date;
}

interface ImagingSecretTable {
  instance_id: string;
  imaging: number;
  sealed: Uint8Array;
}

interface DiskTable {
  id: string;
  number: GeneratedAlways<bigint>;
  instance_id: string;
  label: Generated<string>;
  position: Generated<number>;
  grade: Generated<string>;
  size_mib: number;
  created_at: Generated<Date>;
  restored_from: Generated<string | null>;
  storage_type: 'HDD' | 'SSD' | 'NVMe';
  pool_id: Generated<bigint | null>;
  imaging: Generated<number>;
  iops_limit: Generated<number | null>;
}

interface ErasingDiskTable {
  id: string;
  instance_id: string;
  pool_id: bigint | null;
  size_mib: number;
  backup_gib: Generated<number>;
  created_at: Date;
}

interface BackupTable {
  id: string;
  number: GeneratedAlways<bigint>;
  disk_id: string;
  label: string;
  size_mib: number;
  schedule_id: bigint | null;
  state: BackupState;
  disk_gib: number;
  created_at: Date;
}

interface BackupScheduleTable {
  id: GeneratedAlways<bigint>;
  disk_id: string;
  start_at: Date;
  interval_seconds: number;
  capacity: number;
  done_at: Date;
}

interface ActTable {
  id: string;
  host_id: string;
  instance_id: string;
  kind: Act['kind'];
  keys: string[];
  offered_at: Date | null;
  outcome: ActOutcome | null;
  expires_at: Date;
}

/** What only VMs have: disks, backups, and what is done to them */
export interface VmTables {
  vm: VmTable;
  vm_default: VmDefaultTable;
  imaging_secret: ImagingSecretTable;
  disk: DiskTable;
  erasing_disk: ErasingDiskTable;
  backup: BackupTable;
  backup_schedule: BackupScheduleTable;
  act: ActTable;
}
