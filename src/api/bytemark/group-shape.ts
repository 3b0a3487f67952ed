// A group as this dialect shows it, alone or with its VMs. (Bytemark API: groups.)

import Type, { type Static } from 'typebox';
import type { GroupOverview, GroupRow } from '../../app/overview.ts';
import { IdSchema, mediaType } from './shape.ts';
import { toVirtualMachineOverview, VirtualMachineSchema } from './virtual-machine-shape.ts';

/** A group, alone or as an overview shows it. */
export const GroupSchema = Type.Object({
  account_id: IdSchema,
  id: IdSchema,
  name: Type.String(),
  type: Type.String(),
  virtual_machines: Type.Optional(Type.Array(VirtualMachineSchema)),
});
export type Group = Static<typeof GroupSchema>;

/** A group by itself. */
export const toGroup = ({ id, accountNumber, name }: GroupRow): Group => ({
  account_id: Number(accountNumber),
  id: Number(id),
  name,
  type: mediaType('group'),
});

/** A group with its VMs. @param domain what their host names end in */
export const toGroupOverview = (group: GroupOverview, domain: string): Group => ({
  ...toGroup(group),
  virtual_machines: group.vms.map((vm) => toVirtualMachineOverview(vm, domain)),
});
