// Making a VM with its disks, image and addresses: one transaction from its name to its last event. Whatever is refused leaves
// nothing behind; what was answered is durable, and its host brings it up afterwards.

import { BerthError, type FieldFaults, InvalidFields } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { hardwareProfiles } from '../model/machine.ts';
import { type PortRule, sshPortRule } from '../model/port-rule.ts';
import type { QuoteRef } from '../model/quote.ts';
import { defaultPoolLabel, poolName } from '../model/storage-pool.ts';
import { type Imaging, memoryStepMib, type VmAttributes, vmFaults } from '../model/vm.ts';
import { placeVm } from '../placement/place-vm.ts';
import { insertBackupSchedules } from '../store/backup-schedule.ts';
import { isBalanceShort, isGroupGone, isUnavailable, type Tx } from '../store/database.ts';
import { insertDeployment, type NewDeployment, type Written } from '../store/deployment.ts';
import { readManagementAddress } from '../store/management-address.ts';
import { findVm } from '../store/vm.ts';
import type { AtGroup } from './access.ts';
import { checkChosenAddresses } from './address.ts';
import type { CheckedSchedule } from './backup-schedule.ts';
import { firstBill } from './billing.ts';
import type { Context } from './context.ts';
import { wasCommitted } from './lost-commit.ts';
import { type DiskRow, readVmById, type VmRow } from './overview.ts';
import { type Attempt, inFreePlace, takePlaces } from './placing.ts';
import { tooLittle } from './too-little.ts';
import {
  cdromFaults,
  checkDisks,
  checkImaging,
  type DiskRequest,
  mergeFaults,
  requireNone,
  zoneFaults,
} from './vm-request.ts';

/** A VM as it is asked for; what is undefined has a default. */
export interface VmRequest {
  attributes: VmAttributes & {
    hardwareProfileLocked?: boolean | undefined;
    autoreboot?: boolean | undefined;
    powerOn?: boolean | undefined;
    cdromUrl?: string | null | undefined;
    zone?: string | undefined;
  };
  /** The one that it starts from first. */
  disks: readonly DiskRequest[];
  imaging: Imaging | null;
  addresses: { ipv4: string | null; ipv6: string | null };
  /** What it is to be placed in; left out, where the market has room. */
  quote?: QuoteRef | undefined;
}

/** What of a request could not be read, by field; of the disks, for each. */
export interface Unread {
  fields: FieldFaults;
  disks: readonly FieldFaults[];
}

/** A VM that was just made, as far as that is shown. */
export type MadeVm = Omit<VmRow, 'addresses' | 'vlanNumber'>;

/**
 * Makes a VM in a group.
 * @returns it, durable
 * @throws InvalidFields with all that is wrong, and BerthError for what is found out later; then nothing was written
 */
export async function createVm(context: Context, at: AtGroup, request: VmRequest, unread: Unread): Promise<MadeVm> {
  const { deployment, schedules } = await checkRequest(context, at, request, unread);
  const { vcpus, memoryMib, disks } = deployment;
  const wanted = { vm: { vcpus, memoryMib, disks, addresses: 1 }, datacenter: request.attributes.zone ?? null };
  let tried: Attempt | undefined;
  const triedId = () => tried?.shares[0]?.instances[0]?.id ?? '';
  let written: Written | undefined;
  try {
    written = await inFreePlace(context, {
      count: 1,
      disks: disks.length,
      quote: request.quote && { ref: request.quote, accountId: at.account.id },
      look: (market, lessons) => placeVm(market, { ...wanted, ...lessons }),
      write: (tx, attempt) => {
        tried = attempt;
        return write(tx, deployment, schedules, attempt);
      },
    });
  } catch (error) {
    if (isBalanceShort(error)) throw await tooLittle(context, deployment, tried?.placed.placements ?? []);
    if (isGroupGone(error)) throw new BerthError('not_found', `There is no group ${at.group.name} any more.`);
    const isThere = async () => (await findVm(context.database, { id: triedId() })) !== undefined;
    if (!isUnavailable(error) || !tried || !(await wasCommitted(isThere))) throw error;
  }
  const isPlain = schedules.every((list) => list.length === 0) && tried?.shares[0]?.apartGrades.length === 0;
  if (written && tried && isPlain) return madeVm(context, at, deployment, tried, written);
  return readVmById(context, triedId(), ['disks', 'backups']);
}

/** What was written, without reading it again: `vm_create` is called as often as deployments are made. */
async function madeVm(
  { database }: Context,
  { account, group }: AtGroup,
  deployment: NewDeployment,
  { placed, shares }: Attempt,
  { hostName, numbers }: Written,
): Promise<MadeVm> {
  const { id = '', diskIds = [] } = shares[0]?.instances[0] ?? {};
  const { vm, name, vcpus, memoryMib } = deployment;
  const number = numbers.get(id) ?? 0n;
  const ofDisk = { vmNumber: number, iopsLimit: null, pool: poolName(hostName, defaultPoolLabel), backups: 0 };
  const disks = deployment.disks.map((disk, index): DiskRow => {
    const diskId = diskIds[index] ?? '';
    return { ...ofDisk, ...disk, id: diskId, number: numbers.get(diskId) ?? 0n, backupSchedules: [] };
  });
  return {
    ...{
      id,
      number,
      name,
      vcpus,
      memoryMib,
      disks,
      accountName: account.name,
      groupId: group.id,
      groupName: group.name,
    },
    status: vm.desired === 'running' ? 'launching' : 'stopped',
    hasRun: false,
    host: hostName,
    datacenter: placed.placements[0]?.host.datacenter?.slug ?? null,
    hardwareProfile: vm.hardwareProfile,
    hardwareProfileLocked: vm.hardwareProfileLocked,
    autoreboot: vm.autoreboot,
    cdromUrl: vm.cdromUrl,
    keymap: vm.keymap,
    lastImagedWith: vm.distribution,
    managementAddress: await readManagementAddress(database, id),
  };
}

/** @param schedules of backups, for each disk */
async function write(
  tx: Tx,
  deployment: NewDeployment,
  schedules: readonly CheckedSchedule[][],
  attempt: Attempt,
): Promise<Written | undefined> {
  const { id, accountId, groupId, name, createdAt } = deployment;
  if (!(await insertDeployment(tx, { id, accountId, groupId, name, now: createdAt }))) {
    throw new InvalidFields({ name: ['has already been taken'] });
  }
  if (attempt.placed.placed === 0) {
    const message =
      'No host has room for such a VM now: ask for fewer cores, less memory or smaller discs, or try later.';
    throw new BerthError('no_suitable_offer', message);
  }
  const [written] = await takePlaces(tx, deployment, attempt);
  const diskIds = attempt.shares[0]?.instances[0]?.diskIds ?? [];
  await insertBackupSchedules(
    tx,
    diskIds.flatMap((diskId, index) => (schedules[index] ?? []).map((one) => ({ diskId, ...one, doneAt: createdAt }))),
  );
  return written;
}

/** Holds a request against everything that needs no place. @throws InvalidFields */
async function checkRequest(
  context: Context,
  { account, group, principal }: AtGroup,
  { attributes, disks: givenDisks, imaging: givenImaging, addresses }: VmRequest,
  unread: Unread,
): Promise<{ deployment: NewDeployment; schedules: CheckedSchedule[][] }> {
  const { name = '', vcpus = 1, memoryMib = memoryStepMib, zone = null, cdromUrl = null, keymap = null } = attributes;
  const { disks, schedules, faults: diskFaults } = checkDisks(context, givenDisks, unread.disks);
  const { imaging, faults: imagingFaults } = givenImaging
    ? await checkImaging(context, account.id, givenImaging)
    : { imaging: null, faults: {} };
  const autoreboot = attributes.autoreboot ?? true;
  const boots = givenImaging !== null || cdromUrl !== null;
  const isOn = attributes.powerOn === true || (boots && autoreboot);
  const { chosen, faults: addressFaults } = await checkChosenAddresses(context, group.id, addresses);
  requireNone(
    mergeFaults(
      unread.fields,
      vmFaults({ ...attributes, name, vcpus, memoryMib }),
      diskFaults,
      imagingFaults,
      addressFaults,
      await zoneFaults(context, zone),
      await cdromFaults(context, cdromUrl),
      givenImaging && disks.length === 0 ? { discs: [{ base: ['one is needed to put the distribution on'] }] } : {},
      isOn && disks.length === 0 && !boots ? { power_on: ['needs a disc or a CD to start from'] } : {},
    ),
  );
  const createdAt = context.clock.now();
  const deployment: NewDeployment = {
    id: newUuid(context.entropy),
    accountId: account.id,
    groupId: group.id,
    actor: principal.actor,
    name,
    hostname: name,
    vcpus,
    memoryMib,
    disks,
    vm: {
      desired: isOn ? 'running' : 'off',
      hardwareProfile: attributes.hardwareProfile ?? hardwareProfiles[0],
      hardwareProfileLocked: attributes.hardwareProfileLocked ?? false,
      autoreboot,
      cdromUrl,
      keymap,
      allPortsOpen: true,
      distribution: imaging?.distribution ?? null,
      sealedSecrets: imaging?.sealedSecrets ?? null,
    },
    imageUrl: imaging?.imageUrl ?? null,
    imageSha256: imaging?.imageSha256 ?? null,
    sshKeys: imaging?.sshKeys ?? [],
    portRules: openPorts(context),
    addresses: chosen,
    createdAt,
    bill: firstBill(context, createdAt),
  };
  return { deployment, schedules };
}

/** What is open where not every port can be. */
function openPorts({ settings }: Context): PortRule[] {
  const ports = new Set([sshPortRule.port, ...settings.bytemark.openPorts]);
  return [...ports].map((port) => ({ port, protocol: 'tcp' }));
}
