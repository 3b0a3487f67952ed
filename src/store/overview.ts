// VMs with all that belongs to them, for whoever may see them: one query for the VMs, and one each for their disks, the disks'
// backups and schedules, and their addresses, however many there are.

import { sql } from 'kysely';
import type { InstanceStatus } from '../model/instance.ts';
import type { Sight } from '../model/privilege.ts';
import type { Reference } from '../model/reference.ts';
import { defaultPoolLabel, poolName } from '../model/storage-pool.ts';
import { countBackups } from './backup.ts';
import { type BackupScheduleRow, listSchedulesOfVms } from './backup-schedule.ts';
import type { Database } from './database.ts';
import { inSight } from './sight.ts';

/** Which of the VMs in sight are asked for; what is left out does not narrow. */
export interface VmFilter {
  account?: Reference | undefined;
  group?: Reference | undefined;
  vm?: Reference | undefined;
  /** The number of one of its disks. */
  disk?: bigint | undefined;
  /** The id of one of its disks. */
  diskId?: string | undefined;
  instanceId?: string | undefined;
  hostId?: string | undefined;
  /** Only those that should be on and are not yet. */
  isWaiting?: boolean;
  /** Only so many, those that were made last. */
  newest?: number;
  /** Whether those are wanted, too, that are out of sight until they are restored or purged. */
  includeDeleted: boolean;
  /** What of each VM is read beside the VM itself; everything where it is left out. */
  parts?: readonly VmPart[];
}

/** A part of a VM; `backups` are those of its disks, with their schedules. */
export type VmPart = 'disks' | 'backups' | 'addresses';

const allParts: readonly VmPart[] = ['disks', 'backups', 'addresses'];

/** A VM with its disks and addresses. */
export interface VmRow {
  id: string;
  number: bigint;
  accountName: string;
  groupId: bigint;
  groupName: string;
  name: string;
  status: InstanceStatus;
  /** Whether it has been on. */
  hasRun: boolean;
  /** Its host's name. */
  host: string;
  /** The slug of the datacenter that its host stands in. */
  datacenter: string | null;
  vcpus: number;
  memoryMib: number;
  hardwareProfile: string;
  hardwareProfileLocked: boolean;
  autoreboot: boolean;
  cdromUrl: string | null;
  keymap: string | null;
  lastImagedWith: string | null;
  /** Where its consoles are reached; null where it has none. */
  managementAddress: string | null;
  /** The number of its group's network. */
  vlanNumber: number;
  /** In the order in which the guest sees them. */
  disks: DiskRow[];
  addresses: VmAddressRow[];
}

/** A disk of a VM. */
export interface DiskRow {
  id: string;
  number: bigint;
  vmNumber: bigint;
  label: string;
  grade: string;
  sizeMib: number;
  /** Reads and writes a second; null is as many as it can. */
  iopsLimit: number | null;
  /** The name of the storage pool that it lies in. */
  pool: string;
  /** How many backups of it there are, or are being made. */
  backups: number;
  backupSchedules: BackupScheduleRow[];
}

/** An address of a VM. */
export interface VmAddressRow {
  ip: string;
  family: 4 | 6;
  /** Leads to the VM's main address of its family. */
  isAdditional: boolean;
}

/** A list is cut off here rather than growing without end. */
const listMax = 10_000;

/** The VMs that are in sight and asked for, the oldest first. Those that are being deleted are gone for their owners. */
export async function listVms(database: Database, sight: Sight, filter: VmFilter): Promise<VmRow[]> {
  let query = database
    .selectFrom('instance')
    .innerJoin('vm', 'vm.instance_id', 'instance.id')
    .innerJoin('group', 'group.id', 'instance.group_id')
    .innerJoin('account', 'account.id', 'instance.account_id')
    .innerJoin('host', 'host.id', 'instance.host_id')
    .leftJoin('datacenter', 'datacenter.id', 'host.datacenter_id')
    .leftJoin('management_address', 'management_address.instance_id', 'instance.id')
    .where('status', 'not in', ['deleting', 'deleted'])
    .select([
      'instance.id',
      'instance.number',
      'account.name as account_name',
      'instance.group_id',
      'group.name as group_name',
      'instance.name',
      'status',
      sql<boolean>`activated_at is not null`.as('has_run'),
      'host.name as host',
      'datacenter.slug as datacenter',
      'vcpus',
      'memory_mib',
      'hardware_profile',
      'hardware_profile_locked',
      'autoreboot',
      'cdrom_url',
      'keymap',
      'last_imaged_with',
      'management_address.ip as management_address',
      'vlan_num',
    ])
    .orderBy('instance.number')
    .limit(listMax);
  if (!filter.includeDeleted) query = query.where('status', '<>', 'soft-deleted');
  const { account, group, vm, disk, diskId, instanceId, hostId } = filter;
  const isNumber = (reference: Reference) => typeof reference === 'bigint';
  if (account !== undefined) query = query.where(isNumber(account) ? 'account.number' : 'account.name', '=', account);
  if (group !== undefined) query = query.where(isNumber(group) ? 'group.id' : 'group.name', '=', group);
  if (vm !== undefined) query = query.where(isNumber(vm) ? 'instance.number' : 'instance.name', '=', vm);
  if (disk !== undefined) {
    query = query.where(
      'instance.id',
      'in',
      database.selectFrom('disk').where('number', '=', disk).select('instance_id'),
    );
  }
  if (diskId !== undefined) {
    query = query.where(
      'instance.id',
      'in',
      database.selectFrom('disk').where('id', '=', diskId).select('instance_id'),
    );
  }
  if (instanceId !== undefined) query = query.where('instance.id', '=', instanceId);
  if (hostId !== undefined) query = query.where('instance.host_id', '=', hostId);
  if (filter.isWaiting) {
    query = query
      .where((eb) =>
        eb.or([eb('status', '=', 'launching'), eb.and([eb('status', '=', 'stopped'), eb('autoreboot', '=', true)])]),
      )
      .where(
        'instance.id',
        'in',
        database.selectFrom('assignment').where('desired', '=', 'running').select('instance_id'),
      );
  }
  if (filter.newest !== undefined) {
    const newest = database
      .selectFrom('instance')
      .where('kind', '=', 'vm')
      .where('status', 'not in', ['deleting', 'deleted']);
    query = query.where(
      'instance.number',
      'in',
      newest.select('number').orderBy('number', 'desc').limit(filter.newest),
    );
  }
  query = query.where(inSight(sight));
  const rows = await query.execute();
  const ids = rows.map(({ id }) => id);
  const { parts = allParts } = filter;
  const only = (part: VmPart) => (parts.includes(part) ? ids : []);
  const [disks, backups, schedules, addresses] = await Promise.all([
    listDisks(database, only('disks')),
    countBackups(database, only('backups')),
    listSchedulesOfVms(database, only('backups')),
    listAddresses(database, only('addresses')),
  ]);
  const toDisk = ({ poolLabel, ...disk }: DiskPart, vm: { number: bigint; host: string }): DiskRow => ({
    ...disk,
    vmNumber: vm.number,
    pool: poolName(vm.host, poolLabel ?? defaultPoolLabel),
    backups: backups.get(disk.id) ?? 0,
    backupSchedules: schedules.get(disk.id) ?? [],
  });
  return rows.map((row) => ({
    id: row.id,
    number: row.number,
    accountName: row.account_name,
    groupId: row.group_id,
    groupName: row.group_name,
    name: row.name,
    status: row.status,
    hasRun: row.has_run,
    host: row.host,
    datacenter: row.datacenter,
    vcpus: row.vcpus,
    memoryMib: row.memory_mib,
    hardwareProfile: row.hardware_profile,
    hardwareProfileLocked: row.hardware_profile_locked,
    autoreboot: row.autoreboot,
    cdromUrl: row.cdrom_url,
    keymap: row.keymap,
    lastImagedWith: row.last_imaged_with,
    managementAddress: row.management_address,
    vlanNumber: row.vlan_num,
    disks: disks.get(row.id)?.map((disk) => toDisk(disk, row)) ?? [],
    addresses: addresses.get(row.id) ?? [],
  }));
}

/** A disk without what its VM says of it. */
type DiskPart = Omit<DiskRow, 'vmNumber' | 'pool' | 'backups' | 'backupSchedules'> & { poolLabel: string | null };

async function listDisks(database: Database, instanceIds: string[]): Promise<Map<string, DiskPart[]>> {
  if (instanceIds.length === 0) return new Map();
  const rows = await database
    .selectFrom('disk')
    .leftJoin('storage_pool', 'storage_pool.id', 'pool_id')
    .where(sql<boolean>`instance_id = any(${instanceIds}::text[])`)
    .select(['disk.id', 'instance_id', 'number', 'disk.label', 'grade', 'size_mib', 'iops_limit'])
    .select('storage_pool.label as pool_label')
    .orderBy('position')
    .execute();
  return grouped(rows, (row) => [
    row.instance_id,
    {
      id: row.id,
      number: row.number,
      label: row.label,
      grade: row.grade,
      sizeMib: row.size_mib,
      iopsLimit: row.iops_limit,
      poolLabel: row.pool_label,
    },
  ]);
}

async function listAddresses(database: Database, instanceIds: string[]): Promise<Map<string, VmAddressRow[]>> {
  if (instanceIds.length === 0) return new Map();
  const rows = await database
    .selectFrom('address')
    .where(sql<boolean>`instance_id = any(${instanceIds}::text[])`)
    .select(['ip', 'instance_id', 'additional', sql<4 | 6>`family(ip)`.as('family')])
    .orderBy('additional')
    .orderBy('family')
    .orderBy('ip')
    .execute();
  return grouped(rows, (row) => [
    row.instance_id ?? '',
    { ip: row.ip, family: row.family, isAdditional: row.additional },
  ]);
}

/** Rows by what each belongs to, in their order. */
function grouped<Row, Part>(
  rows: readonly Row[],
  split: (row: Row) => [owner: string, part: Part],
): Map<string, Part[]> {
  const parts = new Map<string, Part[]>();
  for (const row of rows) {
    const [owner, part] = split(row);
    const before = parts.get(owner);
    if (before) before.push(part);
    else parts.set(owner, [part]);
  }
  return parts;
}
