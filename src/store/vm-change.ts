// What changes of a VM in its life. The caller holds its host's row, then takes the VM's own.

import { sql } from 'kysely';
import type { Desired, Taken } from '../model/assignment.ts';
import type { PowerState } from '../model/power.ts';
import type { Database, Tx } from './database.ts';

/** A VM that is to be changed. */
export interface LockedVm extends PowerState {
  id: string;
  accountId: string;
  groupId: bigint;
  deploymentId: string;
  hostId: string;
  /** Whether it has ever been on. */
  hasRun: boolean;
  name: string;
  hardwareProfile: string;
  hardwareProfileLocked: boolean;
  autoreboot: boolean;
  imaging: number;
  disks: number;
  hasCdrom: boolean;
  /** What it has from its next start on, and what is taken of its host for it. */
  ordered: Taken;
  taken: Taken;
}

const columns = [
  'status',
  'desired',
  'generation',
  'boot_number',
  'observed_generation',
  'observed_state',
  'observed_boot_number',
] as const;

interface PowerColumns {
  status: PowerState['status'];
  desired: Desired;
  generation: number;
  boot_number: number;
  observed_generation: number;
  observed_state: string | null;
  observed_boot_number: number | null;
}

const toPowerState = (row: PowerColumns): PowerState => ({
  status: row.status,
  desired: row.desired,
  generation: row.generation,
  bootNumber: row.boot_number,
  observedGeneration: row.observed_generation,
  observedState: row.observed_state,
  observedBootNumber: row.observed_boot_number,
});

/** Takes a VM's row; undefined when its host holds nothing of it any more. */
export async function lockVm(tx: Tx, id: string): Promise<LockedVm | undefined> {
  const row = await tx
    .selectFrom('instance')
    .innerJoin('assignment', 'assignment.instance_id', 'instance.id')
    .innerJoin('vm', 'vm.instance_id', 'instance.id')
    .where('instance.id', '=', id)
    .select([
      ...columns,
      ...(['instance.id', 'account_id', 'group_id', 'deployment_id', 'instance.host_id', 'name'] as const),
      ...(['hardware_profile', 'hardware_profile_locked', 'autoreboot', 'imaging', 'cdrom_url'] as const),
      ...(['instance.vcpus', 'instance.memory_mib'] as const),
      ...(['assignment.vcpus as taken_vcpus', 'assignment.memory_mib as taken_memory_mib'] as const),
      sql<boolean>`activated_at is not null`.as('has_run'),
      sql<number>`(select count(*)::int from disk where disk.instance_id = instance.id)`.as('disks'),
    ])
    // Of the two the instance first, as reports and deletions do.
    .forNoKeyUpdate(['instance', 'assignment'])
    .executeTakeFirst();
  return (
    row && {
      ...toPowerState(row),
      id: row.id,
      accountId: row.account_id,
      groupId: row.group_id,
      deploymentId: row.deployment_id,
      hostId: row.host_id,
      hasRun: row.has_run,
      name: row.name,
      hardwareProfile: row.hardware_profile,
      hardwareProfileLocked: row.hardware_profile_locked,
      autoreboot: row.autoreboot,
      imaging: row.imaging,
      disks: row.disks,
      hasCdrom: row.cdrom_url !== null,
      ordered: { vcpus: row.vcpus, memoryMib: row.memory_mib },
      taken: { vcpus: row.taken_vcpus, memoryMib: row.taken_memory_mib },
    }
  );
}

/** How a VM stands, and whether its host is heard of; undefined when its host holds nothing of it any more. */
export async function readPower(
  database: Database,
  id: string,
): Promise<{ state: PowerState; isReachable: boolean } | undefined> {
  const row = await database
    .selectFrom('assignment')
    .innerJoin('instance', 'instance.id', 'assignment.instance_id')
    .innerJoin('host', 'host.id', 'assignment.host_id')
    .where('assignment.instance_id', '=', id)
    .select([...columns, 'reachable'])
    .executeTakeFirst();
  return row && { state: toPowerState(row), isReachable: row.reachable };
}

/**
 * Gives a VM's host a new order; what is not said stays.
 * @returns by what the order is known
 */
export async function orderVm(
  tx: Tx,
  {
    instanceId,
    revision,
    desired,
    nextBoot,
  }: { instanceId: string; revision: bigint; desired?: Desired; nextBoot?: boolean },
): Promise<{ generation: number; bootNumber: number }> {
  const row = await tx
    .updateTable('assignment')
    .set((eb) => ({
      revision,
      generation: sql<number>`greatest(generation, observed_generation) + 1`,
      boot_number: eb('boot_number', '+', nextBoot ? 1 : 0),
      ...(desired ? { desired } : {}),
    }))
    .where('instance_id', '=', instanceId)
    .returning(['generation', 'boot_number'])
    .executeTakeFirstOrThrow();
  return { generation: row.generation, bootNumber: row.boot_number };
}

/** What is said of a VM's machine; what is undefined stays. */
export interface MachineChange {
  hardwareProfile?: string | undefined;
  hardwareProfileLocked?: boolean | undefined;
  autoreboot?: boolean | undefined;
  cdromUrl?: string | null | undefined;
  keymap?: string | null | undefined;
  /** With the only start that it is for, or null where it is for all. */
  appliance?: { name: string | null; bootNumber: number | null } | undefined;
}

/** Changes a VM's machine. */
export async function writeMachine(tx: Tx, id: string, change: MachineChange): Promise<void> {
  const { hardwareProfile, hardwareProfileLocked, autoreboot, cdromUrl, keymap, appliance } = change;
  const given = {
    hardware_profile: hardwareProfile,
    hardware_profile_locked: hardwareProfileLocked,
    autoreboot,
    cdrom_url: cdromUrl,
    keymap,
    ...(appliance ? { appliance: appliance.name, appliance_boot_number: appliance.bootNumber } : {}),
  };
  const columns = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  if (Object.keys(columns).length > 0) await tx.updateTable('vm').set(columns).where('instance_id', '=', id).execute();
}

/** Notes what a VM has from its next start on, and what is taken of its host for it. */
export async function writeSize(tx: Tx, id: string, ordered: Taken, taken: Taken): Promise<void> {
  await tx
    .updateTable('instance')
    .set({ vcpus: ordered.vcpus, memory_mib: ordered.memoryMib })
    .where('id', '=', id)
    .execute();
  await tx
    .updateTable('assignment')
    .set({ vcpus: taken.vcpus, memory_mib: taken.memoryMib })
    .where('instance_id', '=', id)
    .execute();
}

/** Notes where a VM belongs and what it is called; the caller has claimed the name there. */
export async function writePlace(
  tx: Tx,
  id: string,
  place: { accountId: string; groupId: bigint; deploymentId: string; name: string },
): Promise<void> {
  await tx
    .updateTable('instance')
    .set({
      account_id: place.accountId,
      group_id: place.groupId,
      deployment_id: place.deploymentId,
      name: place.name,
    })
    .where('id', '=', id)
    .execute();
}

/** Notes what a VM's first disk is to be made from anew. @returns which imaging that is */
export async function writeImaging(
  tx: Tx,
  id: string,
  {
    imageUrl,
    imageSha256,
    sshKeys,
    distribution,
  }: { imageUrl: string; imageSha256: string | null; sshKeys: readonly string[]; distribution: string },
): Promise<number> {
  await tx
    .updateTable('instance')
    .set({ image_url: imageUrl, image_sha256: imageSha256, ssh_keys: [...sshKeys] })
    .where('id', '=', id)
    .execute();
  const { imaging } = await tx
    .updateTable('vm')
    .set((eb) => ({ imaging: eb('imaging', '+', 1), last_imaged_with: distribution }))
    .where('instance_id', '=', id)
    .returning('imaging')
    .executeTakeFirstOrThrow();
  return imaging;
}

/** VMs that have been out of sight since before `before`, at most `limit`. */
export async function listExpired(
  database: Database,
  { before, limit }: { before: Date; limit: number },
): Promise<{ id: string; accountId: string; accountName: string }[]> {
  const rows = await database
    .selectFrom('instance')
    .innerJoin('account', 'account.id', 'instance.account_id')
    .where('status', '=', 'soft-deleted')
    .where('status_changed_at', '<', before)
    .select(['instance.id', 'account_id', 'account.name'])
    .orderBy('status_changed_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ id: row.id, accountId: row.account_id, accountName: row.name }));
}
