// Bytemark's calls that make a VM: with its discs, image and addresses in one, or bare. (Bytemark API: vm_create.)

import Type from 'typebox';
import { reachGroup } from '../../app/access.ts';
import type { ScheduleRequest } from '../../app/backup-schedule.ts';
import { createVm, type Unread, type VmRequest } from '../../app/vm-create.ts';
import type { FieldFaults } from '../../model/errors.ts';
import { quoteHeader, readQuoteHeader } from '../quote-header.ts';
import type { Api } from '../types.ts';
import { Attributes, attributesOf } from './attributes.ts';
import { readSchedule } from './backup-shape.ts';
import { callerOf } from './caller.ts';
import { DiscSchema, toDisc } from './disc-shape.ts';
import { GroupParams, groupPath } from './path.ts';
import { ReimageSchema, readImaging, toReimage } from './reimage-shape.ts';
import { toVirtualMachine, VirtualMachineSchema } from './virtual-machine-shape.ts';

const CreatedSchema = Type.Object({
  virtual_machine: VirtualMachineSchema,
  discs: Type.Array(DiscSchema),
  reimage: Type.Optional(ReimageSchema),
});

/** Adds the routes. */
export function vmCreateRoutes({ app, context, errors }: Api): void {
  app.post(
    `${groupPath}/vm_create`,
    {
      schema: {
        operationId: 'createVirtualMachine',
        summary: 'Make a VM with its discs, image and addresses; it is brought up in the background',
        params: GroupParams,
        headers: Type.Object(quoteHeader),
        response: { 202: CreatedSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const caller = await callerOf(context, request);
      const at = await reachGroup(context, caller, request.params, 'group_admin');
      const { asked, unread } = readWhole(request.body);
      const vm = await createVm(context, at, { ...asked, quote: readQuoteHeader(request) }, unread);
      return reply.code(202).send({
        virtual_machine: toVirtualMachine(vm, context.settings.bytemark.domain),
        discs: vm.disks.map(toDisc),
        ...(asked.imaging ? { reimage: toReimage(asked.imaging) } : {}),
      });
    },
  );

  app.post(
    `${groupPath}/virtual_machines`,
    {
      schema: {
        operationId: 'createBareVirtualMachine',
        summary: 'Make a VM without discs, which is not imaged',
        params: GroupParams,
        headers: Type.Object(quoteHeader),
        response: { 202: VirtualMachineSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const caller = await callerOf(context, request);
      const at = await reachGroup(context, caller, request.params, 'group_admin');
      const given = attributesOf(request.body);
      const bare = { disks: [], imaging: null, addresses: { ipv4: null, ipv6: null } };
      const asked = { attributes: readAttributes(given), ...bare, quote: readQuoteHeader(request) };
      const vm = await createVm(context, at, asked, { fields: given.faults, disks: [] });
      return reply.code(202).send(toVirtualMachine(vm, context.settings.bytemark.domain));
    },
  );
}

/** What a whole `vm_create` asks for, and what of it can't be read. */
function readWhole(body: unknown): { asked: VmRequest; unread: Unread } {
  const whole = attributesOf(body);
  const vm = attributesOf(whole.raw('virtual_machine'));
  const discs = (whole.list('discs') ?? []).map((disc) => new Attributes(disc));
  const reimage = whole.raw('reimage') == null ? null : attributesOf(whole.raw('reimage'));
  const ips = attributesOf(whole.raw('ips'));
  const asked = {
    attributes: readAttributes(vm),
    disks: discs.map((disc) => ({
      label: disc.filledText('label'),
      sizeMib: disc.number('size'),
      grade: disc.filledText('storage_grade'),
      schedules: readSchedules(disc),
    })),
    imaging: reimage && readImaging(reimage),
    addresses: { ipv4: ips.filledText('ipv4') ?? null, ipv6: ips.filledText('ipv6') ?? null },
  };
  // Clients read nothing but a list of hashes here, whatever was sent.
  const ofDiscs: FieldFaults = whole.faults.discs ? { discs: [{ base: ['is invalid'] }] } : {};
  const fields = { ...ips.faults, ...reimage?.faults, ...ofDiscs, ...vm.faults };
  return { asked, unread: { fields, disks: discs.map(({ faults }) => faults) } };
}

function readSchedules(disc: Attributes): ScheduleRequest[] {
  const field = 'backup_schedules';
  return (disc.list(field) ?? []).map((value) => {
    const given = new Attributes(value);
    const schedule = readSchedule(given);
    for (const [name, faults] of Object.entries(given.faults)) disc.refuse(field, `${name} ${faults.join(', ')}`);
    return schedule;
  });
}

function readAttributes(given: Attributes): VmRequest['attributes'] {
  return {
    name: given.text('name'),
    vcpus: given.number('cores'),
    memoryMib: given.number('memory'),
    hardwareProfile: given.filledText('hardware_profile'),
    hardwareProfileLocked: given.flag('hardware_profile_locked'),
    keymap: given.clearableText('keymap'),
    cdromUrl: given.clearableText('cdrom_url'),
    autoreboot: given.flag('autoreboot_on'),
    powerOn: given.flag('power_on'),
    zone: given.filledText('zone_name'),
  };
}
