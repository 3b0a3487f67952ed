// API keys and privileges in Berth's own API: of accounts and of users, what each may do, and that nobody gets more than he has.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { addUser } from '../bytemark/identity.ts';
import { startPeople } from './people.ts';
import { assertProblem } from './problem.ts';

interface Key {
  id: string;
  account: string | null;
  user: { username: string } | null;
  name: string;
  scope: string | null;
  state: string;
  privileges: { id: string; level: string }[];
  expiresAt: string | null;
  lastUsedAt: string | null;
  secret?: string;
}
interface Privilege {
  id: string;
  level: string;
  group: string | null;
  apiKey: string | null;
  secondFactorRequired: boolean;
  fromAddresses: string[] | null;
  grantedBy: string | null;
}

const people = await startPeople();
after(() => people.close());
const { berth, database, ann, carol, root, enter, call } = people;
const keysInAll = async () => (await database.selectFrom('api_key').select('id').execute()).length;
const groupOf = async (who: typeof ann) =>
  (await call<{ items: { id: string }[] }>(who, 'GET', '/groups')).body.items[0]?.id ?? '';

test('an account’s key is shown once, does what its scope says, and ends when it is revoked', async () => {
  const body = { account: 'acme', name: 'look', scope: 'read-only', expiresAt: '2999-01-31T12:00:00+01:00' };
  const made = await call<Key>(ann, 'POST', '/api-keys', body);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { secret, ...key } = made.body;
  assert.deepEqual([key.scope, key.state, key.expiresAt], ['read-only', 'valid', '2999-01-31T11:00:00.000Z']);
  const path = `/api-keys/${key.id}`;
  assert.deepEqual((await call<Key>(ann, 'GET', path)).body, key);
  assert.equal((await call(secret ?? '', 'GET', '/groups')).status, 200);
  assertProblem(await call(secret ?? '', 'POST', '/groups', { name: 'x' }), 403, 'forbidden');
  assertProblem(await call(secret ?? '', 'POST', '/api-keys', { name: 'more' }), 403, 'forbidden');
  const used = (await call<Key>(ann, 'GET', path)).body.lastUsedAt;
  assert.ok(used !== null && Date.now() - Date.parse(used) < 60_000);
  await call(secret ?? '', 'GET', '/groups');
  assert.equal((await call<Key>(ann, 'GET', path)).body.lastUsedAt, used, 'it is noted once an hour');
  assertProblem(await call(carol, 'GET', path), 404, 'not_found');
  assertProblem(await call(carol, 'DELETE', path), 404, 'not_found');
  assertProblem(await call(secret ?? '', 'DELETE', path), 403, 'forbidden');
  assert.equal((await call(ann, 'DELETE', path)).status, 204);
  assertProblem(await call(secret ?? '', 'GET', '/groups'), 401, 'unauthenticated');
  const list = await call<{ items: Key[] }>(ann, 'GET', '/api-keys?account=acme');
  assert.deepEqual(
    list.body.items.map(({ name, state }) => [name, state]),
    [['look', 'revoked']],
  );
  assert.ok(!JSON.stringify(list.body).includes(secret ?? 'none'));
  const [event] = await database.selectFrom('event').where('kind', '=', 'api-key.created').select('actor').execute();
  assert.equal(event?.actor, `user:${ann.username}`);
});

test('a user’s key does what is granted to it, as far as its user may', async () => {
  const group = await groupOf(ann);
  const privileges = [{ level: 'group_admin', group }];
  const made = await call<Key>(ann, 'POST', '/api-keys', { name: 'robot', privileges });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.deepEqual([made.body.account, made.body.user?.username, made.body.scope], [null, ann.username, null]);
  assert.deepEqual(
    made.body.privileges.map(({ level }) => level),
    ['group_admin'],
  );
  const secret = made.body.secret ?? '';
  const groups = await call<{ items: { id: string }[] }>(secret, 'GET', '/groups');
  assert.deepEqual(
    groups.body.items.map(({ id }) => id),
    [group],
  );
  assertProblem(await call(secret, 'POST', '/groups', { name: 'yard', account: 'acme' }), 403, 'forbidden');
  assertProblem(await call(secret, 'POST', '/api-keys', { name: 'child' }), 403, 'forbidden');
  const own = await call<{ items: Key[] }>(secret, 'GET', '/api-keys');
  assert.deepEqual(
    own.body.items.map(({ id }) => id),
    [made.body.id],
  );
  const more = await call<Privilege>(ann, 'POST', '/privileges', {
    ...{ user: ann.username, level: 'account_admin', account: 'acme', apiKey: made.body.id },
  });
  assert.deepEqual([more.status, more.body.apiKey], [201, made.body.id], JSON.stringify(more.body));
  assert.equal((await call(secret, 'POST', '/groups', { name: 'yard', account: 'acme' })).status, 201);
  assert.equal((await call(ann, 'DELETE', `/privileges/${more.body.id}`)).status, 204);
  assertProblem(await call(secret, 'POST', '/groups', { name: 'zoo', account: 'acme' }), 403, 'forbidden');
  assertProblem(await call(carol, 'GET', `/api-keys/${made.body.id}`), 404, 'not_found');
  const seen = await call<{ items: Key[] }>(root, 'GET', `/api-keys?user=${ann.username}`);
  assert.equal(seen.body.items.length, 1);
  assertProblem(await call(carol, 'GET', `/api-keys?user=${root.username}`), 403, 'forbidden');
  assert.equal((await call(ann, 'DELETE', `/api-keys/${made.body.id}`)).status, 204);
  assertProblem(await call(secret, 'GET', '/groups'), 401, 'unauthenticated');
  assertProblem(await call(ann, 'GET', `/api-keys/${made.body.id}`), 404, 'not_found');
});

test('a key that can’t be is refused with the field at fault, and none is made', async () => {
  const theirs = await groupOf(carol);
  const own = await groupOf(ann);
  assert.equal((await call(ann, 'POST', '/api-keys', { account: 'acme', name: 'taken' })).status, 201);
  assert.equal((await call(ann, 'POST', '/api-keys', { name: 'taken' })).status, 201);
  const before = await keysInAll();
  for (const [body, status, pointer] of [
    [{ account: 'acme', name: 'taken' }, 409, '#/name'],
    [{ name: 'taken' }, 422, '#/name'],
    [{ account: 'acme', name: 'two words' }, 422, '#/name'],
    [{ name: '' }, 422, '#/name'],
    [{ account: 'acme', name: 'k', expiresAt: 'soon' }, 422, '#/expiresAt'],
    [{ account: 'acme', name: 'k', expiresAt: '2026-06-31T00:00:00Z' }, 422, '#/expiresAt'],
    [{ account: 'acme', name: 'k', expiresAt: '2001-01-01T00:00:00Z' }, 422, '#/expiresAt'],
    [{ name: 'k', expiresAt: '2001-01-01T00:00:00Z' }, 422, '#/expiresAt'],
    [{ name: 'k', scope: 'full' }, 422, '#/scope'],
    [{ account: 'acme', name: 'k', privileges: [] }, 422, '#/privileges'],
    [{ name: 'k', privileges: [{ level: 'group_admin', group: theirs }] }, 404, '#/privileges/0/group'],
    [{ name: 'k', privileges: [{ level: 'cluster_admin' }] }, 403, undefined],
    [{ account: 'other', name: 'k' }, 404, undefined],
    [{ name: 'k', privileges: Array(2).fill({ level: 'group_admin', group: own }) }, 422, '#/privileges/1/level'],
  ] as const) {
    const answer = await call<{ pointer?: string }>(ann, 'POST', '/api-keys', body);
    const shown = JSON.stringify([body, answer.body]);
    assert.equal(answer.status, status, shown);
    if (pointer) assert.ok(JSON.stringify(answer.body).includes(`"${pointer}"`), shown);
  }
  assert.equal(await keysInAll(), before);
});

test('a privilege is granted by who is above it, under terms that can be changed, and taken away', async () => {
  const group = await groupOf(ann);
  const bob = await enter(await addUser(berth, 'other'));
  const grantIt = (who: typeof ann, more: object = {}) =>
    call<Privilege>(who, 'POST', '/privileges', { user: bob.username, level: 'group_admin', group, ...more });
  assertProblem(await grantIt(bob), 404, 'not_found');
  const wrong = assertProblem(await grantIt(ann, { fromAddresses: ['192.0.2.0/24', 'home'] }), 422, 'invalid_value');
  assert.equal(wrong.pointer, '#/fromAddresses/1');
  assertProblem(await grantIt(ann, { user: 'nobody-at-all' }), 404, 'not_found');
  assertProblem(await grantIt(ann, { secondFactorAgeSecondsMax: 0 }), 400, 'malformed');
  const made = await grantIt(ann, { user: bob.id, fromAddresses: ['127.0.0.0/8'] });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.deepEqual([made.body.grantedBy, made.body.fromAddresses], [ann.username, ['127.0.0.0/8']]);
  assert.equal(assertProblem(await grantIt(ann), 422, 'invalid_value').pointer, '#/level');
  const path = `/privileges/${made.body.id}`;
  const seesGroup = async () => (await call(bob, 'GET', `/groups/${group}`)).status;
  assert.equal(await seesGroup(), 200);
  assertProblem(await call(bob, 'PATCH', path, { fromAddresses: null }), 403, 'forbidden');
  assertProblem(await call(carol, 'PATCH', path, { fromAddresses: null }), 404, 'not_found');
  const changed = await call<Privilege>(ann, 'PATCH', path, { secondFactorRequired: true, fromAddresses: null });
  assert.deepEqual([changed.body.secondFactorRequired, changed.body.fromAddresses], [true, null]);
  assert.equal(await seesGroup(), 404, 'he has shown no second factor');
  assertProblem(await call(bob, 'DELETE', path), 403, 'forbidden');
  assert.equal((await call(ann, 'DELETE', path)).status, 204);
  assertProblem(await call(ann, 'GET', path), 404, 'not_found');
});

test('privileges are listed page by page to who may see them', async () => {
  const group = await groupOf(ann);
  for (let count = 0; count < 3; count += 1) {
    const { username } = await addUser(berth, 'other');
    await call(ann, 'POST', '/privileges', { user: username, level: 'group_admin', group });
  }
  const list = async (who: typeof ann, query = '') =>
    (await call<{ items: Privilege[] }>(who, 'GET', `/privileges?limit=200${query}`)).body.items;
  assert.equal((await list(ann, `&group=${group}`)).length, 3);
  const all = await list(ann);
  assert.ok(all.length >= 4);
  assert.ok((await list(carol)).every((one) => one.group !== group));
  assert.ok((await list(root)).length > all.length);
  const seen: Privilege[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body }: { body: { items: Privilege[]; nextCursor: string | null } } = await call<{
      items: Privilege[];
      nextCursor: string | null;
    }>(ann, 'GET', `/privileges?limit=2${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items);
    cursor = body.nextCursor;
  }
  assert.deepEqual(seen, all);
  assertProblem(await call(carol, 'GET', `/privileges?group=${group}`), 404, 'not_found');
  assertProblem(await call(ann, 'GET', `/privileges?user=${carol.username}`), 404, 'not_found');
  assert.deepEqual(await list(ann, '&user=me'), await list(ann, `&user=${ann.username}`));
});
