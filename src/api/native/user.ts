// Users: people, whom accounts and operators add, and who change themselves. What they may do is in privilege.ts, and their second
// factors are in second-factor.ts.

import Type, { type Static } from 'typebox';
import { reachAccount, requireCluster } from '../../app/access.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { addUserAs, changeUserAs, hashForNewUser, type NewUser as UserToAdd } from '../../app/user-change.ts';
import { pageOfUsers, removeUserAs } from '../../app/user-directory.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountRef } from './account.ts';
import { sampleId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageQuery, readWindow, toPage } from './page.ts';
import { NewGrant, readGrants } from './privilege-shape.ts';
import { Nullable, Shape, Text } from './shape.ts';
import { sampleKey, toUser, UserSchema, userFields, userIn } from './user-shape.ts';

const path = '/users/{user}';
const ofPath = 'A user, by id or as `me`';
const password = Text('a passphrase of several words', 'At least 15 characters');
const email = Nullable(Text('ann@example.com'));

/** Adds the routes. */
export function userRoutes(api: Api): void {
  readingRoutes(api);
  addingRoute(api);
  changingRoutes(api);
}

function readingRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listUsers',
      tag: 'users',
      summary: 'Yourself, and who has to do with accounts that you run, by name',
      path: '/users',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef('Only who has to do with this account')),
        username: Type.Optional(Text('ann', undefined, { maxLength: 200 })),
      },
      result: PageOf('UserPage', UserSchema),
    },
    async ({ context, caller, query }) => {
      const { limit, after } = readWindow(query, 1);
      const { account, username } = query;
      const within = account && (await reachAccount(context, caller, accountRef(account), 'see')).account.id;
      const window = { accountId: within, username, after: after?.[0] ?? null, limit };
      return toPage(await pageOfUsers(context, caller, window), limit, (row) => [row.username], toUser);
    },
  );
  read(
    api,
    { id: 'getUser', tag: 'users', summary: ofPath, path, result: UserSchema, refusals: ['forbidden'] },
    async ({ context, caller, params }) => toUser(await userIn(context, caller, params.user)),
  );
}

const NewUser = Shape('NewUser', {
  username: Text('bob', 'Letters, digits and -_.+@', { maxLength: 200 }),
  email: Type.Optional(email),
  password: Type.Optional({
    ...password,
    description: 'At least 15 characters; made and shown once unless given',
  }),
  privileges: Type.Optional(Type.Array(NewGrant, { maxItems: 20 })),
});

async function readNewUser(context: Context, caller: Caller, body: Static<typeof NewUser>): Promise<UserToAdd> {
  const grants = await readGrants(context, caller, body.privileges ?? [], 'privileges');
  return { username: body.username, email: body.email ?? null, password: body.password ?? null, grants };
}

function addingRoute(api: Api): void {
  change(
    api,
    {
      id: 'createUser',
      tag: 'users',
      summary: 'Add a user, with privileges in an account that you run',
      description: 'A higher level is needed than each that is granted. Operators may add users without privileges.',
      method: 'POST',
      path: '/users',
      body: NewUser,
      example: {
        body: { username: 'bob', privileges: [{ level: 'group_admin', group: sampleId('group') }] },
      },
      status: 201,
      result: Shape('NewUserAnswer', {
        ...userFields,
        password: Nullable(Text('nBk2c4P0Wm1vHc3yTq5uZx7o', 'Where it was made here; not shown again')),
      }),
      hasSecret: true,
      location: ({ id }) => `/users/${id}`,
      renames: { virtual_machine_id: 'instance' },
      refusals: ['not_found'],
      before: async ({ context, caller, body }) =>
        hashForNewUser(context, caller, await readNewUser(context, caller, body)),
    },
    async ({ context, caller, body }, hashed) => {
      const { user, password: made } = await addUserAs(
        context,
        caller,
        await readNewUser(context, caller, body),
        hashed,
      );
      return { ...toUser(user), password: made };
    },
  );
}

function changingRoutes(api: Api): void {
  change(
    api,
    {
      id: 'updateUser',
      tag: 'users',
      summary: 'Change yourself, or as an operator another user',
      description: 'Another password needs the one that you have, and ends your other sessions.',
      method: 'PATCH',
      path,
      isForUsers: true,
      body: Shape('UserChange', {
        email: Type.Optional(email),
        authorizedKeys: Type.Optional(Type.Array(Text(sampleKey), { maxItems: 50 })),
        password: Type.Optional(password),
        currentPassword: Type.Optional(Text('correct horse battery staple', 'Your own, to change it')),
      }),
      example: { params: { user: 'me' }, body: { email: 'ann@example.com' } },
      result: UserSchema,
      renames: { authorized_keys: 'authorizedKeys' },
      current: async ({ context, caller, params }) => toUser(await userIn(context, caller, params.user)),
    },
    async ({ context, caller, params, body, request }) => {
      const user = await userIn(context, caller, params.user);
      const { email: mail, authorizedKeys, password: next, currentPassword } = body;
      const given = { email: mail, authorizedKeys, password: next, currentPassword };
      return toUser(await changeUserAs(context, caller, user, given, { outside: api.context, from: request.ip }));
    },
  );
  change(
    api,
    {
      id: 'deleteUser',
      tag: 'users',
      summary: 'Remove a user with their sessions, keys and privileges',
      method: 'DELETE',
      path,
      isForOperators: true,
      status: 204,
      result: Type.Null(),
      current: async ({ context, caller, params }) => toUser(await userIn(context, caller, params.user)),
    },
    async ({ context, caller, params }) => {
      requireCluster(caller);
      await removeUserAs(context, caller, await userIn(context, caller, params.user));
      return null;
    },
  );
}
