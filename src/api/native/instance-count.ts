// How many instances there are of each kind and status, for who looks at all of them at once.

import Type from 'typebox';
import { reachAccount } from '../../app/access.ts';
import { countInstancesInSight } from '../../app/instance-list.ts';
import { instanceStatuses } from '../../model/instance.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountRef } from './account.ts';
import { instanceKinds } from './instance-shape.ts';
import { read } from './operation.ts';
import { OneOf, Shape, Whole } from './shape.ts';

const CountsSchema = Shape(
  'InstanceCounts',
  {
    items: Type.Array(
      Shape('InstanceCount', { kind: OneOf(instanceKinds), status: OneOf(instanceStatuses), count: Whole(3) }),
      { description: 'What there is none of is left out' },
    ),
  },
  'How many instances of each kind have which status',
);

/** Adds the route. */
export function instanceCountRoutes(api: Api): void {
  read(
    api,
    {
      id: 'countInstances',
      tag: 'instances',
      summary: 'How many instances you see of each kind and status; deleted ones too, until they are gone',
      path: '/instance-counts',
      query: { account: Type.Optional(AccountRef('Only of this account')) },
      result: CountsSchema,
    },
    async ({ context, caller, query: { account } }) => {
      const at = account === undefined ? undefined : await reachAccount(context, caller, accountRef(account), 'see');
      return { items: await countInstancesInSight(context, caller, at?.account.id) };
    },
  );
}
