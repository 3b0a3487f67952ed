// Assignments: what one host should do about one instance. What it last said of it is read and written in observation.ts.

import { sql } from 'kysely';
import type { Desired, Taken } from '../model/assignment.ts';
import type { ContainerPort } from '../model/container.ts';
import type { HardwareProfile } from '../model/machine.ts';
import type { PortRule } from '../model/port-rule.ts';
import type { Database, Tx } from './database.ts';

/** An assignment as it goes to the host: of a VM or of a container. */
export interface AssignmentRow {
  instanceId: string;
  generation: number;
  desired: Desired;
  vm?: AssignedParts & AssignedVm;
  container?: AssignedParts & AssignedContainer;
}

interface AssignedParts {
  hostname: string;
  vcpus: number;
  memoryMib: number;
  sshKeys: string[];
  address: string;
}

interface AssignedVm {
  portRules: PortRule[];
  network: AssignedNetwork;
  bootNumber: number;
  autoreboot: boolean;
  image: { url: string; imaging: number; sha256?: string } | null;
  disks: AssignedDisk[];
  eraseDisks?: AssignedDisk[];
  machine: AssignedMachine;
}

/** What a VM's machine is beside its size. */
export interface AssignedMachine {
  hardwareProfile: HardwareProfile;
  cdromUrl: string | null;
  keymap: string | null;
  /** By its name. */
  appliance: { name: string; permanent: boolean } | null;
}

interface AssignedNetwork {
  vlan: number;
  allPortsOpen: boolean;
  addresses: AssignedAddress[];
}

interface AssignedAddress {
  ip: string;
  isAdditional: boolean;
  range: { prefix: number; gateway: string; isShared: boolean } | null;
}

/** What is left out has its default. */
interface AssignedDisk {
  id: string;
  sizeMib: number;
  imaging?: number;
  iopsLimit?: number;
  pool?: string;
  restoreFrom?: string;
  backups?: string[];
  eraseBackups?: string[];
}

interface AssignedContainer {
  diskGib: number;
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
    .innerJoin('group', 'group.id', 'instance.group_id')
    .innerJoin('main_address', 'main_address.instance_id', 'assignment.instance_id')
    .leftJoin('vm', 'vm.instance_id', 'assignment.instance_id')
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
      'image_url',
      'image_sha256',
      'assignment.disk_gib',
      'boot_number',
      'autoreboot',
      'imaging',
      'hardware_profile',
      'cdrom_url',
      'keymap',
      'appliance',
      'appliance_boot_number',
      'ssh_keys',
      'ip',
      'gpus',
      'ports',
      'environment',
      'startup_script',
      'vlan_num',
      'all_ports_open',
      sql<boolean>`registry_auth is not null`.as('has_registry_auth'),
      sql<AssignedAddress[]>`(
        select jsonb_agg(jsonb_build_object('ip', host(address.ip), 'isAdditional', additional, 'range', (
          select jsonb_build_object('prefix', masklen(cidr), 'gateway', host(cidr::inet + 1), 'isShared', ip_range.vlan_num is null)
          from ip_range where cidr >>= address.ip)) order by additional, family(address.ip), address.ip)
        from address where address.instance_id = assignment.instance_id)`.as('addresses'),
      sql<PortRule[]>`coalesce((
        select jsonb_agg(jsonb_build_object('port', port, 'protocol', protocol) order by port, protocol)
        from port_rule where port_rule.ip = main_address.ip), '[]')`.as('port_rules'),
      sql<AssignedDisk[]>`coalesce((
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', disk.id, 'sizeMib', size_mib, 'imaging', disk.imaging,
          'iopsLimit', iops_limit, 'restoreFrom', restored_from,
          'backups', (select jsonb_agg(id order by id) from backup where disk_id = disk.id and state = 'wanted'),
          'eraseBackups', (select jsonb_agg(id order by id) from backup where disk_id = disk.id and state = 'erasing'),
          'pool', (select storage_pool.label from storage_pool where storage_pool.id = pool_id))) order by position)
        from disk where disk.instance_id = assignment.instance_id), '[]')`.as('disks'),
      sql<AssignedDisk[] | null>`(
        select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', id, 'sizeMib', size_mib, 'pool', (select storage_pool.label from storage_pool where storage_pool.id = pool_id)))
          order by id)
        from erasing_disk where erasing_disk.instance_id = assignment.instance_id)`.as('erase_disks'),
    ])
    .execute();
  return rows.map((row) => {
    const shared: AssignedParts = {
      hostname: row.hostname,
      vcpus: row.vcpus,
      memoryMib: row.memory_mib,
      sshKeys: row.ssh_keys,
      address: row.ip,
    };
    const { instance_id: instanceId, generation, desired } = row;
    if (row.ports === null) {
      const vm: AssignedParts & AssignedVm = {
        ...shared,
        portRules: row.port_rules,
        network: { vlan: row.vlan_num, allPortsOpen: row.all_ports_open ?? false, addresses: row.addresses },
        bootNumber: row.boot_number,
        autoreboot: row.autoreboot ?? false,
        image: imageOf(row),
        disks: row.disks,
        ...(row.erase_disks === null ? {} : { eraseDisks: row.erase_disks }),
        machine: {
          hardwareProfile: row.hardware_profile ?? 'virtio2013',
          cdromUrl: row.cdrom_url,
          keymap: row.keymap,
          appliance: applianceOf(row),
        },
      };
      return { instanceId, generation, desired, vm };
    }
    const container = {
      ...shared,
      diskGib: row.disk_gib,
      image: row.image_url ?? '',
      gpus: row.gpus ?? [],
      hasRegistryAuth: row.has_registry_auth,
      ports: row.ports,
      environment: row.environment ?? {},
      startupScript: row.startup_script,
    };
    return { instanceId, generation, desired, container };
  });
}

function imageOf(row: {
  image_url: string | null;
  image_sha256: string | null;
  imaging: number | null;
}): AssignedVm['image'] {
  const { image_url: url, image_sha256: sha256, imaging } = row;
  return url === null ? null : { url, imaging: imaging ?? 1, ...(sha256 === null ? {} : { sha256 }) };
}

/** The appliance that a VM is started with: one that is meant for another start than this is not told of. */
function applianceOf(row: {
  appliance: string | null;
  appliance_boot_number: number | null;
  boot_number: number;
}): AssignedMachine['appliance'] {
  const { appliance: name, appliance_boot_number: meantFor, boot_number: bootNumber } = row;
  if (name === null || (meantFor !== null && meantFor !== bootNumber)) return null;
  return { name, permanent: meantFor === null };
}

/**
 * Gives a new order, with what is desired left as it is where nothing is said of it. Its generation is newer than any that the
 * host has told of, also after this database was put back to an older copy. The caller holds the host's row and brings its new
 * revision.
 */
export async function order(
  tx: Tx,
  orders: readonly { instanceId: string; desired?: Desired; revision: bigint }[],
): Promise<void> {
  if (orders.length === 0) return;
  const rows = JSON.stringify(orders.map((row) => ({ ...row, revision: String(row.revision) })));
  await sql`
    update assignment set desired = coalesce(given.desired, assignment.desired), revision = given.revision,
      generation = greatest(generation, observed_generation) + 1
    from jsonb_to_recordset(${rows}::jsonb) as given ("instanceId" text, desired text, revision bigint)
    where assignment.instance_id = given."instanceId"`.execute(tx);
}

/** Notes what instances take of their host. The caller holds the host's row, and gives back the difference. */
export async function writeTaken(tx: Tx, rows: readonly ({ instanceId: string } & Taken)[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    update assignment set vcpus = row.vcpus, memory_mib = row."memoryMib"
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row ("instanceId" text, vcpus int, "memoryMib" int)
    where assignment.instance_id = row."instanceId"`.execute(tx);
}

/** Ends assignments; addresses and open ports go with them. The caller holds the host's row and gives the capacity back. */
export async function removeAssignments(tx: Tx, instanceIds: readonly string[]): Promise<void> {
  if (instanceIds.length === 0) return;
  await tx.deleteFrom('assignment').where('instance_id', 'in', instanceIds).execute();
}
