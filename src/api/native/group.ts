// Groups: named sets of an account's instances, each with a network of its own.

import Type, { type Static } from 'typebox';
import { reachAccount, reachGroup } from '../../app/access.ts';
import { changeGroup, openGroup, removeGroup } from '../../app/group.ts';
import { type GroupRow, listGroups } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf, accountRef } from './account.ts';
import { Id, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { isFoundBy, SearchQuery } from './search.ts';
import { Shape, Text } from './shape.ts';

const Name = Text('web', "Letters, digits and -; part of its VMs' host names", { minLength: 1, maxLength: 63 });
const GroupSchema = Shape(
  'Group',
  { id: Id('group'), account: Id('account'), name: Name },
  "A named set of an account's instances, with a network",
);

const toGroup = ({ id, accountId, name }: GroupRow): Static<typeof GroupSchema> => ({
  id: toId('group', id),
  account: toId('account', accountId),
  name,
});

const groupIn = ({ group }: { group: string }) => ({ group: readId('group', group) });

/** Adds the routes. */
export function groupRoutes(api: Api): void {
  const path = '/groups/{group}';

  read(
    api,
    {
      id: 'listGroups',
      tag: 'groups',
      summary: 'The groups that you see anything of',
      path: '/groups',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef('Only of this account')),
        name: Type.Optional(Name),
        search: SearchQuery,
      },
      result: PageOf('GroupPage', GroupSchema),
    },
    async ({ context, caller, query }) => {
      const { account, name } = query;
      const within = account && (await reachAccount(context, caller, accountRef(account), 'see')).account.number;
      const filter = { ...(within ? { account: within } : {}), ...(name === undefined ? {} : { group: name }) };
      const found = (await listGroups(context, caller, filter)).filter((one) => isFoundBy(query.search, one.name));
      return pageOfAll(found, query, ({ id }) => String(id), toGroup);
    },
  );

  read(
    api,
    { id: 'getGroup', tag: 'groups', summary: 'A group', path, result: GroupSchema },
    async ({ context, caller, params }) => toGroup((await reachGroup(context, caller, groupIn(params), 'see')).group),
  );

  change(
    api,
    {
      id: 'createGroup',
      tag: 'groups',
      summary: 'Make a group',
      method: 'POST',
      path: '/groups',
      body: Shape('NewGroup', { account: Type.Optional(AccountRef()), name: Name }),
      status: 201,
      result: GroupSchema,
      location: ({ id }) => `/groups/${id}`,
      refusals: ['not_found'],
    },
    async ({ context, caller, body }) => {
      const at = await accountOf(context, caller, body, 'account_admin');
      const fields = { name: 'name', vlanNumber: 'name' };
      return toGroup(await openGroup(context, at, { name: body.name, vlanNumber: undefined }, fields));
    },
  );

  change(
    api,
    {
      id: 'updateGroup',
      tag: 'groups',
      summary: 'Rename a group',
      description: "Its VMs' host names follow. Every account's group `default` keeps its name.",
      method: 'PATCH',
      path,
      body: Shape('GroupChange', { name: Type.Optional(Name) }),
      result: GroupSchema,
      example: { body: { name: 'shop' } },
      current: async ({ context, caller, params }) =>
        toGroup((await reachGroup(context, caller, groupIn(params), 'see')).group),
    },
    async ({ context, caller, params, body }) =>
      toGroup(await changeGroup(context, caller, groupIn(params), body.name)),
  );

  change(
    api,
    {
      id: 'deleteGroup',
      tag: 'groups',
      summary: 'Remove a group that nothing is in, not even a deleted VM that can be restored',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      refusals: ['wrong_state'],
      current: async ({ context, caller, params }) =>
        toGroup((await reachGroup(context, caller, groupIn(params), 'see')).group),
    },
    async ({ context, caller, params }) => {
      await removeGroup(context, caller, groupIn(params));
      return null;
    },
  );
}
