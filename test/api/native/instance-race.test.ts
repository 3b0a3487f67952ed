// Making VMs at once in Berth's own API: each once, and no more than fit.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { addHost } from '../fluence/market.ts';
import { driftOf } from '../support.ts';
import { type Problem, startMaker } from './maker.ts';

const maker = await startMaker();
const { database, call, bodyOf } = maker;
after(() => maker.close());

test('twenty creates at once under one key make one instance', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const body = bodyOf();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/instances', body, headers)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
  const named = await database.selectFrom('instance').where('name', '=', body.name).select('id').execute();
  assert.equal(named.length, 1);
});

test('creates at once of different names are all made, each once', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/instances', bodyOf())));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 8);
});

test('of more than fit at once as many are made as fit, and dry runs beside them take nothing from them', async () => {
  await database.updateTable('host').set({ state: 'drained' }).execute();
  await addHost(database, { vcpus: 6, memoryGib: 64, diskGib: 200 });
  const dry = Array.from({ length: 6 }, () => call<Problem>('POST', '/instances?dryRun=true', bodyOf()));
  const three = await Promise.all(Array.from({ length: 3 }, () => call('POST', '/instances', bodyOf())));
  assert.deepEqual(
    three.map(({ status }) => status),
    [201, 201, 201],
    JSON.stringify(three.map(({ body }) => body)),
  );
  for (const { status, body } of await Promise.all(dry)) {
    assert.ok(status === 201 || body.code === 'no_suitable_offer', JSON.stringify(body));
  }
  await addHost(database, { vcpus: 6, memoryGib: 64, diskGib: 200 });
  const ten = await Promise.all(Array.from({ length: 10 }, () => call<Problem>('POST', '/instances', bodyOf())));
  const codes = ten.map(({ status, body }) => (status === 201 ? 'made' : body.code));
  assert.deepEqual(codes.toSorted(), [...Array(3).fill('made'), ...Array(7).fill('no_suitable_offer')]);
});

test('at the end everything agrees', async () => {
  assert.deepEqual(await driftOf(database), []);
});
