// Users in the Bytemark dialect: who sees whom, SSH keys as the command-line client sends them, and users who run the cluster.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccount } from '../../../src/app/account.ts';
import { setPassword } from '../../../src/app/user.ts';
import { type Answer, callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { keys } from '../support.ts';
import { addUser, asOperator, grant, logIn, type TestUser, tokenOf } from './identity.ts';

interface User {
  id: number;
  username: string;
  email: string | null;
  authorized_keys: string | null;
}

let berth: TestBerth;
let ann: TestUser;
let bob: TestUser;
let carol: TestUser;
let root: TestUser;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.61.0.0/17' });
  for (const name of ['acme', 'other']) await asOperator(berth, (context) => createAccount(context, name, 'name'));
  ann = await addUser(berth, 'acme');
  bob = await addUser(berth, 'acme');
  carol = await addUser(berth, 'other');
  root = await addUser(berth, 'other');
  await grant(berth, root.username, 'cluster_su');
});
after(() => berth.close());

const call = async <Body = User>(user: TestUser, method: string, path: string, body?: unknown): Promise<Answer<Body>> =>
  callApi<Body>(berth.url, await tokenOf(berth, user), method, path, body);

test('one sees oneself and who has to do with accounts that one runs, and who runs the cluster sees all', async () => {
  const names = async (user: TestUser) =>
    (await call<User[]>(user, 'GET', '/users')).body.map(({ username }) => username).toSorted();
  const both = [ann.username, bob.username].toSorted();
  assert.deepEqual(await names(ann), both);
  assert.deepEqual(await names(carol), [carol.username, root.username].toSorted());
  const all = await names(root);
  for (const user of [ann, bob, carol, root]) assert.ok(all.includes(user.username));
  assert.equal((await call(ann, 'GET', `/users/${bob.username}`)).status, 200);
  assert.equal((await call(ann, 'GET', `/users/${carol.username}`)).status, 404);
  assert.equal((await call(root, 'GET', `/users/${carol.username}`)).status, 200);
  // An account's own key runs the account.
  const byKey = await callApi<User[]>(berth.url, `apikey.${berth.apiKey}`, 'GET', '/users');
  assert.deepEqual(
    byKey.body.map(({ username }) => username),
    ['admin'],
  );
  assert.equal((await callApi(berth.url, null, 'GET', '/users')).status, 401);
});

test('who may only look at a VM sees nobody but himself', async () => {
  const guest = await addUser(berth, 'other');
  const token = await tokenOf(berth, guest);
  const held = await callApi<{ id: number }[]>(berth.url, token, 'GET', '/privileges');
  for (const { id } of held.body) {
    assert.equal((await call(root, 'DELETE', `/privileges/${id}`)).status, 204);
  }
  const seen = await callApi<User[]>(berth.url, token, 'GET', '/users');
  assert.deepEqual(
    seen.body.map(({ username }) => username),
    [guest.username],
  );
});

test('a user is the same by number and by name, and a name that nobody has is not found', async () => {
  const byName = await call(ann, 'GET', `/users/${ann.username}`);
  assert.deepEqual(Object.keys(byName.body).toSorted(), ['authorized_keys', 'email', 'id', 'type', 'username']);
  assert.ok(Number.isInteger(byName.body.id));
  assert.deepEqual((await call(ann, 'GET', `/users/${byName.body.id}`)).body, byName.body);
  assert.equal((await call(ann, 'GET', '/users/999999')).status, 404);
  assert.equal((await call(ann, 'GET', '/users/nobody')).status, 404);
});

test('keys are added and taken away as the command-line client does: by sending the whole user back', async () => {
  const path = `/users/${ann.username}`;
  const user = (await call(ann, 'GET', path)).body;
  assert.equal(user.authorized_keys, null);
  const { id, username } = user;
  const put = (body: unknown) => call(ann, 'PUT', path, body);
  const one = await put({ id, username, authorized_keys: keys.ed25519 });
  assert.deepEqual([one.status, one.body.authorized_keys], [200, keys.ed25519]);
  const two = await put({ id, username, authorized_keys: `${keys.ed25519}\n${keys.rsa}\n` });
  assert.equal(two.body.authorized_keys, `${keys.ed25519}\n${keys.rsa}`);
  const parts = await put({ email: 'ann@example.com', nonsense: 1 });
  assert.equal(parts.body.authorized_keys, two.body.authorized_keys);
  assert.equal((await put({ authorized_keys: null })).body.authorized_keys, two.body.authorized_keys);
  const renamed = await put({ id, username: 'someone', authorized_keys: keys.rsa });
  assert.deepEqual([renamed.body.username, renamed.body.authorized_keys], [username, keys.rsa]);
  assert.equal((await put({ id, username })).body.authorized_keys, null);
  await put({ authorized_keys: keys.rsa });
  assert.equal((await put({ authorized_keys: '' })).body.authorized_keys, null);
});

test('what is no public key is refused at its field, and a private one is not repeated', async () => {
  const path = `/users/${ann.username}`;
  for (const [wrong, text] of [
    ['rubbish', /known key type/],
    [`${keys.rsa}\ncommand="x" ${keys.ed25519}`, /known key type/],
    ['-----BEGIN OPENSSH PRIVATE KEY-----', /private key/],
    [Array.from({ length: 51 }, () => keys.rsa).join('\n'), /too long/],
    [{ key: keys.rsa }, /is invalid/],
  ] as const) {
    const answer = await call<Record<string, string[]>>(ann, 'PUT', path, { authorized_keys: wrong });
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.match(answer.body.authorized_keys?.join() ?? '', text);
    assert.ok(!JSON.stringify(answer.body).includes('BEGIN'));
  }
});

test('nobody changes another, but for who runs the cluster and is above him', async () => {
  const body = { authorized_keys: keys.rsa };
  assert.equal((await call(ann, 'PUT', `/users/${bob.username}`, body)).status, 403);
  assert.equal((await call(ann, 'PUT', `/users/${carol.username}`, body)).status, 404);
  assert.equal((await call(root, 'PUT', `/users/${bob.username}`, body)).status, 200);
  const admin = await addUser(berth, 'other');
  await grant(berth, admin.username, 'cluster_admin');
  assert.equal((await call(admin, 'PUT', `/users/${root.username}`, body)).status, 403);
  assert.equal((await call(admin, 'PUT', `/users/${bob.username}`, body)).status, 200);
  assert.equal((await callApi(berth.url, `apikey.${berth.apiKey}`, 'PUT', '/users/admin', body)).status, 403);
});

test('who runs the cluster removes users below him, with their sessions, and nobody himself', async () => {
  const gone = await addUser(berth, 'acme');
  const token = await tokenOf(berth, gone);
  assert.equal((await call(ann, 'DELETE', `/users/${gone.username}`)).status, 403);
  assert.equal((await call(gone, 'DELETE', `/users/${gone.username}`)).status, 403);
  assert.equal((await call(root, 'DELETE', `/users/${root.username}`)).status, 403);
  const removed = await call(root, 'DELETE', `/users/${gone.username}`);
  assert.deepEqual([removed.status, removed.body], [204, null]);
  assert.equal((await callApi(berth.url, token, 'GET', '/users')).status, 401);
  assert.equal((await logIn(berth, gone)).status, 403);
  assert.equal((await call(root, 'GET', `/users/${gone.username}`)).status, 404);
});

test('a user who runs the cluster is made by his like at the top, and logs in with the operator’s password', async () => {
  const add = (user: TestUser, body: unknown) =>
    call<User & Record<string, unknown>>(user, 'POST', '/admin/users', body);
  const made = await add(root, { username: 'warden', priv_spec: 'cluster_admin' });
  assert.deepEqual([made.status, made.body.username], [200, 'warden']);
  assert.equal((await logIn(berth, { username: 'warden', password: 'anything at all' })).status, 403);
  const password = 'a password of the operator';
  await asOperator(berth, (context) => setPassword(context, 'warden', password, 'the password'));
  const warden = { username: 'warden', password };
  assert.equal((await call<User[]>(warden, 'GET', '/users')).status, 200);
  assert.equal((await add(warden, { username: 'second', priv_spec: 'cluster_admin' })).status, 403);
  assert.equal((await add(ann, { username: 'second', priv_spec: 'cluster_admin' })).status, 403);
  assert.equal((await add(root, { username: 'second', priv_spec: 'cluster_su' })).status, 200);
  for (const [body, field] of [
    [{ username: 'warden', priv_spec: 'cluster_admin' }, 'username'],
    [{ username: 'a b', priv_spec: 'cluster_admin' }, 'username'],
    [{ username: '12345', priv_spec: 'cluster_admin' }, 'username'],
    [{ priv_spec: 'cluster_admin' }, 'username'],
    [{ username: 'third', priv_spec: 'account_admin' }, 'priv_spec'],
    [{ username: 'third' }, 'priv_spec'],
  ] as const) {
    const refused = await add(root, body);
    assert.equal(refused.status, 400, JSON.stringify(body));
    assert.deepEqual(Object.keys(refused.body), [field]);
  }
});
