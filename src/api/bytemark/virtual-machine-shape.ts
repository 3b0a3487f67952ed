// A VM as this dialect shows it, alone or with its discs and network interfaces. (Bytemark API: virtual machines.)

import Type, { type Static } from 'typebox';
import type { VmRow } from '../../store/overview.ts';
import { DiscSchema, toDisc } from './disc-shape.ts';
import { NicSchema, toNic } from './nic-shape.ts';
import { IdSchema, mediaType, Nullable } from './shape.ts';

const fields = {
  autoreboot_on: Type.Boolean(),
  cdrom_url: Nullable(Type.String()),
  cores: Type.Integer(),
  deleted: Type.Boolean(),
  group_id: IdSchema,
  hardware_profile: Type.String(),
  hardware_profile_locked: Type.Boolean(),
  head: Nullable(Type.String({ description: 'The host that it is on; null while it comes up for the first time' })),
  hostname: Type.String(),
  id: IdSchema,
  keymap: Nullable(Type.String()),
  last_imaged_with: Nullable(Type.String()),
  management_address: Nullable(Type.String()),
  memory: Type.Integer({ description: 'In MiB' }),
  name: Type.String(),
  power_on: Type.Boolean({ description: 'Whether it is on now' }),
  type: Type.String(),
  zone_name: Nullable(Type.String()),
};

/** The parts that an overview of VMs adds. */
const parts = { discs: Type.Array(DiscSchema), network_interfaces: Type.Array(NicSchema) };

/** A VM, alone or as an overview shows it. */
export const VirtualMachineSchema = Type.Object({
  ...fields,
  discs: Type.Optional(parts.discs),
  network_interfaces: Type.Optional(parts.network_interfaces),
});
export type VirtualMachine = Static<typeof VirtualMachineSchema>;

/** A VM by itself. @param domain what its host name ends in */
export function toVirtualMachine(
  vm: Omit<VmRow, 'disks' | 'addresses' | 'vlanNumber'>,
  domain: string,
): VirtualMachine {
  return {
    autoreboot_on: vm.autoreboot,
    cdrom_url: vm.cdromUrl,
    cores: vm.vcpus,
    deleted: vm.status === 'soft-deleted',
    group_id: Number(vm.groupId),
    hardware_profile: vm.hardwareProfile,
    hardware_profile_locked: vm.hardwareProfileLocked,
    head: vm.status === 'launching' && !vm.hasRun ? null : vm.host,
    hostname: `${vm.name}.${vm.groupName}.${vm.accountName}.${domain}`,
    id: Number(vm.number),
    keymap: vm.keymap,
    last_imaged_with: vm.lastImagedWith,
    management_address: vm.managementAddress,
    memory: vm.memoryMib,
    name: vm.name,
    power_on: vm.status === 'active',
    type: mediaType('virtual-machine'),
    zone_name: vm.datacenter,
  };
}

/** A VM with its discs and network interfaces. @param domain what its host name ends in */
export function toVirtualMachineOverview(vm: VmRow, domain: string): VirtualMachine {
  return { ...toVirtualMachine(vm, domain), discs: vm.disks.map(toDisc), network_interfaces: [toNic(vm)] };
}
