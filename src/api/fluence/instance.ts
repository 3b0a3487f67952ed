// Fluence's calls of a VM's life, all on `/vms/v3`.

import { deploy } from '../../app/deployment.ts';
import { listInstances, readStatuses, updateInstances } from '../../app/instance.ts';
import { deleteInstances } from '../../app/instance-end.ts';
import { readIdempotencyKey } from '../idempotency.ts';
import { readQuoteHeader } from '../quote-header.ts';
import type { Api } from '../types.ts';
import { constraintsReader } from './constraints.ts';
import { deployFields, toDeployRequest, toVm, toVmStatus } from './mapping.ts';
import * as schema from './schema.ts';
import { PageQuerySchema, windowOf } from './shape.ts';

/** Adds the routes. */
export function instanceRoutes({ app, context, principalOf, errors }: Api): void {
  const readConstraints = constraintsReader(() => context.settings.fluence);

  app.post(
    '/vms/v3',
    {
      schema: {
        operationId: 'deployVms',
        summary: 'Deploy virtual machines, all or none',
        headers: schema.DeployHeadersSchema,
        body: schema.DeploySchema,
        response: { 201: schema.DeployedSchema, ...errors(400, 402, 403, 404, 409, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const key = readIdempotencyKey(request);
      const quote = readQuoteHeader(request);
      const whole = quote ? { body: request.body, quote: quote.id } : request.body;
      const idempotency = key === undefined ? undefined : { key, body: whole };
      const deployed = await deploy(
        context,
        principalOf(request),
        { ...toDeployRequest(request.body, readConstraints), quote },
        deployFields,
        idempotency,
      );
      return reply.code(201).send(deployed.map(({ id, name }) => ({ vmId: id, vmName: name })));
    },
  );

  app.get(
    '/vms/v3',
    {
      schema: {
        operationId: 'listVms',
        summary: 'List virtual machines',
        querystring: PageQuerySchema,
        response: { 200: { type: 'array', items: schema.VmSchema }, ...errors(400, 403) },
      },
    },
    async (request) => {
      const window = windowOf(request.query);
      return (await listInstances(context, principalOf(request), window)).map(toVm);
    },
  );

  app.get(
    '/vms/v3/status',
    {
      schema: {
        operationId: 'readVmStatuses',
        summary: 'Status of the named virtual machines, separated by commas',
        querystring: schema.StatusQuerySchema,
        response: { 200: { type: 'array', items: schema.VmStatusSchema }, ...errors(400, 403, 422) },
      },
    },
    async (request) => {
      const ids = (request.query.ids ?? '').split(',').filter((id) => id.length > 0);
      return (await readStatuses(context, principalOf(request), ids, 'ids')).map(toVmStatus);
    },
  );

  app.patch(
    '/vms/v3',
    {
      schema: {
        operationId: 'updateVms',
        summary: 'Rename virtual machines or replace their open ports, all or none',
        body: schema.UpdateSchema,
        response: { 204: schema.NothingSchema, ...errors(400, 403, 404, 409, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const updates = request.body.updates.map(({ id, vmName, openPorts }) => ({
        id,
        ...(vmName == null ? {} : { name: vmName }),
        ...(openPorts == null ? {} : { portRules: openPorts }),
      }));
      const fields = { list: 'updates', name: 'vmName', portRules: 'openPorts' };
      await updateInstances(context, principalOf(request), updates, fields);
      return reply.code(204).send(null);
    },
  );

  app.delete(
    '/vms/v3',
    {
      schema: {
        operationId: 'deleteVms',
        summary: 'Delete virtual machines, all or none',
        body: schema.DeleteSchema,
        response: { 200: schema.DeletedSchema, ...errors(400, 403, 404, 409, 413, 415, 422) },
      },
    },
    async (request) => {
      const removed = await deleteInstances(context, principalOf(request), request.body.vmIds, 'vmIds');
      return { removed_ids: removed, transactions: [] };
    },
  );
}
