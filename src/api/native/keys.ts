// Keys for a VM's console, for whoever can't type there himself.

import Type from 'typebox';
import { reachVm } from '../../app/access.ts';
import { sendKeys } from '../../app/send-keys.ts';
import { chordKeysMax, sendkeys } from '../../model/machine.ts';
import type { Api } from '../types.ts';
import { readInstance } from './instance-ref.ts';
import { change } from './operation.ts';
import { OperationSchema, toOperation } from './operation-shape.ts';
import { OneOf, Shape } from './shape.ts';

/** Adds the route. */
export function keysRoutes(api: Api): void {
  change(
    api,
    {
      id: 'sendKeys',
      tag: 'instances',
      summary: 'Press keys of the keyboard of a VM that is on, all of them together',
      description: 'What its guest makes of them is up to the guest.',
      method: 'POST',
      path: '/instances/{instance}/keys',
      body: Shape('Keys', {
        keys: Type.Array(OneOf(sendkeys), {
          minItems: 1,
          maxItems: chordKeysMax,
          examples: [['ctrl', 'alt', 'delete']],
        }),
      }),
      status: 202,
      result: OperationSchema,
      location: ({ id }) => `/operations/${id}`,
      refusals: ['wrong_state'],
    },
    async ({ context, caller, params, body }) => {
      const at = await reachVm(context, caller, { id: readInstance(params.instance) }, 'vm_admin');
      return toOperation(await sendKeys(context, at, body.keys));
    },
  );
}
