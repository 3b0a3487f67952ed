// Bytemark's calls of privileges: of one's own, of a user, and of what is held on an account, a group or a VM.

import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { reachAccount, reachGroup, reachVm } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { listGroups, listVms } from '../../app/overview.ts';
import {
  changePrivilege,
  grantPrivilege,
  listOwnPrivileges,
  listPrivileges,
  type PrivilegeFilter,
  type PrivilegeRow,
  readPrivilege,
  revokePrivilege,
} from '../../app/privilege.ts';
import { reachUser, userNamed } from '../../app/user-directory.ts';
import { BerthError, InvalidFields, shown } from '../../model/errors.ts';
import type { Reference } from '../../model/reference.ts';
import type { Api } from '../types.ts';
import { attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { AccountParams, accountPath, GroupParams, groupPath, VmParams, vmPath } from './path.ts';
import { readPrivilegeBody, readTermsBody } from './privilege-body.ts';
import { PrivilegeSchema, toPrivilege } from './privilege-shape.ts';
import { filterOf } from './query.ts';

const UserParams = Type.Object({ user: Type.String({ description: 'Number or name' }) });
const PrivilegeParams = Type.Object({ privilege: Type.String({ description: 'Number' }) });
const text = (description: string) => Type.Optional(Type.String({ description }));
const FilterSchema = Type.Object({
  user_id: text('Number or name of a user'),
  user_name: text('Name of a user'),
  account_id: text('Number or name of an account'),
  account_name: text('Name of an account'),
  group_id: text('Number or name of a group'),
  group_name: text('Name of a group'),
  vm_id: text('Number or name of a VM'),
  vm_name: text('Name of a VM'),
  privilege_id: text('Number of a privilege'),
});
const attribute = (description: string) => Type.Optional(Type.Unknown({ description }));
const terms = {
  yubikey_required: attribute('Whether it holds only in sessions with a second factor'),
  yubikey_otp_max_age: attribute('How old that may be, in seconds'),
  ip_restrictions: attribute('Addresses and ranges from which it holds, separated by commas'),
};
const GrantSchema = Type.Object({
  level: attribute('vm_console, vm_admin, group_admin, account_admin, cluster_admin or cluster_su'),
  account_id: attribute('Number or name'),
  group_id: attribute('Number'),
  virtual_machine_id: attribute('Number'),
  api_key_id: attribute("The number of a key of the user's, which is to hold it"),
  password_required: attribute('True unless given'),
  ...terms,
});

/** Adds the routes. */
export function privilegeRoutes(api: Api): void {
  readingRoutes(api);
  heldOnRoutes(api);
  grantingRoutes(api);
  changingRoutes(api);
}

function readingRoutes({ app, context, errors }: Api): void {
  app.get(
    '/privileges',
    {
      schema: {
        operationId: 'listPrivileges',
        summary: "One's own privileges, or those that one may see of a user or on an object",
        querystring: FilterSchema,
        response: { 200: Type.Array(PrivilegeSchema), ...errors(401, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { query } = request;
      const user = query.user_id ?? query.user_name;
      const { privilege_id: privilege } = query;
      if (privilege !== undefined) return [toPrivilege(await readPrivilege(context, caller, privilege))];
      const filter: PrivilegeFilter = {
        ...(user === undefined ? {} : { userId: (await reachUser(context, caller, user)).id }),
        ...(await heldOn(context, caller, query)),
      };
      const isOwn = Object.keys(filter).length === 0;
      const found = await (isOwn ? listOwnPrivileges(context, caller) : listPrivileges(context, caller, filter));
      return found.map(toPrivilege);
    },
  );

  app.get(
    '/users/:user/privileges',
    {
      schema: {
        operationId: 'listPrivilegesOfUser',
        summary: 'The privileges of a user that one may see',
        params: UserParams,
        response: { 200: Type.Array(PrivilegeSchema), ...errors(401, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { id: userId } = await reachUser(context, caller, request.params.user);
      return (await listPrivileges(context, caller, { userId })).map(toPrivilege);
    },
  );

  app.get(
    '/privileges/:privilege',
    {
      schema: {
        operationId: 'getPrivilege',
        summary: 'A privilege',
        params: PrivilegeParams,
        response: { 200: PrivilegeSchema, ...errors(401, 404) },
      },
    },
    async (request) =>
      toPrivilege(await readPrivilege(context, await callerOf(context, request), request.params.privilege)),
  );
}

/** What privileges are asked for on: of the account, group and VM that a query names the innermost. */
async function heldOn(context: Context, caller: Caller, query: Static<typeof FilterSchema>): Promise<PrivilegeFilter> {
  const { account, group, vm } = filterOf(query);
  if (vm !== undefined) {
    const found = await listVms(context, caller, { account, group, vm, includeDeleted: true, parts: [] });
    return { onInstance: only(found, 'virtual machine', vm).id };
  }
  if (group !== undefined) {
    return { onGroup: only(await listGroups(context, caller, { account, group }), 'group', group).id };
  }
  const ref = query.account_id ?? query.account_name;
  return ref === undefined ? {} : { onAccount: (await reachAccount(context, caller, ref, 'see')).account.id };
}

/** A name that several in sight have means none of them. */
function only<Row>([one, ...others]: readonly Row[], what: string, reference: Reference): Row {
  if (one && others.length === 0) return one;
  throw new BerthError('not_found', `There is no ${what} ${shown(String(reference))}.`, String(reference));
}

function heldOnRoutes({ app, context, errors }: Api): void {
  const schema = { response: { 200: Type.Array(PrivilegeSchema), ...errors(401, 404) } };
  const answer = async (caller: Caller, filter: PrivilegeFilter) =>
    (await listPrivileges(context, caller, filter)).map(toPrivilege);

  app.get(
    `${accountPath}/privileges`,
    {
      schema: {
        operationId: 'listPrivilegesOnAccount',
        summary: 'The privileges on an account that one may see',
        params: AccountParams,
        ...schema,
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { account } = await reachAccount(context, caller, request.params.account, 'see');
      return answer(caller, { onAccount: account.id });
    },
  );
  app.get(
    `${groupPath}/privileges`,
    {
      schema: {
        operationId: 'listPrivilegesOnGroup',
        summary: 'The privileges on a group that one may see',
        params: GroupParams,
        ...schema,
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { group } = await reachGroup(context, caller, request.params, 'see');
      return answer(caller, { onGroup: group.id });
    },
  );
  app.get(
    `${vmPath}/privileges`,
    {
      schema: {
        operationId: 'listPrivilegesOnVirtualMachine',
        summary: 'The privileges on a VM that one may see',
        params: VmParams,
        ...schema,
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const { vm } = await reachVm(context, caller, request.params, 'see');
      return answer(caller, { onInstance: vm.id });
    },
  );
}

function grantingRoutes({ app, context, errors }: Api): void {
  const grant = async (request: FastifyRequest, userOf: () => Promise<{ id: string }>): Promise<PrivilegeRow> => {
    const caller = await callerOf(context, request);
    // Whom one grants something to, one need not have seen before.
    const { id: userId } = await userOf();
    return grantPrivilege(context, caller, {
      userId,
      ...(await readPrivilegeBody(context, caller, attributesOf(request.body))),
    });
  };

  app.post(
    '/users/:user/privileges',
    {
      schema: {
        operationId: 'grantPrivilege',
        summary: 'Grant a user a privilege',
        params: UserParams,
        body: GrantSchema,
        response: { 200: PrivilegeSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const { user: ref } = request.params;
      const granted = await grant(request, async () => {
        const user = await userNamed(context, ref);
        if (!user) throw new BerthError('not_found', `There is no user ${shown(ref)}.`, ref);
        return user;
      });
      return toPrivilege(granted);
    },
  );

  app.post(
    '/privileges',
    {
      schema: {
        operationId: 'createPrivilege',
        summary: 'Grant a user a privilege',
        body: Type.Object({
          user_id: attribute('Number or name of the user'),
          username: attribute('Name of the user'),
          ...GrantSchema.properties,
        }),
        response: { 200: PrivilegeSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const granted = await grant(request, async () => {
        const attributes = attributesOf(request.body);
        const ref = attributes.filledText('user_id') ?? attributes.filledText('username');
        if (ref === undefined) throw new InvalidFields({ user_id: ["can't be blank"] });
        const user = await userNamed(context, ref);
        if (!user) throw new InvalidFields({ user_id: ['is invalid'] });
        return user;
      });
      return toPrivilege(granted);
    },
  );
}

function changingRoutes({ app, context, errors }: Api): void {
  app.put(
    '/privileges/:privilege',
    {
      schema: {
        operationId: 'updatePrivilege',
        summary: 'Change the terms of a privilege',
        params: PrivilegeParams,
        body: Type.Object(terms),
        response: { 200: PrivilegeSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const privilege = await readPrivilege(context, caller, request.params.privilege);
      return toPrivilege(await changePrivilege(context, caller, privilege, readTermsBody(attributesOf(request.body))));
    },
  );

  app.delete(
    '/privileges/:privilege',
    {
      schema: {
        operationId: 'revokePrivilege',
        summary: 'Take a privilege away',
        params: PrivilegeParams,
        response: { 204: Type.Null(), ...errors(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const caller = await callerOf(context, request);
      await revokePrivilege(context, caller, await readPrivilege(context, caller, request.params.privilege));
      return reply.code(204).send(null);
    },
  );
}
