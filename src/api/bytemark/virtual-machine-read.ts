// Bytemark's calls that read VMs.

import Type from 'typebox';
import { listVms, readGroup, readVm, type VmRow } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';
import { GroupParams, groupPath, OneVmParams, VmParams, vmPath } from './path.ts';
import { filterOf, includesDeleted, isOverview, ListQuerySchema, type View, ViewSchema } from './query.ts';
import { toVirtualMachine, toVirtualMachineOverview, VirtualMachineSchema } from './virtual-machine-shape.ts';

/** Adds the routes. */
export function virtualMachineReadRoutes({ app, context, errors }: Api): void {
  const shown = (vm: VmRow, view: View) => {
    const { domain } = context.settings.bytemark;
    return isOverview(view) ? toVirtualMachineOverview(vm, domain) : toVirtualMachine(vm, domain);
  };

  app.get(
    '/virtual_machines',
    {
      schema: {
        operationId: 'listVirtualMachines',
        summary: 'The VMs that one sees, the oldest first',
        querystring: ListQuerySchema,
        response: { 200: Type.Array(VirtualMachineSchema), ...errors(401) },
      },
    },
    async (request) => {
      const filter = { ...filterOf(request.query), includeDeleted: includesDeleted(request.query) };
      const vms = await listVms(context, await callerOf(context, request), filter);
      return vms.map((vm) => shown(vm, request.query));
    },
  );

  app.get(
    `${groupPath}/virtual_machines`,
    {
      schema: {
        operationId: 'listVirtualMachinesOfGroup',
        summary: 'The VMs of a group that one sees, the oldest first',
        params: GroupParams,
        querystring: ViewSchema,
        response: { 200: Type.Array(VirtualMachineSchema), ...errors(401, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { id: group } = await readGroup(context, caller, request.params);
      const vms = await listVms(context, caller, { group, includeDeleted: includesDeleted(request.query) });
      return vms.map((vm) => shown(vm, request.query));
    },
  );

  for (const { path, operationId, params } of [
    { path: '/virtual_machines/:vm', operationId: 'getVirtualMachineByNumber', params: OneVmParams },
    { path: vmPath, operationId: 'getVirtualMachine', params: VmParams },
  ]) {
    app.get(
      path,
      {
        schema: {
          operationId,
          summary: 'A VM; with its discs and network interfaces in an overview',
          params,
          querystring: ViewSchema,
          response: { 200: VirtualMachineSchema, ...errors(401, 404) },
        },
      },
      async (request) => {
        const caller = await callerOf(context, request);
        const vm = await readVm(context, caller, request.params, includesDeleted(request.query));
        return shown(vm, request.query);
      },
    );
  }
}
