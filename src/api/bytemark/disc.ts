// Bytemark's calls that change discs, each below its VM by number or label, or by its number alone.

import Type from 'typebox';
import { type AtVm, type Caller, reachVm } from '../../app/access.ts';
import { addDisk, changeDisk, deleteDisk } from '../../app/disk.ts';
import { type DiskRow, diskOf, readDisk, readDiskById, readVmById } from '../../app/overview.ts';
import { BerthError } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { DiscSchema, toDisc } from './disc-shape.ts';
import { DiscParams, discPath, OneDiscParams, VmParams, vmPath } from './path.ts';
import { NothingSchema } from './shape.ts';

const PurgeQuery = Type.Object({ purge: Type.Optional(Type.String()) });

/** Adds the routes. */
export function discRoutes({ app, context, errors }: Api): void {
  type References = { disc: string } | { account: string; group: string; vm: string; disc: string };

  /** A disc that the caller may change, and its VM. */
  async function reachDisc(caller: Caller, references: References): Promise<{ at: AtVm; disk: DiskRow }> {
    if ('vm' in references) {
      const at = await reachVm(context, caller, references, 'vm_admin');
      return { at, disk: diskOf(await readVmById(context, at.vm.id), references.disc) };
    }
    const disk = await readDisk(context, caller, references.disc);
    return { at: await reachVm(context, caller, { vm: String(disk.vmNumber) }, 'vm_admin'), disk };
  }

  app.post(
    `${vmPath}/discs`,
    {
      schema: {
        operationId: 'createDisc',
        summary: 'Give a VM one more disc, blank, which it sees at once where its hardware can',
        params: VmParams,
        response: { 200: DiscSchema, ...errors(400, 401, 403, 404, 503) },
      },
    },
    async (request) => {
      const at = await reachVm(context, await callerOf(context, request), request.params, 'vm_admin');
      const given = attributesOf(request.body);
      const disk = {
        label: given.filledText('label'),
        sizeMib: given.number('size'),
        grade: given.filledText('storage_grade'),
      };
      return toDisc(await readDiskById(context, await addDisk(context, at, disk, given.faults)));
    },
  );

  for (const { path, operationId, params } of [
    { path: discPath, operationId: 'updateDisc', params: DiscParams },
    { path: '/discs/:disc', operationId: 'updateDiscByNumber', params: OneDiscParams },
  ] as const) {
    app.put(
      path,
      {
        schema: {
          operationId,
          summary: 'Make a disc larger, move it to another VM of its head, or bound how busy it may be',
          params,
          response: { 200: DiscSchema, ...errors(400, 401, 403, 404, 503) },
        },
      },
      async (request) => {
        const caller = await callerOf(context, request);
        const { at, disk } = await reachDisc(caller, request.params);
        const given = attributesOf(request.body);
        const vmNumber = given.number('virtual_machine_id');
        const change = {
          label: given.filledText('label'),
          sizeMib: given.number('size'),
          iopsLimit: given.raw('iops_limit') === null ? null : given.number('iops_limit'),
          to: vmNumber === undefined ? undefined : { number: vmNumber },
        };
        await changeDisk(context, caller, at, disk.id, change, given.faults);
        return toDisc(await readDiskById(context, disk.id));
      },
    );
  }

  for (const { path, operationId, params } of [
    { path: discPath, operationId: 'deleteDisc', params: DiscParams },
    { path: '/discs/:disc', operationId: 'deleteDiscByNumber', params: OneDiscParams },
  ] as const) {
    app.delete(
      path,
      {
        schema: {
          operationId,
          summary: 'Erase a disc of a VM that is off; only with purge=true, as nothing brings it back',
          params,
          querystring: PurgeQuery,
          response: { 204: NothingSchema, ...errors(400, 401, 403, 404, 500, 503) },
        },
      },
      async (request, reply) => {
        const { at, disk } = await reachDisc(await callerOf(context, request), request.params);
        if (request.query.purge !== 'true') {
          // A mistake of the caller's, and yet a 500: so the API has it, and so its clients read it.
          throw new BerthError('internal', 'A disc is erased for good or not at all: add purge=true.');
        }
        await deleteDisk(context, at, disk.id);
        return reply.code(204).send(null);
      },
    );
  }
}
