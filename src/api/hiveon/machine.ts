// Hiveon's machines: slots that can be rented.

import Type from 'typebox';
import { listSlots, readSlot } from '../../app/slot.ts';
import { parseSlotFilter } from '../../model/slot-filter.ts';
import type { Api } from '../types.ts';
import { machineObject } from './mapping.ts';
import * as schema from './schema.ts';

/** Adds the routes. */
export function machineRoutes({ app, context, errors }: Api): void {
  app.get(
    '/vendors/v1/machines',
    {
      schema: {
        operationId: 'listMachines',
        summary: 'List machines',
        description: 'A filter is a comma-separated list such as `gpu_name:RTX 3090,memory_size:24GB`.',
        querystring: schema.MachineQuerySchema,
        response: { 200: schema.MachineListSchema, ...errors(400, 401) },
      },
    },
    async (request) => {
      const window = schema.windowOf(request.query);
      const filter = parseSlotFilter(request.query.filter ?? '', 'filter');
      const { total, slots } = await listSlots(context, filter, window);
      return { ...schema.pagingOf(total, window), machines: slots.map(machineObject) };
    },
  );

  app.get(
    '/vendors/v1/machines/:id',
    {
      schema: {
        operationId: 'readMachine',
        summary: 'One machine',
        params: Type.Object({ id: Type.String() }),
        response: { 200: schema.MachineSchema, ...errors(401, 404) },
      },
    },
    async (request) => machineObject(await readSlot(context, request.params.id)),
  );
}
