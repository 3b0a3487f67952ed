// Bytemark's calls of groups.

import Type from 'typebox';
import { changeGroup, createGroup, removeGroup } from '../../app/group.ts';
import { listGroups, overviewGroups, readAccount, readGroup } from '../../app/overview.ts';
import type { Api } from '../types.ts';
import { callerOf } from './caller.ts';
import { GroupSchema, toGroup, toGroupOverview } from './group-shape.ts';
import { NameSchema, readName } from './name.ts';
import { AccountParams, accountPath, GroupParams, groupPath, OneGroupParams } from './path.ts';
import { filterOf, includesDeleted, isOverview, ListQuerySchema, ViewSchema } from './query.ts';
import { NothingSchema } from './shape.ts';

/** Adds the routes. */
export function groupRoutes({ app, context, errors }: Api): void {
  const domain = () => context.settings.bytemark.domain;

  app.get(
    '/groups',
    {
      schema: {
        operationId: 'listGroups',
        summary: 'The groups that one sees anything of',
        querystring: ListQuerySchema,
        response: { 200: Type.Array(GroupSchema), ...errors(401) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { account, group } = filterOf(request.query);
      const groups = await listGroups(context, caller, { account, group });
      if (!isOverview(request.query)) return groups.map(toGroup);
      const filter = { account, group, includeDeleted: includesDeleted(request.query) };
      return (await overviewGroups(context, caller, groups, filter)).map((one) => toGroupOverview(one, domain()));
    },
  );

  app.get(
    `${accountPath}/groups`,
    {
      schema: {
        operationId: 'listGroupsOfAccount',
        summary: 'The groups of an account that one sees anything of',
        params: AccountParams,
        querystring: ViewSchema,
        response: { 200: Type.Array(GroupSchema), ...errors(401, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const account = (await readAccount(context, caller, request.params.account)).number;
      const groups = await listGroups(context, caller, { account });
      if (!isOverview(request.query)) return groups.map(toGroup);
      const filter = { account, includeDeleted: includesDeleted(request.query) };
      return (await overviewGroups(context, caller, groups, filter)).map((one) => toGroupOverview(one, domain()));
    },
  );

  for (const { path, operationId, params } of [
    { path: '/groups/:group', operationId: 'getGroupByNumber', params: OneGroupParams },
    { path: groupPath, operationId: 'getGroup', params: GroupParams },
  ]) {
    app.get(
      path,
      {
        schema: {
          operationId,
          summary: 'A group',
          params,
          querystring: ViewSchema,
          response: { 200: GroupSchema, ...errors(401, 404) },
        },
      },
      async (request) => {
        const caller = await callerOf(context, request);
        const group = await readGroup(context, caller, request.params);
        if (!isOverview(request.query)) return toGroup(group);
        const filter = { group: group.id, includeDeleted: includesDeleted(request.query) };
        const [overview] = await overviewGroups(context, caller, [group], filter);
        return overview ? toGroupOverview(overview, domain()) : toGroup(group);
      },
    );
  }

  app.post(
    `${accountPath}/groups`,
    {
      schema: {
        operationId: 'createGroup',
        summary: 'Make a group',
        params: AccountParams,
        body: NameSchema,
        response: { 200: GroupSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      return toGroup(await createGroup(context, caller, request.params.account, readName(request.body)));
    },
  );

  app.put(
    groupPath,
    {
      schema: {
        operationId: 'updateGroup',
        summary: 'Rename a group',
        params: GroupParams,
        body: NameSchema,
        response: { 200: GroupSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      return toGroup(await changeGroup(context, caller, request.params, readName(request.body)));
    },
  );

  app.delete(
    groupPath,
    {
      schema: {
        operationId: 'deleteGroup',
        summary: 'Remove a group that nothing is in, not even a deleted VM that can be restored',
        params: GroupParams,
        response: { 204: NothingSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request, reply) => {
      await removeGroup(context, await callerOf(context, request), request.params);
      return reply.code(204).send(null);
    },
  );
}
