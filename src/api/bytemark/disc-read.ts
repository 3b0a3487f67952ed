// Bytemark's calls that read discs. A disc is named by its number or, within a VM, by its label. What belongs to a deleted VM
// is shown where the VM is named.

import Type from 'typebox';
import { diskOf, listVms, readDisk, readVm } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';
import { DiscSchema, toDisc } from './disc-shape.ts';
import { DiscParams, discPath, OneDiscParams, VmParams, vmPath } from './path.ts';
import { filterOf, includesDeleted, ListQuerySchema } from './query.ts';

/** Adds the routes. */
export function discReadRoutes({ app, context, errors }: Api): void {
  app.get(
    '/discs',
    {
      schema: {
        operationId: 'listDiscs',
        summary: 'The discs of the VMs that one sees',
        querystring: ListQuerySchema,
        response: { 200: Type.Array(DiscSchema), ...errors(401) },
      },
    },
    async (request) => {
      const filter = { ...filterOf(request.query), includeDeleted: includesDeleted(request.query) };
      const vms = await listVms(context, await callerOf(context, request), filter);
      return vms.flatMap(({ disks }) => disks.map(toDisc));
    },
  );

  app.get(
    '/discs/:disc',
    {
      schema: {
        operationId: 'getDiscByNumber',
        summary: 'A disc by its number',
        params: OneDiscParams,
        response: { 200: DiscSchema, ...errors(401, 404) },
      },
    },
    async (request) => toDisc(await readDisk(context, await callerOf(context, request), request.params.disc)),
  );

  app.get(
    `${vmPath}/discs`,
    {
      schema: {
        operationId: 'listDiscsOfVirtualMachine',
        summary: "A VM's discs, in the order in which it sees them",
        params: VmParams,
        response: { 200: Type.Array(DiscSchema), ...errors(401, 404) },
      },
    },
    async (request) => {
      const vm = await readVm(context, await callerOf(context, request), request.params, true);
      return vm.disks.map(toDisc);
    },
  );

  app.get(
    discPath,
    {
      schema: {
        operationId: 'getDisc',
        summary: 'A disc of a VM',
        params: DiscParams,
        response: { 200: DiscSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const vm = await readVm(context, await callerOf(context, request), request.params, true);
      return toDisc(diskOf(vm, request.params.disc));
    },
  );
}
