// Users' API keys: shown once, worth nothing until something is granted to them, and never more than their user.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccount } from '../../../src/app/account.ts';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { keys, openStore } from '../support.ts';
import { addUser, asOperator, grant, secretOf, type TestUser, tokenOf } from './identity.ts';

interface ApiKey {
  id: number;
  user_id: number;
  username: string;
  label: string;
  expires_at: string | null;
  api_key?: string;
  privileges?: { id: number; level: string; api_key_id: number; password_required: boolean }[];
}

let berth: TestBerth;
let database: Database;
let ann: TestUser;
let bob: TestUser;
let numberOf: { ann: number; bob: number; account: number; group: number };

before(async () => {
  berth = await startTestBerth({ addressPool: '127.61.0.0/17' });
  database = await openStore(berth);
  await asOperator(berth, (context) => createAccount(context, 'acme', 'name'));
  ann = await addUser(berth, 'acme');
  bob = await addUser(berth, 'acme');
  const id = async (path: string) => (await call<{ id: number }>(ann, 'GET', path)).body.id;
  numberOf = {
    ann: await id(`/users/${ann.username}`),
    bob: await id(`/users/${bob.username}`),
    account: await id('/accounts/acme'),
    group: await id('/accounts/acme/groups/default'),
  };
});
after(async () => {
  await database.destroy();
  await berth.close();
});

async function call<Body = ApiKey>(user: TestUser, method: string, path: string, body?: unknown) {
  return callApi<Body>(berth.url, await tokenOf(berth, user), method, path, body);
}

let labels = 0;
async function makeKey(user: TestUser = ann, more: object = {}): Promise<ApiKey & { secret: string }> {
  labels += 1;
  const user_id = user === ann ? numberOf.ann : numberOf.bob;
  const made = await call(user, 'POST', '/api_keys', { user_id, label: `key ${labels}`, ...more });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  return { ...made.body, secret: made.body.api_key ?? '' };
}

const byKey = <Body = unknown>(secret: string, method: string, path: string, body?: unknown) =>
  callApi<Body>(berth.url, `apikey.${secret}`, method, path, body);

test('a key is shown once, and kept as a hash', async () => {
  const { secret, ...key } = await makeKey();
  assert.match(secret, /^[\w-]{40,}$/);
  assert.deepEqual(
    { ...key, api_key: undefined },
    {
      ...{ id: key.id, user_id: numberOf.ann, username: ann.username, label: key.label },
      ...{ expires_at: null, privileges: [], api_key: undefined },
    },
  );
  const listed = await call<ApiKey[]>(ann, 'GET', '/api_keys?view=overview');
  assert.ok(listed.body.some(({ id, label, privileges }) => id === key.id && label === key.label && privileges));
  assert.ok(!JSON.stringify(listed.body).includes(secret));
  const row = await database
    .selectFrom('api_key')
    .where('secret_sha256', '=', secretOf(secret))
    .select('number')
    .executeTakeFirstOrThrow();
  assert.equal(Number(row.number), key.id);
  assert.ok(!berth.log().includes(secret));
});

test('a key may do nothing until something is granted to it, and then just that', async () => {
  const { id, secret } = await makeKey();
  assert.deepEqual((await byKey<unknown[]>(secret, 'GET', '/accounts')).body, []);
  assert.equal((await byKey(secret, 'GET', '/accounts/acme')).status, 404);
  const path = `/users/${ann.username}/privileges`;
  const body = { level: 'group_admin', group_id: numberOf.group, api_key_id: id, password_required: false };
  const granted = await call<{ id: number; api_key_id: number; password_required: boolean }>(ann, 'POST', path, body);
  assert.deepEqual([granted.status, granted.body.api_key_id, granted.body.password_required], [200, id, false]);
  assert.equal((await byKey(secret, 'GET', '/accounts/acme/groups/default')).status, 200);
  assert.equal((await byKey(secret, 'GET', '/accounts/acme/groups/default/virtual_machines')).status, 200);
  assert.equal((await byKey(secret, 'POST', '/accounts/acme/groups', { name: 'another' })).status, 403);
  const listed = await call<ApiKey[]>(ann, 'GET', '/api_keys?view=overview');
  const key = listed.body.find((one) => one.id === id);
  assert.deepEqual(
    key?.privileges?.map(({ level, api_key_id }) => [level, api_key_id]),
    [['group_admin', id]],
  );
  assert.equal((await call(ann, 'DELETE', `/privileges/${granted.body.id}`)).status, 204);
  assert.equal((await byKey(secret, 'GET', '/accounts/acme/groups/default')).status, 404);
});

test('a user gives his key what he has himself, and no more; and nobody gives a key of another’s that user’s rights', async () => {
  const { id, secret } = await makeKey();
  const path = `/users/${ann.username}/privileges`;
  const own = { level: 'account_admin', account_id: numberOf.account, api_key_id: id };
  assert.equal((await call(ann, 'POST', path, { level: 'cluster_admin', api_key_id: id })).status, 403);
  assert.equal((await call(bob, 'POST', path, own)).status, 403);
  const wrongUser = await call<object>(ann, 'POST', `/users/${bob.username}/privileges`, {
    ...own,
    level: 'group_admin',
    group_id: numberOf.group,
  });
  assert.deepEqual([wrongUser.status, wrongUser.body], [400, { api_key_id: ['is invalid'] }]);
  assert.equal((await call(ann, 'POST', path, own)).status, 200);
  assert.equal((await byKey(secret, 'GET', '/accounts/acme')).status, 200);
});

test('what its user loses, his key has no more, and what he may do only with a second factor it never has', async () => {
  const user = await addUser(berth, 'acme');
  const made = await call(user, 'POST', '/api_keys', { label: 'mine' });
  const secret = made.body.api_key ?? '';
  const path = `/users/${user.username}/privileges`;
  const body = { level: 'account_admin', account_id: numberOf.account, api_key_id: made.body.id };
  assert.equal((await call(user, 'POST', path, body)).status, 200);
  const status = async () => (await byKey(secret, 'GET', '/accounts/acme')).status;
  assert.equal(await status(), 200);
  const own = database
    .updateTable('privilege')
    .where('api_key_id', 'is', null)
    .where('user_id', '=', (eb) => eb.selectFrom('user').where('username', '=', user.username).select('user.id'));
  await own.set({ second_factor_required: true }).execute();
  assert.equal(await status(), 404);
  await own.set({ second_factor_required: false }).execute();
  assert.equal(await status(), 200);
  await database
    .deleteFrom('privilege')
    .where('api_key_id', 'is', null)
    .where('user_id', '=', (eb) => eb.selectFrom('user').where('username', '=', user.username).select('user.id'))
    .execute();
  assert.equal(await status(), 404);
});

test('a key changes neither its user nor his keys, and gives away only what is below what it has', async () => {
  const { id, secret } = await makeKey();
  const path = `/users/${ann.username}/privileges`;
  await call(ann, 'POST', path, { level: 'group_admin', group_id: numberOf.group, api_key_id: id });
  assert.equal((await byKey(secret, 'PUT', `/users/${ann.username}`, { authorized_keys: keys.rsa })).status, 403);
  assert.equal((await byKey(secret, 'POST', '/api_keys', { label: 'child' })).status, 403);
  assert.equal((await byKey(secret, 'DELETE', `/api_keys/${id}`)).status, 403);
  const more = { level: 'account_admin', account_id: numberOf.account, api_key_id: id };
  assert.equal((await byKey(secret, 'POST', path, more)).status, 403);
  const privileges = await byKey<{ api_key_id: number; id: number }[]>(secret, 'GET', '/privileges');
  assert.deepEqual(
    privileges.body.map(({ api_key_id }) => api_key_id),
    [id],
  );
  const seen = await byKey<ApiKey[]>(secret, 'GET', '/api_keys?view=overview');
  assert.deepEqual(
    seen.body.map((one) => one.id),
    [id],
    'nor does it see what others may do',
  );
  assert.equal((await byKey(secret, 'DELETE', `/privileges/${privileges.body[0]?.id}`)).status, 403);
});

test('a key that is removed, or whose time is over, is as one that never was', async () => {
  const { id, secret } = await makeKey();
  await call(ann, 'POST', `/users/${ann.username}/privileges`, {
    level: 'group_admin',
    group_id: numberOf.group,
    api_key_id: id,
  });
  assert.equal((await byKey(secret, 'GET', '/accounts')).status, 200);
  assert.equal((await call(bob, 'DELETE', `/api_keys/${id}`)).status, 404);
  const removed = await call(ann, 'DELETE', `/api_keys/${id}`);
  assert.deepEqual([removed.status, removed.body], [204, null]);
  assert.equal((await byKey(secret, 'GET', '/accounts')).status, 401);
  assert.equal((await call(ann, 'DELETE', `/api_keys/${id}`)).status, 404);
  assert.equal((await call(ann, 'DELETE', '/api_keys/label')).status, 404);
  const left = await call<{ api_key_id: number | null }[]>(ann, 'GET', '/privileges');
  assert.ok(left.body.every(({ api_key_id }) => api_key_id !== id));
  const short = await makeKey(ann, { expires_at: new Date(Date.now() + 3_600_000).toISOString() });
  assert.equal((await byKey(short.secret, 'GET', '/accounts')).status, 200);
  await database
    .updateTable('api_key')
    .set({ expires_at: new Date(Date.now() - 1_000) })
    .where('number', '=', BigInt(short.id))
    .execute();
  assert.equal((await byKey(short.secret, 'GET', '/accounts')).status, 401);
});

test('moments are read in the forms that clients know, and written in the one that they read', async () => {
  const year = new Date().getUTCFullYear() + 1;
  for (const [given, shown] of [
    [`${year}-01-31T12:00:00Z`, `${year}-01-31T12:00:00+0000`],
    [`${year}-01-31T12:00:00.123Z`, `${year}-01-31T12:00:00+0000`],
    [`${year}-01-31T12:00:00+0130`, `${year}-01-31T10:30:00+0000`],
    [`${year}-01-31T12:00:00-600`, `${year}-01-31T18:00:00+0000`],
    [`${year}-01-31 12:00:00 UTC`, `${year}-01-31T12:00:00+0000`],
    [`${year}-01-31`, `${year}-01-31T00:00:00+0000`],
    ['', null],
    [null, null],
  ] as const) {
    assert.equal((await makeKey(ann, { expires_at: given })).expires_at, shown, String(given));
  }
  const asked = new Date();
  const daily = (await makeKey(ann, { expires_at: '12:34:56' })).expires_at ?? '';
  assert.match(daily, /T12:34:56\+0000$/);
  assert.ok(new Date(daily) > asked && new Date(daily).getTime() <= Date.now() + 24 * 3_600_000);
});

test('a key without a label, with one that is taken, of another’s or that has ended already is refused', async () => {
  const { label } = await makeKey();
  for (const [body, field] of [
    [{}, 'label'],
    [{ label: '' }, 'label'],
    [{ label: ['x'] }, 'label'],
    [{ label: 'a\nb' }, 'label'],
    [{ label }, 'label'],
    [{ label: 'x', expires_at: 'soon' }, 'expires_at'],
    [{ label: 'x', expires_at: '2026-02-31T00:00:00Z' }, 'expires_at'],
    [{ label: 'x', expires_at: '2001-01-01T00:00:00Z' }, 'expires_at'],
    [{ label: 'x', expires_at: '2030-13-01' }, 'expires_at'],
    [{ label: 'x', user_id: 99_999_999 }, 'user_id'],
  ] as const) {
    const refused = await call<Record<string, string[]>>(ann, 'POST', '/api_keys', body);
    assert.deepEqual([refused.status, Object.keys(refused.body)], [400, [field]], JSON.stringify(body));
  }
  assert.equal((await call(ann, 'POST', '/api_keys', { label: 'x', user_id: numberOf.bob })).status, 403);
  assert.equal((await byKey(berth.apiKey, 'POST', '/api_keys', { label: 'x' })).status, 400);
  assert.deepEqual((await byKey(berth.apiKey, 'GET', '/api_keys')).body, []);
});

test('an account’s own key goes on working, and who runs the cluster removes anybody’s', async () => {
  assert.equal((await byKey(berth.apiKey, 'GET', '/accounts/default')).status, 200);
  const { id } = await makeKey(bob);
  const root = await addUser(berth, 'default');
  await grant(berth, root.username, 'cluster_admin');
  assert.equal((await call(root, 'DELETE', `/api_keys/${id}`)).status, 204);
});
