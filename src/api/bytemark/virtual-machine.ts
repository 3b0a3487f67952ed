// Bytemark's calls that change a VM: its power and machine, its name and group, its image; delete, restore and purge it.
// (Bytemark API: virtual machines.)

import Type from 'typebox';
import { reachVm } from '../../app/access.ts';
import { changeVm, type VmChange } from '../../app/vm-change.ts';
import { deleteVm, purgeVm } from '../../app/vm-delete.ts';
import { reimageVm } from '../../app/vm-reimage.ts';
import type { Api } from '../types.ts';
import { Attributes, attributesOf, isHash } from './attributes.ts';
import { callerOf } from './caller.ts';
import { VmParams, vmPath } from './path.ts';
import { ReimageSchema, readImaging, toReimage } from './reimage-shape.ts';
import { toVirtualMachine, VirtualMachineSchema } from './virtual-machine-shape.ts';

/** Adds the routes. */
export function virtualMachineRoutes({ app, context, errors }: Api): void {
  app.put(
    vmPath,
    {
      schema: {
        operationId: 'updateVirtualMachine',
        summary: 'Change what is named of a VM; answered when its power is as asked',
        params: VmParams,
        response: { 200: VirtualMachineSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const at = await reachVm(context, caller, request.params, 'vm_admin');
      const given = attributesOf(request.body);
      const vm = await changeVm(context, caller, at, readChange(given), given.faults);
      return toVirtualMachine(vm, context.settings.bytemark.domain);
    },
  );

  app.delete(
    vmPath,
    {
      schema: {
        operationId: 'deleteVirtualMachine',
        summary: 'Delete a VM so that it can be brought back, or purge it',
        params: VmParams,
        querystring: Type.Object({ purge: Type.Optional(Type.String({ description: '"true" erases it for good' })) }),
        response: { 204: Type.Null(), ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request, reply) => {
      const caller = await callerOf(context, request);
      const at = await reachVm(context, caller, request.params, 'vm_admin');
      const isPurge = request.query.purge === 'true' || request.query.purge === '1';
      await (isPurge ? purgeVm(context, at) : deleteVm(context, at));
      return reply.code(204).send(null);
    },
  );

  app.post(
    `${vmPath}/reimage`,
    {
      schema: {
        operationId: 'reimageVirtualMachine',
        summary: 'Make the first disc of a VM that is off anew from a distribution, and switch it on',
        params: VmParams,
        response: { 200: ReimageSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const at = await reachVm(context, caller, request.params, 'vm_admin');
      const given = attributesOf(request.body);
      const imaging = readImaging(given);
      await reimageVm(context, at, imaging, given.faults);
      return toReimage(imaging);
    },
  );
}

function readChange(given: Attributes): VmChange {
  return {
    name: given.text('name'),
    groupId: given.number('group_id'),
    vcpus: given.number('cores'),
    memoryMib: given.number('memory'),
    hardwareProfile: given.filledText('hardware_profile'),
    hardwareProfileLocked: given.flag('hardware_profile_locked'),
    cdromUrl: given.clearableText('cdrom_url'),
    keymap: given.clearableText('keymap'),
    autoreboot: given.flag('autoreboot_on'),
    powerOn: given.flag('power_on'),
    isRestored: given.flag('deleted') === false ? true : undefined,
    appliance: readAppliance(given),
  };
}

/** Clients read faults no deeper than by field, so what can't be read within this one is a fault of the whole. */
function readAppliance(given: Attributes): VmChange['appliance'] {
  const value = given.raw('appliance') ?? undefined;
  if (value === undefined) return undefined;
  const hash = new Attributes(value);
  const appliance = { name: hash.filledText('name') ?? null, isPermanent: hash.flag('permanent') ?? false };
  const isReadable = isHash(value) && Object.keys(hash.faults).length === 0;
  return isReadable ? appliance : given.refuse('appliance', 'is invalid');
}
