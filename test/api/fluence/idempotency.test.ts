// The Idempotency-Key header of the deploy call: a repeat is answered the same and deploys nothing, whatever happened in
// between, and however many repeats arrive at once.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import {
  assertRefused,
  type DeployBody,
  type Deployed,
  deployBody,
  deployed,
  holdings,
  keys,
  openStore,
  removed,
  untilStatus,
} from '../support.ts';

const berth = await startTestBerth({ agent: { capacity: { memoryMib: 20 * 1024 } } });
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const post = (key: string, body: DeployBody | string) =>
  berth.call<Deployed>('POST', '/vms/v3', body, { 'idempotency-key': key });
const count = async () => (await database.selectFrom('instance').select('id').execute()).length;

test('a repeat is answered the same and deploys nothing, also when the fields come in another order', async () => {
  const body = deployBody({ openPorts: [{ port: 80, protocol: 'tcp' }] }, { instances: 2 });
  const first = await post('order-1', body);
  assert.equal(first.status, 201);
  await Promise.all(first.body.map(({ vmId }) => untilStatus(berth, vmId, 'Active')));
  const held = await holdings(database);
  const turned = {
    vmConfiguration: Object.fromEntries(Object.entries(body.vmConfiguration).reverse()),
    instances: 2,
  };
  for (const again of [await post('order-1', body), await post('order-1', turned)]) {
    assert.deepEqual([again.status, again.body], [201, first.body]);
  }
  assert.deepEqual(await holdings(database), held);
});

test('a repeat is answered the same after the VM was deleted, and deploys no other', async () => {
  const body = deployBody();
  const first = await post('order-2', body);
  await removed(
    berth,
    database,
    first.body.map(({ vmId }) => vmId),
  );
  const before = await count();
  const again = await post('order-2', body);
  assert.deepEqual([again.status, again.body], [201, first.body]);
  assert.equal(await count(), before);
});

test('the same key with another body is refused and changes nothing', async () => {
  const body = deployBody();
  const first = await post('order-3', body);
  await untilStatus(berth, first.body[0]?.vmId ?? '', 'Active');
  const held = await holdings(database);
  for (const other of [deployBody(), { ...body, instances: 2 }, { ...body, comment: 'x' }]) {
    assertRefused(await post('order-3', other), 422, 'Idempotency-Key', 'different request');
  }
  assert.deepEqual(await holdings(database), held);
});

test('ten requests with one key at once are one deployment and ten equal answers', async () => {
  for (let round = 0; round < 3; round += 1) {
    const before = await count();
    const body = deployBody();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(`at-once-${round}`, body)));
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [201, answers[0]?.body]);
    assert.equal(await count(), before + 1);
  }
});

test('different bodies under one key at once: one is deployed, the others are refused', async () => {
  const before = await count();
  const answers = await Promise.all(Array.from({ length: 6 }, () => post('race', deployBody())));
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, 422, 422, 422, 422, 422]);
  assert.equal(await count(), before + 1);
});

test('a refused request leaves its key unused', async () => {
  const wrong = deployBody({ name: 'not a name' });
  assertRefused(await post('order-4', wrong), 422, 'name');
  assertRefused(
    await post('order-4', deployBody({}, { constraints: { basicConfiguration: 'cpu-16-ram-32gb-storage-25gb' } })),
    422,
    'No suitable offer found',
  );
  const right = await post('order-4', deployBody());
  assert.equal(right.status, 201);
});

test('a repeat is answered the same when there is no capacity left', async () => {
  const body = deployBody();
  const first = await post('order-5', body);
  const rest: string[] = [];
  for (;;) {
    const answer = await berth.call<Deployed>('POST', '/vms/v3', deployBody());
    if (answer.status === 422) break;
    rest.push(...answer.body.map(({ vmId }) => vmId));
  }
  const again = await post('order-5', body);
  assert.deepEqual([again.status, again.body], [201, first.body]);
  await removed(berth, database, rest);
});

test('a repeat is answered the same when the SSH key that it names is no longer registered', async () => {
  const registered = await berth.call<{ fingerprint: string }>('POST', '/ssh_keys', {
    name: 'gone',
    publicKey: keys.ed25519,
  });
  const body = deployBody({ sshKeys: ['gone'] });
  const first = await post('ssh-key', body);
  assert.equal(first.status, 201);
  const { fingerprint } = registered.body;
  assert.equal((await berth.call('DELETE', '/ssh_keys', { fingerprint })).status, 200);
  const again = await post('ssh-key', body);
  assert.deepEqual([again.status, again.body], [201, first.body]);
  await removed(
    berth,
    database,
    first.body.map(({ vmId }) => vmId),
  );
});

test('a key that can’t be one is refused; one of 255 characters is taken', async () => {
  for (const key of ['', 'a b', 'x'.repeat(256), 'a\tb']) {
    assertRefused(await post(key, deployBody()), 422, 'Idempotency-Key', '1 to 255');
  }
  assert.equal((await post('x'.repeat(255), deployBody())).status, 201);
});

test('without a key every request is its own', async () => {
  const before = await count();
  await deployed(berth, deployBody());
  await deployed(berth, deployBody());
  assert.equal(await count(), before + 2);
});

test('a repeat is answered the same after a restart', async () => {
  const body = deployBody();
  const first = await post('order-6', body);
  assert.equal(first.status, 201);
  await berth.restart();
  const again = await post('order-6', body);
  assert.deepEqual([again.status, again.body], [201, first.body]);
});
