// Bytemark's call that keeps what a tool suggests for new VMs.

import Type from 'typebox';
import { addVmDefault } from '../../app/vm-default.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { IdSchema } from './shape.ts';

const VmDefaultSchema = Type.Object({
  id: IdSchema,
  account_id: IdSchema,
  name: Type.String(),
  public: Type.Boolean(),
  server_settings: Type.Record(Type.String(), Type.Unknown()),
});

/** Adds the route. */
export function vmDefaultRoutes({ app, context, errors }: Api): void {
  app.post(
    '/vm_defaults',
    {
      schema: {
        operationId: 'createVmDefault',
        summary: 'Keep what a tool suggests for new VMs',
        response: { 200: VmDefaultSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const given = attributesOf(request.body);
      const asked = {
        name: given.text('name') ?? '',
        isPublic: given.flag('public') ?? false,
        accountId: given.number('account_id'),
        serverSettings: { ...attributesOf(given.raw('server_settings')).all },
      };
      const made = await addVmDefault(context, caller, asked, given.faults);
      return {
        id: Number(made.id),
        account_id: Number(made.accountNumber),
        name: made.name,
        public: made.isPublic,
        server_settings: made.serverSettings,
      };
    },
  );
}
