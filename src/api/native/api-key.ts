// API keys: an account's, which do what its scope says, and users', which do what is granted to them. A key's secret is shown
// once, in the answer to its making.

import Type, { type Static } from 'typebox';
import { type ApiKey, createApiKey, listApiKeys, reachApiKey, revokeApiKey } from '../../app/api-key.ts';
import type { Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { grantPrivilege } from '../../app/privilege.ts';
import {
  createUserKey,
  findKeyInSight,
  listKeysOf,
  listUserKeys,
  removeUserKey,
  type UserKey,
} from '../../app/user-api-key.ts';
import { keyScopes, keyState } from '../../model/api-key.ts';
import { BerthError } from '../../model/errors.ts';
import type { Api } from '../types.ts';
import { AccountRef, accountOf } from './account.ts';
import { Id, readId, toId } from './id.ts';
import { change, read } from './operation.ts';
import { PageOf, pageOfAll, pageQuery } from './page.ts';
import { inPart, NewGrant, PrivilegeSchema, readGrants, toPrivilege } from './privilege-shape.ts';
import { Nullable, OneOf, Shape, Text, Time, toTime, toTimeOrNull } from './shape.ts';
import { readTime } from './time.ts';
import { toUserRef, UserRefSchema } from './user-ref.ts';
import { userIn } from './user-shape.ts';

const keyStates = ['valid', 'revoked', 'expired'] as const;

const fields = {
  id: Id('apiKey'),
  account: Nullable(Id('account', 'Whose it is; null for a user’s')),
  user: Nullable(UserRefSchema),
  name: Text('deploy'),
  scope: Nullable(OneOf(keyScopes, 'Of an account’s key; a user’s does what is granted to it')),
  state: OneOf(keyStates),
  privileges: Type.Array(PrivilegeSchema, { description: 'What is granted to a user’s key' }),
  createdAt: Time(),
  expiresAt: Nullable(Time('Null where it holds until it is revoked')),
  lastUsedAt: Nullable(Time('To the hour; null where it never was')),
};
const ApiKeySchema = Shape('ApiKey', fields);
const NewKeyAnswer = Shape('NewApiKeyAnswer', {
  ...fields,
  secret: Text('berth_Jc1iZQJ9bGkLQqjZk0Jx0c1yE7ZV1mYb0m9G3sVbX2Q', 'The key itself; not shown again'),
});
type Shown = Static<typeof ApiKeySchema>;

const ofAccount = (accountId: string, key: ApiKey): Shown => ({
  id: toId('apiKey', key.id),
  ...{ account: toId('account', accountId), user: null, name: key.name, scope: key.scope, state: key.state },
  privileges: [],
  createdAt: toTime(key.createdAt),
  expiresAt: toTimeOrNull(key.expiresAt),
  lastUsedAt: toTimeOrNull(key.lastUsedAt),
});

const ofUser = (key: UserKey, now: Date): Shown => ({
  id: toId('apiKey', key.id),
  ...{ account: null, user: toUserRef({ id: key.userId, username: key.username }), name: key.label, scope: null },
  state: keyState({ ...key, revokedAt: null }, now),
  privileges: key.privileges.map(toPrivilege),
  createdAt: toTime(key.createdAt),
  expiresAt: toTimeOrNull(key.expiresAt),
  lastUsedAt: toTimeOrNull(key.lastUsedAt),
});

/** Adds the routes. */
export function apiKeyRoutes(api: Api): void {
  readingRoutes(api);
  makingRoute(api);
  endingRoute(api);
}

const path = '/api-keys/{apiKey}';

async function findShown(context: Context, caller: Caller, { apiKey }: { apiKey: string }): Promise<Shown> {
  const id = readId('apiKey', apiKey);
  const own = await findKeyInSight(context, caller, id);
  if (own) return ofUser(own, context.clock.now());
  const { key, accountId } = await reachApiKey(context, caller, id, 'vm_console');
  return ofAccount(accountId, key);
}

async function list(
  context: Context,
  caller: Caller,
  { account, user }: { account?: string; user?: string },
): Promise<Shown[]> {
  const now = context.clock.now();
  if (account !== undefined && user !== undefined) {
    throw new BerthError('invalid_value', 'user is given beside account; a key is of one of them.', 'user');
  }
  if (user !== undefined) {
    const keys = await listKeysOf(context, caller, await userIn(context, caller, user, 'user'));
    return keys.map((key) => ofUser(key, now));
  }
  if (account === undefined && caller.user) {
    return (await listUserKeys(context, caller)).map((key) => ofUser(key, now));
  }
  const { principal } = await accountOf(context, caller, { account }, 'vm_console');
  return (await listApiKeys(context, principal.accountId)).map((key) => ofAccount(principal.accountId, key));
}

function readingRoutes(api: Api): void {
  read(
    api,
    {
      id: 'listApiKeys',
      tag: 'api-keys',
      summary: 'An account’s API keys, a user’s, or your own, the oldest first',
      path: '/api-keys',
      query: {
        ...pageQuery,
        account: Type.Optional(AccountRef('Whose keys; your own unless given')),
        // Without an example, as it excludes the other.
        user: Type.Optional(Type.String({ maxLength: 200, description: 'Id or name of whose keys, for operators' })),
        state: Type.Optional(OneOf(keyStates, 'Only those that stand so')),
      },
      result: PageOf('ApiKeyPage', ApiKeySchema),
      refusals: ['forbidden'],
    },
    async ({ context, caller, query }) =>
      pageOfAll(
        (await list(context, caller, query)).filter(({ state }) => [undefined, state].includes(query.state)),
        query,
        ({ id }) => id,
        (key) => key,
      ),
  );
  read(
    api,
    { id: 'getApiKey', tag: 'api-keys', summary: 'An API key', path, result: ApiKeySchema, refusals: ['forbidden'] },
    ({ context, caller, params }) => findShown(context, caller, params),
  );
}

const NewApiKey = Shape('NewApiKey', {
  name: Text('deploy', 'Stands in events', { maxLength: 300 }),
  account: Type.Optional(AccountRef('Whose it is to be; a user’s own unless given')),
  scope: Type.Optional(OneOf(keyScopes, 'Of an account’s key; `full` unless given')),
  privileges: Type.Optional(
    Type.Array(NewGrant, {
      maxItems: 20,
      description: 'Of a user’s key: what is granted to it, as far as you have it',
    }),
  ),
  expiresAt: Type.Optional(Nullable(Text('2999-01-31T12:00:00Z', 'Holds until it is revoked unless given'))),
});

function makingRoute(api: Api): void {
  change(
    api,
    {
      id: 'createApiKey',
      tag: 'api-keys',
      summary: 'Make an API key, of an account or your own',
      description: 'A user makes keys of their own in a session; each does only what is granted to it.',
      method: 'POST',
      path: '/api-keys',
      body: NewApiKey,
      example: { body: { account: 'default', name: 'deploy', scope: 'read-only' } },
      status: 201,
      result: NewKeyAnswer,
      hasSecret: true,
      headers: () => ({ 'cache-control': 'no-store' }),
      location: ({ id }) => `/api-keys/${id}`,
      renames: { label: 'name', expires_at: 'expiresAt', virtual_machine_id: 'instance' },
      refusals: ['not_found', 'name_taken', 'wrong_state'],
    },
    async ({ context, caller, body }) => {
      const expiresAt = typeof body.expiresAt === 'string' ? readTime(body.expiresAt, 'expiresAt') : null;
      const isOwn = caller.user !== null && body.account === undefined;
      return isOwn ? makeOwn(context, caller, body, expiresAt) : makeForAccount(context, caller, body, expiresAt);
    },
  );
}

type Made = Static<typeof NewKeyAnswer>;

async function makeForAccount(
  context: Context,
  caller: Caller,
  body: Static<typeof NewApiKey>,
  expiresAt: Date | null,
): Promise<Made> {
  if (body.privileges !== undefined) throw unsupported('privileges', 'an account’s key does what its scope says');
  const { principal } = await accountOf(context, caller, body, 'account_admin');
  const given = { name: body.name, scope: body.scope ?? 'full', expiresAt };
  const names = { name: 'name', scope: 'scope', expiresAt: 'expiresAt' };
  const { secret, ...key } = await createApiKey(context, principal.accountId, given, names, caller.actor);
  return { ...ofAccount(principal.accountId, key), secret };
}

async function makeOwn(
  context: Context,
  caller: Caller,
  body: Static<typeof NewApiKey>,
  expiresAt: Date | null,
): Promise<Made> {
  if (body.scope !== undefined) throw unsupported('scope', 'a user’s key does what is granted to it');
  const user = await userIn(context, caller, 'me');
  const grants = await readGrants(context, caller, body.privileges ?? [], 'privileges');
  const { secret, ...made } = await createUserKey(context, caller, user, { label: body.name, expiresAt });
  const terms = { passwordRequired: false, secondFactorRequired: false };
  const privileges = [];
  for (const [index, grant] of grants.entries()) {
    const request = { userId: user.id, grant, apiKey: made.number };
    const whole = { ...request, terms: { ...terms, secondFactorAgeSecondsMax: null, fromAddresses: null } };
    privileges.push(await inPart(`privileges[${index}]`, () => grantPrivilege(context, caller, whole)));
  }
  return { ...ofUser({ ...made, privileges }, context.clock.now()), secret };
}

const unsupported = (field: string, why: string) =>
  new BerthError('unsupported', `${field} can't be given here: ${why}.`, field);

function endingRoute(api: Api): void {
  change(
    api,
    {
      id: 'deleteApiKey',
      tag: 'api-keys',
      summary: 'End an API key at once',
      description: 'An account’s key stays in the list as revoked; a user’s is removed with what was granted to it.',
      method: 'DELETE',
      path,
      status: 204,
      result: Type.Null(),
      current: ({ context, caller, params }) => findShown(context, caller, params),
    },
    async ({ context, caller, params }) => {
      const id = readId('apiKey', params.apiKey);
      const own = await findKeyInSight(context, caller, id);
      if (own) {
        await removeUserKey(context, caller, String(own.number));
        return null;
      }
      const { accountId } = await reachApiKey(context, caller, id, 'account_admin');
      await revokeApiKey(context, accountId, id, caller.actor);
      return null;
    },
  );
}
