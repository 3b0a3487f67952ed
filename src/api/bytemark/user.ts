// Bytemark's calls of users.

import Type from 'typebox';
import { requireCluster } from '../../app/access.ts';
import {
  addClusterUser,
  changeUser,
  reachUser,
  removeUserAs,
  type UserRow,
  usersInSight,
} from '../../app/user-directory.ts';
import { InvalidFields } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { type Attributes, attributesOf } from './attributes.ts';
import { callerOf } from './caller.ts';
import { toUser, UserSchema } from './user-shape.ts';

const UserParams = Type.Object({ user: Type.String({ description: 'Number or name' }) });

/** Adds the routes. */
export function userRoutes({ app, context, errors }: Api): void {
  app.get(
    '/users',
    {
      schema: {
        operationId: 'listUsers',
        summary: 'The users whom one sees: oneself, and who has to do with accounts that one runs',
        response: { 200: Type.Array(UserSchema), ...errors(401) },
      },
    },
    async (request) => (await usersInSight(context, await callerOf(context, request))).map(toUser),
  );

  app.get(
    '/users/:user',
    {
      schema: {
        operationId: 'getUser',
        summary: 'A user by number or name',
        params: UserParams,
        response: { 200: UserSchema, ...errors(401, 404) },
      },
    },
    async (request) => toUser(await reachUser(context, await callerOf(context, request), request.params.user)),
  );

  app.put(
    '/users/:user',
    {
      schema: {
        operationId: 'updateUser',
        summary: "Change a user's public SSH keys",
        params: UserParams,
        body: Type.Object({
          authorized_keys: Type.Optional(Type.Unknown({ description: 'Public SSH keys, a line each, as text' })),
        }),
        response: { 200: UserSchema, ...errors(400, 401, 403, 404) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      const user = await reachUser(context, caller, request.params.user);
      return toUser(await changeUser(context, caller, user, readKeys(attributesOf(request.body), user)));
    },
  );

  app.delete(
    '/users/:user',
    {
      schema: {
        operationId: 'deleteUser',
        summary: 'Remove a user; for who runs the cluster',
        params: UserParams,
        response: { 204: Type.Null(), ...errors(401, 403, 404) },
      },
    },
    async (request, reply) => {
      const caller = await callerOf(context, request);
      await removeUserAs(context, caller, await reachUser(context, caller, request.params.user));
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/admin/users',
    {
      schema: {
        operationId: 'createClusterUser',
        summary: 'Add a user who runs the cluster; the operator gives them a password',
        body: Type.Object({
          username: Type.Optional(Type.Unknown({ description: 'Text' })),
          priv_spec: Type.Optional(Type.Unknown({ description: 'cluster_admin or cluster_su' })),
        }),
        response: { 200: UserSchema, ...errors(400, 401, 403) },
      },
    },
    async (request) => {
      const caller = await callerOf(context, request);
      requireCluster(caller);
      return toUser(await addClusterUser(context, caller, readClusterUser(attributesOf(request.body)), 'username'));
    },
  );
}

/**
 * The keys of a body, where it speaks of them. Clients send a user back whole, and leave the keys out where none is left; who
 * sends parts of one doesn't send the number.
 */
function readKeys(attributes: Attributes, user: UserRow): string | undefined {
  const keys = attributes.text('authorized_keys');
  attributes.requireReadable();
  const isWhole = attributes.raw('id') === Number(user.number) && attributes.raw('username') === user.username;
  return keys ?? (isWhole && !attributes.has('authorized_keys') ? '' : undefined);
}

function readClusterUser(attributes: Attributes) {
  const username = attributes.filledText('username');
  const level = (['cluster_admin', 'cluster_su'] as const).find((one) => one === attributes.text('priv_spec'));
  const faults = {
    ...attributes.faults,
    ...(username === undefined ? { username: ["can't be blank"] } : {}),
    ...(level === undefined ? { priv_spec: ['is not included in the list'] } : {}),
  };
  if (username === undefined || level === undefined) throw new InvalidFields(faults);
  return { username, level };
}
