// Users in Berth's own API: who sees whom, who adds and removes whom, and what somebody changes of himself, a second factor among it.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { totpCode } from '../../../src/model/totp.ts';
import { addUser, grant } from '../bytemark/identity.ts';
import { keys } from '../support.ts';
import { startPeople } from './people.ts';
import { assertProblem } from './problem.ts';

interface User {
  id: string;
  username: string;
  email: string | null;
  authorizedKeys: string[];
  secondFactor: boolean;
  password?: string | null;
}
interface Page {
  items: User[];
  nextCursor: string | null;
}

const people = await startPeople();
after(() => people.close());
const { berth, database, ann, carol, root, enter, call } = people;
const logIn = (user: object) => call<{ token: string }>(null, 'POST', '/sessions', user);
const usersInAll = async () => (await database.selectFrom('user').select('id').execute()).length;
const forgetFailures = () => database.deleteFrom('login_failure').execute();

test('one sees oneself and who has to do with accounts that one runs, page by page, and an operator sees all', async () => {
  const names = async (who: typeof ann, query = '') =>
    (await call<Page>(who, 'GET', `/users?limit=200${query}`)).body.items.map(({ username }) => username);
  assert.deepEqual(await names(ann), [ann.username]);
  assert.deepEqual(await names(carol), [carol.username, root.username].toSorted());
  const all = await names(root);
  for (const { username } of [ann, carol, root]) assert.ok(all.includes(username));
  assert.deepEqual(await names(root, '&account=acme'), [ann.username]);
  assert.deepEqual(await names(root, `&username=${carol.username}`), [carol.username]);
  assertProblem(await call(ann, 'GET', '/users?account=other'), 404, 'not_found');
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body }: { body: Page } = await call<Page>(root, 'GET', `/users?limit=1${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.items.map(({ username }) => username));
    cursor = body.nextCursor;
  }
  assert.deepEqual(seen, all);
  assert.equal((await call(carol, 'GET', `/users/${root.id}`)).status, 200);
  assertProblem(await call(ann, 'GET', `/users/${carol.id}`), 404, 'not_found');
  assertProblem(await call(ann, 'GET', `/users/${carol.username}`), 404, 'not_found');
  assertProblem(await call(berth.apiKey, 'GET', '/users/me'), 403, 'forbidden');
});

test('who runs an account adds users who may do less there, and they log in', async () => {
  const group = (await call<{ id: string }>(ann, 'POST', '/groups', { name: 'shop', account: 'acme' })).body.id;
  const privileges = [{ level: 'group_admin', group }];
  const made = await call<User>(ann, 'POST', '/users', { username: 'bob', email: 'bob@example.com', privileges });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.deepEqual([made.body.username, made.body.email, made.body.secondFactor], ['bob', 'bob@example.com', false]);
  const bob = await enter({ username: 'bob', password: made.body.password ?? '' });
  const held = await call<{ items: { level: string; group: string }[] }>(bob, 'GET', '/privileges');
  assert.deepEqual(
    held.body.items.map((one) => [one.level, one.group]),
    [['group_admin', group]],
  );
  const shown = await call<User>(ann, 'GET', made.headers.get('location')?.replace('/berth/v1', '') ?? '');
  assert.deepEqual([shown.status, shown.body.password], [200, undefined]);
  const chosen = { username: 'bea', password: 'a passphrase of several words', privileges };
  assert.equal((await call<User>(ann, 'POST', '/users', chosen)).body.password, null);
  assert.equal((await logIn(chosen)).status, 400, 'a login takes no privileges');
  assert.equal((await logIn({ username: 'bea', password: chosen.password })).status, 201);
});

test('who adds a user without the right to is refused, and nobody is added', async () => {
  const before = await usersInAll();
  const own = (await call<{ items: { id: string }[] }>(ann, 'GET', '/groups')).body.items[0]?.id ?? '';
  const theirs = (await call<{ items: { id: string }[] }>(carol, 'GET', '/groups')).body.items[0]?.id ?? '';
  const add = (who: typeof ann | string, body: object) => call(who, 'POST', '/users', { username: 'eve', ...body });
  const onOwn = { privileges: [{ level: 'group_admin', group: own }] };
  assertProblem(await add(ann, {}), 403, 'forbidden');
  assertProblem(await add(ann, { privileges: [] }), 403, 'forbidden');
  assertProblem(await add(ann, { privileges: [{ level: 'account_admin', account: 'acme' }] }), 403, 'forbidden');
  assertProblem(await add(ann, { privileges: [{ level: 'cluster_admin' }] }), 403, 'forbidden');
  const unseen = assertProblem(
    await add(ann, { privileges: [...onOwn.privileges, { level: 'group_admin', group: theirs }] }),
    404,
    'not_found',
  );
  assert.equal(unseen.pointer, '#/privileges/1/group');
  for (const [body, pointer] of [
    [{ username: '17', ...onOwn }, '#/username'],
    [{ username: 'two words', ...onOwn }, '#/username'],
    [{ username: ann.username, ...onOwn }, '#/username'],
    [{ email: 'nowhere', ...onOwn }, '#/email'],
    [{ password: 'short', ...onOwn }, '#/password'],
    [{ privileges: [{ level: 'group_admin' }] }, '#/privileges/0/group'],
    [{ privileges: [{ level: 'group_admin', group: own, account: 'acme' }] }, '#/privileges/0/account'],
    [{ privileges: [{ level: 'vm_admin', instance: 'x' }] }, '#/privileges/0/instance'],
  ] as const) {
    assert.equal(assertProblem(await add(ann, body), 422, 'invalid_value').pointer, pointer, JSON.stringify(body));
  }
  assertProblem(await add(ann, { privileges: [{ level: 'king' }] }), 400, 'malformed');
  assert.equal((await call(ann, 'POST', '/users?dryRun=true', { username: 'eve', ...onOwn })).status, 201);
  assert.equal(await usersInAll(), before);
  const owner = { privileges: [{ level: 'account_admin', account: 'acme' }] };
  assert.equal((await call(root, 'POST', '/users', { username: 'owner', ...owner })).status, 201);
  assert.equal((await call(root, 'POST', '/users', { username: 'nobody-yet' })).status, 201);
});

test('one changes one’s own mail address and SSH keys, and nobody else’s', async () => {
  const body = { email: 'ann@example.com', authorizedKeys: [keys.ed25519, keys.ecdsa] };
  const changed = await call<User>(ann, 'PATCH', '/users/me', body);
  assert.deepEqual([changed.status, changed.body.email, changed.body.authorizedKeys], [200, ...Object.values(body)]);
  assert.deepEqual((await call<User>(ann, 'PATCH', '/users/me', { email: null })).body.email, null);
  assert.deepEqual((await call<User>(ann, 'PATCH', '/users/me', {})).body.authorizedKeys, body.authorizedKeys);
  assertProblem(await call(ann, 'PATCH', `/users/${carol.id}`, body), 404, 'not_found');
  assertProblem(await call(carol, 'PATCH', `/users/${root.id}`, body), 403, 'forbidden');
  assert.equal((await call<User>(root, 'PATCH', `/users/${carol.id}`, { email: 'c@example.com' })).status, 200);
  const wrong = assertProblem(
    await call(ann, 'PATCH', '/users/me', { email: 'new@example.com', authorizedKeys: ['nonsense'] }),
    422,
    'invalid_value',
  );
  assert.equal(wrong.pointer, '#/authorizedKeys');
  assert.equal((await call<User>(ann, 'GET', '/users/me')).body.email, null, 'all of it or nothing');
});

test('another password needs the one that one has, ends other sessions, and guessing it is slowed', async () => {
  const dan = await enter(await addUser(berth, 'acme'));
  const elsewhere = await enter(dan);
  const password = 'a passphrase of several words';
  const set = (body: object) => call(dan, 'PATCH', '/users/me', body);
  assert.equal(assertProblem(await set({ password }), 422, 'invalid_value').pointer, '#/currentPassword');
  assertProblem(await set({ password, currentPassword: 'wrong' }), 422, 'invalid_value');
  const short = assertProblem(await set({ password: 'short', currentPassword: dan.password }), 422, 'invalid_value');
  assert.equal(short.pointer, '#/password');
  assert.equal((await call(elsewhere, 'GET', '/me')).status, 200);
  assert.equal((await set({ password, currentPassword: dan.password })).status, 200);
  assert.equal((await call(dan, 'GET', '/me')).status, 200);
  assertProblem(await call(elsewhere, 'GET', '/me'), 401, 'unauthenticated');
  assertProblem(await logIn({ username: dan.username, password: dan.password }), 401, 'bad_credentials');
  assert.equal((await logIn({ username: dan.username, password })).status, 201);
  const statuses = [];
  for (let count = 0; count < 13; count += 1) {
    statuses.push((await set({ password, currentPassword: `guess ${count}` })).status);
  }
  assert.ok(statuses.includes(429), 'what failed is counted, though each request was taken back');
  await forgetFailures();
  assert.equal((await call(root, 'PATCH', `/users/${dan.id}`, { password: `${password} more` })).status, 200);
  assertProblem(await call(dan, 'GET', '/me'), 401, 'unauthenticated');
  assert.ok(!berth.log().includes(password));
});

test('a second factor is set up with the password and a code, and taken away with a code', async () => {
  const dora = await enter(await addUser(berth, 'acme'));
  const elsewhere = await enter(dora);
  const path = '/users/me/second-factor';
  assertProblem(await call(dora, 'PUT', path, { code: '000000' }), 409, 'wrong_state');
  assertProblem(await call(dora, 'POST', path, { currentPassword: 'wrong' }), 422, 'invalid_value');
  const begun = await call<{ secret: string; uri: string }>(dora, 'POST', path, { currentPassword: dora.password });
  assert.equal(begun.status, 201);
  const { secret, uri } = begun.body;
  assert.equal(new URL(uri).searchParams.get('secret'), secret);
  assert.equal((await logIn(dora)).status, 400);
  const { username, password } = dora;
  assert.equal((await logIn({ username, password })).status, 201, 'it does not hold before it is confirmed');
  assert.equal(
    assertProblem(await call(dora, 'PUT', path, { code: '000000' }), 422, 'invalid_value').pointer,
    '#/code',
  );
  const code = totpCode(secret, new Date());
  assert.equal((await call<User>(dora, 'PUT', path, { code })).body.secondFactor, true);
  assertProblem(await call(elsewhere, 'GET', '/me'), 401, 'unauthenticated');
  assertProblem(await logIn({ username, password }), 401, 'second_factor_needed');
  assertProblem(await logIn({ username, password, code }), 401, 'bad_credentials');
  assertProblem(await call(dora, 'POST', path, { currentPassword: password }), 409, 'wrong_state');
  assertProblem(await call(dora, 'PUT', path, { code }), 409, 'wrong_state');
  assert.equal(assertProblem(await call(dora, 'POST', `${path}/remove`, {}), 422, 'invalid_value').pointer, '#/code');
  assertProblem(await call(dora, 'POST', `${path}/remove`, { code: '000000' }), 422, 'invalid_value');
  assertProblem(await call(dora, 'POST', `${path}/remove`, { code }), 422, 'invalid_value');
  const next = totpCode(secret, new Date(Date.now() + 30_000));
  assert.equal((await call(dora, 'POST', `${path}/remove`, { code: next })).status, 204);
  assert.equal((await logIn({ username, password })).status, 201);
  assertProblem(await call(dora, 'POST', `${path}/remove`, {}), 409, 'wrong_state');
  await forgetFailures();
});

test('an operator takes the second factor of who lost it away, and nobody else does', async () => {
  const fay = await enter(await addUser(berth, 'other'));
  const path = '/users/me/second-factor';
  const { secret } = (await call<{ secret: string }>(fay, 'POST', path, { currentPassword: fay.password })).body;
  assert.equal((await call(fay, 'PUT', path, { code: totpCode(secret, new Date()) })).status, 200);
  const theirs = `/users/${fay.id}/second-factor`;
  assertProblem(await call(carol, 'POST', `${theirs}/remove`, {}), 403, 'forbidden');
  assertProblem(await call(ann, 'POST', `${theirs}/remove`, {}), 404, 'not_found');
  assertProblem(await call(root, 'POST', theirs, { currentPassword: root.password }), 403, 'forbidden');
  assertProblem(await call(root, 'PUT', theirs, { code: '000000' }), 403, 'forbidden');
  const statuses = [];
  for (let count = 0; count < 13; count += 1)
    statuses.push((await call(fay, 'POST', `${path}/remove`, { code: `00000${count}` })).status);
  assert.ok(statuses.includes(429), 'a stolen session can’t guess the code');
  assert.equal((await call(root, 'POST', `${theirs}/remove`, {})).status, 204);
  await forgetFailures();
  assert.equal((await logIn({ username: fay.username, password: fay.password })).status, 201);
});

test('operators remove users below them, and nobody removes himself', async () => {
  const gil = await enter(await addUser(berth, 'other'));
  assertProblem(await call(carol, 'DELETE', `/users/${gil.id}`), 403, 'forbidden');
  assertProblem(await call(gil, 'DELETE', '/users/me'), 403, 'forbidden');
  assertProblem(await call(root, 'DELETE', '/users/me'), 403, 'forbidden');
  const peer = await enter(await addUser(berth, 'other'));
  await grant(berth, peer.username, 'cluster_admin');
  assertProblem(await call(root, 'DELETE', `/users/${peer.id}`), 403, 'forbidden');
  assert.equal((await call(root, 'DELETE', `/users/${gil.id}`)).status, 204);
  assertProblem(await call(root, 'DELETE', `/users/${gil.id}`), 404, 'not_found');
  assertProblem(await call(gil, 'GET', '/me'), 401, 'unauthenticated');
});

test('operators open accounts and close those in which nothing ever was', async () => {
  assertProblem(await call(ann, 'POST', '/accounts', { name: 'mine' }), 403, 'forbidden');
  const opened = await call<{ id: string; name: string }>(root, 'POST', '/accounts', { name: 'fresh' });
  assert.deepEqual([opened.status, opened.body.name], [201, 'fresh']);
  for (const name of ['fresh', 'Two Words', '']) {
    assert.equal(
      assertProblem(await call(root, 'POST', '/accounts', { name }), 422, 'invalid_value').pointer,
      '#/name',
    );
  }
  const owner = { username: 'first-owner', privileges: [{ level: 'account_admin', account: 'fresh' }] };
  assert.equal((await call(root, 'POST', '/users', owner)).status, 201);
  assertProblem(await call(ann, 'DELETE', `/accounts/${opened.body.id}`), 403, 'forbidden');
  assert.equal((await call(root, 'DELETE', `/accounts/${opened.body.id}`)).status, 204);
  assertProblem(await call(root, 'GET', `/accounts/${opened.body.id}`), 404, 'not_found');
  assertProblem(await call(root, 'DELETE', '/accounts/default'), 409, 'wrong_state');
});
