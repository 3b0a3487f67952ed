// Accounts, keys, users and money by an operator's hand, and what each means at the API.

import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Database } from '../../src/store/database.ts';
import { deployBody, openStore } from '../api/support.ts';
import { callApi, startTestBerth, type TestBerth, withinOneEpoch } from '../support/berth.ts';
import { Operator } from './support.ts';

interface Account {
  id: string;
  name: string;
  available: string;
  held: string;
  instances: number;
}
interface Key {
  id: string;
  name: string;
  scope: string;
  state: string;
  apiKey: string;
  expiresAt: string | null;
}

let berth: TestBerth;
let database: Database;
let operator: Operator;
before(async () => {
  berth = await startTestBerth({ addressPool: '127.58.128.0/24' });
  database = await openStore(berth);
  operator = new Operator(berth.directory);
  await operator.text('account', 'create', 'acme');
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const show = (name: string) => operator.json<Account>('account', 'show', name);
const keysOf = async (name: string) => (await operator.json<{ keys: Key[] }>('account', 'key', 'list', name)).keys;
const makeKey = (name: string, ...options: string[]) =>
  operator.json<Key>('account', 'key', 'create', 'acme', '--name', name, ...options);
const get = (apiKey: string) => callApi<unknown>(berth.url, apiKey, 'GET', '/vms/v3');
const deploy = (apiKey: string) => callApi<{ vmId: string }[]>(berth.url, apiKey, 'POST', '/vms/v3', deployBody());

test('accounts are opened with nothing in them, and named once', async () => {
  const { accounts } = await operator.json<{ accounts: Account[] }>('account', 'list');
  assert.deepEqual(
    accounts.map(({ name, available, held }) => [name, available, held]),
    [
      ['acme', '0', '0'],
      ['default', '10000', '0'],
    ],
  );
  await operator.refused(['account', 'create', 'acme'], 'acme', 'already');
  for (const wrong of ['', ' x', 'a\nb', 'x'.repeat(64)])
    await operator.refused(['account', 'create', wrong], 'the name');
  await operator.refused(['account', 'show', 'nobody'], '"nobody"');
  assert.equal((await show((await show('acme')).id)).name, 'acme');
});

test('a key does what its scope says, of its own account only', async () => {
  const full = await makeKey('full');
  const reading = await makeKey('reading', '--scope', 'read-only');
  assert.deepEqual((await get(full.apiKey)).body, []);
  assert.deepEqual((await get(reading.apiKey)).body, []);
  assert.equal((await deploy(full.apiKey)).status, 402);
  assert.equal((await deploy(reading.apiKey)).status, 403);
  const stored = await database.selectFrom('api_key').where('name', '=', 'full').select('secret_sha256').execute();
  assert.equal(stored[0]?.secret_sha256.length, 32);
});

test('a key ends at its time or when it is revoked, and is then like one that never was', async () => {
  const short = await makeKey('short', '--expires', '30d');
  const ended = await makeKey('ended');
  const unknown = await get('berth_unknown');
  assert.equal((await get(short.apiKey)).status, 200);
  await database
    .updateTable('api_key')
    .set({ expires_at: new Date(Date.now() - 1) })
    .where('id', '=', short.id)
    .execute();
  await operator.text('account', 'key', 'revoke', 'acme', 'ended');
  for (const { apiKey } of [short, ended]) {
    const { status, body } = await get(apiKey);
    assert.deepEqual([status, body], [unknown.status, unknown.body]);
    assert.equal(status, 403);
  }
  const states = new Map((await keysOf('acme')).map(({ name, state }) => [name, state]));
  assert.deepEqual([states.get('short'), states.get('ended'), states.get('full')], ['expired', 'revoked', 'valid']);
  await makeKey('ended');
  await operator.text('account', 'key', 'revoke', 'acme', short.id);
});

test('a key’s secret is shown once and never again', async () => {
  const { apiKey, id } = await makeKey('once', '--expires', '2999-12-31');
  const listed = await operator.text('account', 'key', 'list', 'acme', '--json');
  assert.ok(listed.includes(id) && !listed.includes(apiKey) && !listed.includes('sha256'));
  const found = (await keysOf('acme')).find((key) => key.id === id);
  assert.deepEqual([found?.scope, found?.expiresAt], ['full', '2999-12-31T00:00:00.000Z']);
  const events = JSON.stringify(await database.selectFrom('event').select(['kind', 'message', 'data']).execute());
  assert.ok(events.includes('api-key.created') && !events.includes(apiKey));
});

test('a key that can’t be is refused', async () => {
  const create = (...options: string[]) => ['account', 'key', 'create', 'acme', ...options];
  await operator.refused(create('--name', 'once'), 'once', 'already');
  await operator.refused(create('--name', 'x', '--scope', 'admin'), '--scope', '"admin"');
  for (const when of ['soon', '2020-01-01']) {
    await operator.refused(create('--name', 'x', '--expires', when), '--expires');
  }
  await operator.refused(create('--name', 'a b'), '--name');
  await operator.refused(['account', 'key', 'create', 'nobody', '--name', 'x'], '"nobody"');
  await operator.refused(['account', 'key', 'revoke', 'default', 'once'], '"once"');
});

test('credit lets an account deploy, and the statement tells of every move to the last micro-dollar', async () => {
  await withinOneEpoch(180_000);
  const { apiKey } = await makeKey('buyer');
  await operator.text('account', 'credit', 'acme', '100.000001', '--reason', 'wire, "first"');
  assert.equal((await deploy(apiKey)).status, 201);
  const after = await show('acme');
  assert.deepEqual([after.available, after.held, after.instances], ['99.730001', '0.135', 1]);
  await operator.text('account', 'debit', 'acme', '0.730001', '--reason', '=1+1');
  await operator.refused(['account', 'debit', 'acme', '99.000001', '--reason', 'x'], '99.000001', '99');
  for (const amount of ['0', '0.0000001']) {
    await operator.refused(['account', 'credit', 'acme', amount, '--reason', 'x'], 'the amount');
  }
  await operator.refused(['account', 'credit', 'acme', '1', '--reason', ' '], 'reason');
  const statement = await operator.json<{
    transactions: { kind: string; availableMoved: string; available: string; actor: string }[];
  }>('account', 'statement', 'acme');
  assert.deepEqual(
    statement.transactions
      .map(({ kind, availableMoved, available }) => [kind, availableMoved, available])
      .filter(([kind]) => kind !== 'charge' && kind !== 'deposit'),
    [
      ['credit', '100.000001', '100.000001'],
      ['debit', '-0.730001', '99'],
    ],
  );
  assert.deepEqual(statement.transactions.map(({ kind }) => kind).toSorted(), ['charge', 'credit', 'debit', 'deposit']);
  assert.equal(statement.transactions[0]?.actor, 'operator');
  const csv = await operator.text('account', 'statement', 'acme', '--csv');
  assert.ok(csv.includes('"wire, ""first"""') && csv.includes(",'=1+1,"), csv);
  assert.equal(csv.trim().split('\n').length, 5);
  const none = await operator.json<{ transactions: object[] }>('account', 'statement', 'acme', '--to', '2020-01-01');
  assert.deepEqual(none.transactions, []);
  await operator.refused(['account', 'statement', 'acme', '--from', '2027-01-01', '--to', '2026-01-01'], '--from');
  assert.equal((await show('default')).available, '10000');
});

test('a user has a password that is kept as an argon2id hash only, and a name of their own', async () => {
  const made = await operator.json<{ password: string }>('account', 'user', 'add', 'acme', 'ann@example.com');
  assert.ok(await holds('ann@example.com', made.password));
  const given = await operator.typing(
    'correct horse battery\n',
    'account',
    'user',
    'add',
    'acme',
    'bob',
    '--password-stdin',
  );
  assert.equal(given.status, 0, given.stderr);
  assert.ok(!given.stdout.includes('horse'));
  assert.ok(await holds('bob', 'correct horse battery'));
  const short = await operator.typing('short', 'account', 'user', 'password', 'bob', '--password-stdin');
  assert.equal(short.status, 1);
  assert.match(short.stderr, /^berth: the password has 5 characters/);
  const changed = await operator.json<{ password: string }>('account', 'user', 'password', 'bob');
  assert.ok(await holds('bob', changed.password));
  await operator.refused(['account', 'user', 'add', 'default', 'bob'], 'bob', 'already');
  await operator.refused(['account', 'user', 'add', 'acme', 'b b'], 'the name');
  const { users } = await operator.json<{ users: { username: string }[] }>('account', 'user', 'list', 'acme');
  assert.deepEqual(
    users.map(({ username }) => username),
    ['ann@example.com', 'bob'],
  );
  await operator.text('account', 'user', 'remove', 'bob');
  await operator.refused(['account', 'user', 'remove', 'bob'], '"bob"');
});

/** Whether a user's stored hash is of this password. */
async function holds(username: string, password: string): Promise<boolean> {
  const { password_hash } = await database
    .selectFrom('user')
    .where('username', '=', username)
    .select('password_hash')
    .executeTakeFirstOrThrow();
  const [, memory, passes, parallelism, nonce = '', tag = ''] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(password_hash ?? '') ?? [];
  const parameters = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: 32,
  };
  const again = argon2Sync('argon2id', { message: password, nonce: Buffer.from(nonce, 'base64'), ...parameters });
  return again.equals(Buffer.from(tag, 'base64'));
}

test('a start brings back neither a user nor a key that the operator has taken away, and gives no credit twice', async () => {
  await operator.text('account', 'user', 'remove', 'admin');
  await operator.text('account', 'key', 'revoke', 'default', 'first');
  await database.destroy();
  await berth.restart();
  database = await openStore(berth);
  assert.deepEqual((await operator.json<{ users: object[] }>('account', 'user', 'list', 'default')).users, []);
  assert.equal((await berth.call('GET', '/vms/v3')).status, 403);
  assert.equal((await show('default')).available, '10000');
});
