// Bytemark's calls that read network interfaces. Each VM has one, with the VM's own number.

import Type from 'typebox';
import { listVms, readNic, readVm, requireNic } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';
import { NicSchema, toNic } from './nic-shape.ts';
import { NicParams, nicPath, OneNicParams, VmParams, vmPath } from './path.ts';
import { filterOf, includesDeleted, ListQuerySchema } from './query.ts';

/** Adds the routes. */
export function nicReadRoutes({ app, context, errors }: Api): void {
  app.get(
    '/nics',
    {
      schema: {
        operationId: 'listNics',
        summary: 'The network interfaces of the VMs that one sees',
        querystring: ListQuerySchema,
        response: { 200: Type.Array(NicSchema), ...errors(401) },
      },
    },
    async (request) => {
      const filter = { ...filterOf(request.query), includeDeleted: includesDeleted(request.query) };
      return (await listVms(context, await callerOf(context, request), filter)).map(toNic);
    },
  );

  app.get(
    '/nics/:nic',
    {
      schema: {
        operationId: 'getNicByNumber',
        summary: 'A network interface',
        params: OneNicParams,
        response: { 200: NicSchema, ...errors(401, 404) },
      },
    },
    async (request) => toNic(await readNic(context, await callerOf(context, request), request.params.nic)),
  );

  app.get(
    `${vmPath}/nics`,
    {
      schema: {
        operationId: 'listNicsOfVirtualMachine',
        summary: "A VM's network interfaces: one",
        params: VmParams,
        response: { 200: Type.Array(NicSchema), ...errors(401, 404) },
      },
    },
    async (request) => [toNic(await readVm(context, await callerOf(context, request), request.params, true))],
  );

  app.get(
    nicPath,
    {
      schema: {
        operationId: 'getNic',
        summary: 'A network interface of a VM',
        params: NicParams,
        response: { 200: NicSchema, ...errors(401, 404) },
      },
    },
    async (request) => {
      const vm = await readVm(context, await callerOf(context, request), request.params, true);
      return toNic(requireNic(vm, request.params.nic));
    },
  );
}
