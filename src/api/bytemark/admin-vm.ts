// Bytemark's calls that show VMs and discs by where they are, for who runs the cluster. Nothing migrates here: a VM stays on the
// host that it was made on. (Bytemark API: admin.)

import type { FastifyRequest } from 'fastify';
import Type from 'typebox';
import { requireCluster } from '../../app/access.ts';
import {
  listDisksIn,
  listNewestVms,
  listVmsIn,
  listVmsOf,
  listWaitingVms,
  readHead,
  readPool,
} from '../../app/host-overview.ts';
import type { DiskRow, VmRow } from '../../app/overview.ts';
import { BerthError, InvalidFields } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';
import { DiscSchema, toDisc } from './disc-shape.ts';
import { NothingSchema } from './shape.ts';
import { toVirtualMachineOverview, VirtualMachineSchema } from './virtual-machine-shape.ts';

const RefParams = Type.Object({ ref: Type.String({ description: 'Number or label' }) });
const AtQuery = Type.Object({ at: Type.Optional(Type.String({ description: 'Only the present is known' })) });

/** What asks for a migration. */
const migrations = [
  ['POST', 'heads/:ref/empty', 'emptyHead'],
  ['POST', 'storage_pools/:ref/empty', 'emptyStoragePool'],
  ['POST', 'discs/:ref/migrate', 'migrateDisc'],
  ['POST', 'discs/:ref/regrade', 'regradeDisc'],
  ['POST', 'vms/:ref/migrate', 'migrateVirtualMachine'],
  ['POST', 'migration_jobs', 'createMigrationJob'],
] as const;

/** Adds the routes. */
export function adminVmRoutes({ app, context, errors }: Api): void {
  const requireOperator = async (request: FastifyRequest) => requireCluster(await callerOf(context, request));
  const showVm = (vm: VmRow) => toVirtualMachineOverview(vm, context.settings.bytemark.domain);

  for (const [path, operationId, summary, list] of [
    ['migrating_vms', 'listMigratingVirtualMachines', 'VMs that are moving to another host: none', async () => []],
    ['stopped_eligible_vms', 'listWaitingVirtualMachines', 'VMs that should be on and are not yet', listWaitingVms],
    ['recent_vms', 'listRecentVirtualMachines', 'The VMs that were made last, the newest first', listNewestVms],
  ] as const) {
    const response = { 200: Type.Array(VirtualMachineSchema), ...errors(401, 403) };
    app.get(`/admin/${path}`, { schema: { operationId, summary, response } }, async (request) => {
      await requireOperator(request);
      const vms: VmRow[] = await list(context);
      return vms.map(showVm);
    });
  }

  for (const [path, operationId, summary] of [
    ['migrating_discs', 'listMigratingDiscs', 'Discs that are moving to another storage pool: none'],
    ['migration_jobs', 'listMigrationJobs', 'Orders to move discs: none'],
  ] as const) {
    const response = { 200: Type.Array(DiscSchema), ...errors(401, 403) };
    app.get(`/admin/${path}`, { schema: { operationId, summary, response } }, async (request) => {
      await requireOperator(request);
      return [];
    });
  }

  const vmsOfHost = async (ref: string) => listVmsOf(context, await readHead(context, ref));
  for (const [path, operationId, list] of [
    ['heads', 'listVirtualMachinesOfHead', vmsOfHost],
    ['tails', 'listVirtualMachinesOfTail', vmsOfHost],
    [
      'storage_pools',
      'listVirtualMachinesOfStoragePool',
      async (ref: string) => listVmsIn(context, await readPool(context, ref)),
    ],
  ] as const) {
    app.get(
      `/admin/${path}/:ref/virtual_machines`,
      {
        schema: {
          operationId,
          summary: 'The VMs there, also those that are deleted and can be restored',
          params: RefParams,
          querystring: AtQuery,
          response: { 200: Type.Array(VirtualMachineSchema), ...errors(400, 401, 403, 404) },
        },
      },
      async (request) => {
        await requireOperator(request);
        requirePresent(request.query);
        return (await list(request.params.ref)).map(showVm);
      },
    );
  }

  const disksOfHost = async (ref: string): Promise<DiskRow[]> => (await vmsOfHost(ref)).flatMap(({ disks }) => disks);
  for (const [path, operationId, list] of [
    ['tails', 'listDiscsOfTail', disksOfHost],
    [
      'storage_pools',
      'listDiscsOfStoragePool',
      async (ref: string) => listDisksIn(context, await readPool(context, ref)),
    ],
  ] as const) {
    app.get(
      `/admin/${path}/:ref/discs`,
      {
        schema: {
          operationId,
          summary: 'The discs there',
          params: RefParams,
          querystring: AtQuery,
          response: { 200: Type.Array(DiscSchema), ...errors(400, 401, 403, 404) },
        },
      },
      async (request) => {
        await requireOperator(request);
        requirePresent(request.query);
        return (await list(request.params.ref)).map(toDisc);
      },
    );
  }

  for (const [method, path, operationId] of migrations) {
    app.route({
      method,
      url: `/admin/${path}`,
      schema: {
        operationId,
        summary: 'Refused: nothing is moved between hosts',
        response: { 204: NothingSchema, ...errors(400, 401, 403) },
      },
      handler: async (request) => {
        await requireOperator(request);
        const message = 'VMs and discs stay on their host; to empty it, drain it and make them anew elsewhere.';
        throw new BerthError('unsupported', message);
      },
    });
  }
}

/** @throws InvalidFields where the past is asked for */
function requirePresent({ at }: { at?: string }): void {
  if (at) throw new InvalidFields({ at: ['is not kept: only what is there now can be shown'] });
}
