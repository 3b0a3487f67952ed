// `GET|POST|DELETE /ssh_keys`, and deploying with registered keys by name and by fingerprint.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { registeredKeysMax } from '../../../src/model/ssh-key.ts';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed, holdings, keys, openStore } from '../support.ts';

interface SshKey {
  name?: string;
  fingerprint: string;
  algorithm: string;
  comment: string;
  publicKey: string;
  public_key: string;
  active: boolean;
  createdAt: string;
}

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const list = async (query = '') => (await berth.call<SshKey[]>('GET', `/ssh_keys${query}`)).body;
const register = (body: unknown) => berth.call<SshKey>('POST', '/ssh_keys', body);
const forget = (fingerprint: unknown) => berth.call('DELETE', '/ssh_keys', { fingerprint });
const keysOf = async (id: string) =>
  (await database.selectFrom('instance').where('id', '=', id).select('ssh_keys').executeTakeFirstOrThrow()).ssh_keys;

/** What `ssh-keygen -l` would say, computed apart. */
const fingerprintOf = (key: string) =>
  `SHA256:${createHash('sha256')
    .update(Buffer.from(key.split(' ')[1] ?? '', 'base64'))
    .digest('base64')
    .replace(/=*$/, '')}`;

/** A key that is right in form; no private half exists. */
function anyKey(comment = ''): string {
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(randomBytes(32))]);
  return `ssh-ed25519 ${blob.toString('base64')}${comment && ` ${comment}`}`;
}

async function clear(): Promise<void> {
  for (const { fingerprint } of await list()) assert.equal((await forget(fingerprint)).status, 200);
}

test('a new key is answered with 201, one object with both names of the key, and is listed the same', async () => {
  const asked = Date.now();
  const { status, body } = await register({ name: 'ann’s laptop', publicKey: `  ${keys.ed25519}\n` });
  assert.equal(status, 201);
  const { createdAt, ...rest } = body;
  assert.deepEqual(rest, {
    name: 'ann’s laptop',
    fingerprint: fingerprintOf(keys.ed25519),
    algorithm: 'ssh-ed25519',
    comment: 'ann@example',
    publicKey: keys.ed25519,
    public_key: keys.ed25519,
    active: true,
  });
  assert.match(createdAt, /^\+00\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  const created = Date.parse(createdAt.replace(/^\+00/, '').replace(/\d{6}Z$/, 'Z'));
  assert.ok(created >= asked - 1 && created <= Date.now());
  assert.deepEqual(await list(), [body]);
});

test('the same key again is answered with 200 and the one that is there, whatever name or comment it comes with', async () => {
  const [known] = await list();
  const bare = keys.ed25519.split(' ').slice(0, 2).join(' ');
  for (const body of [
    { name: 'ann’s laptop', publicKey: keys.ed25519 },
    { name: 'other', publicKey: keys.ed25519 },
    { publicKey: `${bare} somebody else` },
    { name: null, publicKey: bare },
  ]) {
    const answer = await register(body);
    assert.deepEqual([answer.status, answer.body], [200, known]);
  }
  assert.equal((await list()).length, 1);
});

test('a name that another key has is a 409 that names it', async () => {
  assertRefused(await register({ name: 'ann’s laptop', publicKey: keys.rsa }), 409, '"ann’s laptop"');
  assert.equal((await list()).length, 1);
});

test('every key type of the contract is taken; a key may come without a name or a comment', async () => {
  for (const publicKey of [keys.rsa, keys.ecdsa, anyKey()]) {
    const { status, body } = await register({ publicKey });
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual([body.algorithm, 'name' in body], [publicKey.split(' ')[0], false]);
    assert.equal(body.fingerprint, fingerprintOf(publicKey));
  }
  assert.equal((await register({ name: '', publicKey: anyKey() })).status, 201);
});

test('a deleted key is gone from the list and its name is free; deleting an unknown one is a 404 that names it', async () => {
  const fingerprint = fingerprintOf(keys.ed25519);
  const { status, body } = await berth.call('DELETE', '/ssh_keys', { fingerprint });
  assert.deepEqual([status, body], [200, { fingerprint }]);
  assert.ok((await list()).every((key) => key.fingerprint !== fingerprint));
  assertRefused(await forget(fingerprint), 404, fingerprint);
  assert.equal((await register({ name: 'ann’s laptop', publicKey: anyKey() })).status, 201);
  const held = await list();
  for (const unknown of [
    '',
    'x',
    'SHA256:',
    `${fingerprint}=`,
    "' or 1=1 --",
    '\u0000',
    '\uD800',
    'a'.repeat(70_000),
  ]) {
    assertRefused(await forget(unknown), 404, JSON.stringify(unknown).slice(0, 20));
  }
  for (const wrong of [null, 1, [], undefined]) assertRefused(await forget(wrong), 400, 'fingerprint');
  assert.deepEqual(await list(), held);
});

test('a key or a name that can’t be one is refused, and a private key is not repeated', async () => {
  const held = await list();
  const secret = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ';
  const privateKey = `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n-----END OPENSSH PRIVATE KEY-----`;
  const key = anyKey();
  const wrong: [body: unknown, status: number, ...words: string[]][] = [
    [{ publicKey: '' }, 422, 'publicKey', 'empty'],
    [{ publicKey: 'x' }, 422, 'publicKey', 'key type'],
    [{ publicKey: key.slice(0, 60) }, 422, 'publicKey', 'not a complete'],
    [{ publicKey: `${key}\n${anyKey()}` }, 422, 'publicKey', 'line break'],
    [{ publicKey: privateKey }, 422, 'publicKey', 'private key'],
    [{ name: privateKey, publicKey: key }, 422, 'name', 'a private key'],
    [{ name: key, publicKey: key }, 422, 'name'],
    [{ name: fingerprintOf(key), publicKey: key }, 422, 'name', 'SHA256:'],
    [{ name: 'a\nb', publicKey: key }, 422, 'name'],
    [{ name: ' a', publicKey: key }, 422, 'name', '" a"'],
    [{ name: '\u0000', publicKey: key }, 422, 'name'],
    [{ name: '\uD800', publicKey: key }, 422, 'name'],
    [{ name: 'n'.repeat(256), publicKey: key }, 422, 'name', '255'],
    [{ name: 1, publicKey: key }, 400, 'name', '1'],
    [{ name: 'a' }, 400, "'publicKey'"],
    [{ publicKey: null }, 400, 'publicKey'],
    [[], 400, 'body'],
  ];
  for (const [body, status, ...words] of wrong) {
    const answer = await register(body);
    assertRefused(answer, status, ...words);
    assert.ok(!JSON.stringify(answer.body).includes(secret.slice(0, 12)));
  }
  assert.ok(!berth.log().includes(secret.slice(0, 12)));
  assert.deepEqual(await list(), held);
});

test('pages follow one another; without paging everything comes, oldest first', async () => {
  await clear();
  const names = Array.from({ length: 7 }, (_, index) => `key-${index}`);
  for (const name of names) await register({ name, publicKey: anyKey() });
  const namesOf = async (query: string) => (await list(query)).map(({ name }) => name);
  assert.deepEqual(await namesOf(''), names);
  assert.deepEqual(await namesOf('?page=2&per_page=3'), names.slice(3, 6));
  assert.deepEqual(await namesOf('?page=3&per_page=3'), names.slice(6));
  assert.deepEqual(await namesOf('?page=4&per_page=3'), []);
  assert.deepEqual(await namesOf('?per_page=2'), names.slice(0, 2));
  assertRefused(await berth.call('GET', '/ssh_keys?page=0'), 400, 'page');
});

test('a VM is deployed with raw keys, registered names and fingerprints, each key once', async () => {
  await clear();
  const mine = anyKey('mine');
  await register({ name: 'mine', publicKey: mine });
  await register({ name: 'work key', publicKey: keys.ecdsa });
  const entries = [keys.rsa, 'mine', fingerprintOf(keys.ecdsa), 'work key', mine.replace(/ mine$/, ' other comment')];
  const [id = ''] = await deployed(berth, deployBody({ sshKeys: entries }));
  assert.deepEqual(await keysOf(id), [keys.rsa, mine, keys.ecdsa]);
  const [byName = ''] = await deployed(berth, deployBody({ sshKeys: ['mine'] }));
  assert.deepEqual(await keysOf(byName), [mine]);
});

test('an entry that is none of the three is a 422 that names it, and nothing is deployed', async () => {
  const held = await holdings(database);
  const unknown = fingerprintOf(anyKey());
  for (const entry of ['no such key', unknown, 'SHA256:x', 'Mine', '__proto__', 'ssh-ed255190', '%', "' or 1=1 --"]) {
    const answer = await berth.call('POST', '/vms/v3', deployBody({ sshKeys: ['mine', entry] }));
    assertRefused(answer, 422, 'vmConfiguration.sshKeys[1]', JSON.stringify(entry), 'registered');
  }
  for (const entry of ['', ' mine', 'mine\n', '\u0000', '\uD800', 'n'.repeat(300), 'ssh-ed25519', 'ssh-rsa AAAA']) {
    assertRefused(
      await berth.call('POST', '/vms/v3', deployBody({ sshKeys: [entry] })),
      422,
      'vmConfiguration.sshKeys[0]',
    );
  }
  assert.deepEqual(await holdings(database), held);
});

test('a key that VMs were deployed with can be deleted; they keep it', async () => {
  const inUse = anyKey('in-use');
  await register({ name: 'in-use', publicKey: inUse });
  const [id = ''] = await deployed(berth, deployBody({ sshKeys: ['in-use'] }));
  assert.equal((await forget(fingerprintOf(inUse))).status, 200);
  assert.deepEqual(await keysOf(id), [inUse]);
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ sshKeys: ['in-use'] })), 422, '"in-use"');
});

test('of many registrations at once of one key, or of one name, one is new', async () => {
  const publicKey = anyKey();
  const same = await Promise.all(Array.from({ length: 10 }, () => register({ name: 'at-once', publicKey })));
  assert.deepEqual(same.map(({ status }) => status).toSorted(), [...Array(9).fill(200), 201]);
  const rivals = await Promise.all(Array.from({ length: 10 }, () => register({ name: 'rival', publicKey: anyKey() })));
  assert.deepEqual(rivals.map(({ status }) => status).toSorted(), [201, ...Array(9).fill(409)]);
});

test('an account can register so many keys and no more, also at once', async () => {
  await clear();
  const account = await database.selectFrom('account').select('id').executeTakeFirstOrThrow();
  const rows = Array.from({ length: registeredKeysMax - 2 }, (_, index) => {
    const publicKey = anyKey();
    return {
      id: crypto.randomUUID(),
      account_id: account.id,
      name: `filler-${index}`,
      fingerprint: fingerprintOf(publicKey),
      algorithm: 'ssh-ed25519',
      comment: '',
      public_key: publicKey,
      created_at: new Date(),
    };
  });
  await database.insertInto('ssh_key').values(rows).execute();
  const answers = await Promise.all(Array.from({ length: 5 }, () => register({ publicKey: anyKey() })));
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 201, 422, 422, 422]);
  for (const answer of answers) if (answer.status === 422) assertRefused(answer, 422, String(registeredKeysMax));
  assert.equal((await list()).length, registeredKeysMax);
});
