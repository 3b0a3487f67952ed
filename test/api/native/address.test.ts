// Addresses by Berth's own API: additional ones, names for the other direction, exchanges, what is refused; and keys of a console.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readJournal } from '../../../src/sim/driver.ts';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { driftOf, holdings, openStore } from '../support.ts';
import { allOf, type Call, callsOf, done, type Machine, machine, refused, watcherOf } from './calls.ts';

interface Address {
  address: string;
  family: string;
  instance: string;
  additional: boolean;
  reverseName: string | null;
  reason: string | null;
}
interface Operation {
  id: string;
  kind: string;
  status: string;
  instance: string;
}

let berth: TestBerth;
let database: Database;
let call: Call;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.67.3.0/24', agent: { behaviour: { journal: true } } });
  database = await openStore(berth);
  call = callsOf(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

const addressesOf = ({ id }: Machine) => allOf<Address>(call, `/addresses?instance=${id}`);
const added = async (vm: Machine, body: object = {}) =>
  (await done<{ items: Address[] }>(call, 201, 'POST', `/instances/${vm.id}/addresses`, body)).items;

async function refusedWhole(...request: Parameters<typeof refused>) {
  const { pools: _before, ...held } = await holdings(database);
  const problem = await refused(...request);
  const { pools: _after, ...holds } = await holdings(database);
  assert.deepEqual(holds, held);
  return problem;
}

test('a VM is given additional addresses, and each is found by itself and by its VM', async () => {
  const vm = await machine(berth, { on: true });
  const [main] = await addressesOf(vm);
  const shown = { family: 'ipv4', instance: vm.id, reverseName: null };
  assert.deepEqual(main, { ...shown, address: vm.ip, additional: false, reason: null });
  const more = await added(vm, { count: 2, reason: 'a second shop' });
  assert.equal(more.length, 2);
  for (const one of more) {
    const { address, ...rest } = one;
    assert.deepEqual(rest, { ...shown, additional: true, reason: 'a second shop' });
    assert.deepEqual(await done(call, 200, 'GET', `/addresses/${address}`), one);
  }
  assert.equal((await added(vm)).length, 1, 'one unless more are wanted');
  const all = await allOf<Address>(call, '/addresses?account=default');
  assert.deepEqual(await allOf(call, '/addresses'), all);
  assert.ok(more.every(({ address }) => all.some((one) => one.address === address)));
  const cursor = Buffer.from('["127.0.0"]').toString('base64url');
  assert.equal((await refused(call, 422, 'invalid_value', 'GET', `/addresses?cursor=${cursor}`)).parameter, 'cursor');
});

test('a VM has up to four additional addresses', async () => {
  const vm = await machine(berth, { on: true });
  const path = `/instances/${vm.id}/addresses`;
  await added(vm, { count: 3 });
  const wrong = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { count: 2 });
  assert.equal(wrong.pointer, '#/count');
  for (const body of [{ count: 0 }, { count: 5 }, { count: '1' }, { reason: 'x'.repeat(1_001) }, { reason: '\0' }]) {
    await refusedWhole(call, 400, 'malformed', 'POST', path, body);
  }
  const headers = { 'idempotency-key': randomUUID() };
  const [one, other] = [await call('POST', path, {}, headers), await call('POST', path, {}, headers)];
  assert.deepEqual([one.status, other.status, other.body], [201, 201, one.body]);
  assert.equal((await addressesOf(vm)).length, 5);
});

test('an address is named in the other direction', async () => {
  const vm = await machine(berth, { on: true });
  const path = `/addresses/${vm.ip}`;
  const { headers, body } = await call<Address>('GET', path);
  const seen = { 'if-match': headers.get('etag') ?? '' };
  const named = await done<Address>(call, 200, 'PATCH', path, { reverseName: 'www.example.com.' }, seen);
  assert.deepEqual(named, { ...body, reverseName: 'www.example.com' });
  await refused(call, 412, 'precondition_failed', 'PATCH', path, { reverseName: null }, seen);
  assert.deepEqual(await done(call, 200, 'PATCH', path, {}), named);
  for (const reverseName of ['', 'two words', '127.0.0.1', 'x'.repeat(300)]) {
    const wrong = await refusedWhole(call, 422, 'invalid_value', 'PATCH', path, { reverseName });
    assert.equal(wrong.pointer, '#/reverseName');
  }
  assert.deepEqual(await done(call, 200, 'PATCH', path, { reverseName: null }), body);
});

test('an additional address is given back, a main one is not', async () => {
  const vm = await machine(berth, { on: true });
  const [one] = await added(vm);
  const path = `/addresses/${one?.address}`;
  assert.equal((await call('DELETE', `${path}?dryRun=true`)).status, 204);
  assert.equal((await call('DELETE', path)).status, 204);
  await refused(call, 404, 'not_found', 'GET', path);
  await refused(call, 404, 'not_found', 'DELETE', path);
  await refusedWhole(call, 422, 'unsupported', 'DELETE', `/addresses/${vm.ip}`);
  for (const nothing of ['127.67.3.250', 'nonsense', '::1', '127.0.0.1%25eth0']) {
    await refused(call, 404, 'not_found', 'GET', `/addresses/${nothing}`);
  }
});

test('two VMs that are off exchange their addresses', async () => {
  const [one, other, on] = [
    await machine(berth, { on: false }),
    await machine(berth, { on: false }),
    await machine(berth, { on: true }),
  ];
  const [extra] = await added(one);
  const path = `/instances/${one.id}/swap-addresses`;
  const { items } = await done<{ items: Address[] }>(call, 200, 'POST', path, { instance: other.id });
  assert.equal(items.length, 3);
  const holder = async (ip: string | undefined) => (await done<Address>(call, 200, 'GET', `/addresses/${ip}`)).instance;
  assert.deepEqual(
    [await holder(one.ip), await holder(other.ip), await holder(extra?.address)],
    [other.id, one.id, one.id],
  );
  await done(call, 200, 'POST', path, { instance: other.id, additional: true });
  assert.deepEqual([await holder(one.ip), await holder(extra?.address)], [one.id, other.id]);
  for (const instance of [one.id, 'ins_'.padEnd(44, '0'), 'vm-1']) {
    const wrong = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { instance });
    assert.equal(wrong.pointer, '#/instance', JSON.stringify(wrong));
  }
  await refusedWhole(call, 409, 'wrong_state', 'POST', path, { instance: on.id });
});

test('who sees one VM sees its addresses and no others, and changes none', async () => {
  const [vm, other] = [await machine(berth, { on: false }), await machine(berth, { on: false })];
  const watcher = await watcherOf(berth, database, vm);
  assert.deepEqual(await allOf(watcher, '/addresses'), await addressesOf(vm));
  for (const [status, code, of] of [
    [403, 'forbidden', vm],
    [404, 'not_found', other],
  ] as const) {
    await refusedWhole(watcher, status, code, 'POST', `/instances/${of.id}/addresses`, {});
    await refusedWhole(watcher, status, code, 'PATCH', `/addresses/${of.ip}`, { reverseName: 'mine.example' });
    await refusedWhole(watcher, status, code, 'DELETE', `/addresses/${of.ip}`);
    await refusedWhole(watcher, status, code, 'POST', `/instances/${of.id}/swap-addresses`, { instance: vm.id });
    await refusedWhole(watcher, status, code, 'POST', `/instances/${of.id}/keys`, { keys: ['a'] });
  }
  await refused(watcher, 404, 'not_found', 'GET', `/addresses/${other.ip}`);
});

test('keys are pressed on a VM that is on, once, and an operation tells that they were', async () => {
  const vm = await machine(berth, { on: true });
  const path = `/instances/${vm.id}/keys`;
  const pressed = async () =>
    (await readJournal(join(berth.directory, 'agent', 'world'))).filter((line) => line.act === 'sendkey').length;
  await done(call, 202, 'POST', `${path}?dryRun=true`, { keys: ['a'] });
  const headers = { 'idempotency-key': randomUUID() };
  const body = { keys: ['ctrl', 'alt', 'delete'] };
  const answer = await call<Operation>('POST', path, body, headers);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  assert.deepEqual([answer.body.kind, answer.body.instance], ['send-keys', vm.id]);
  await done(call, 202, 'POST', path, body, headers);
  const at = answer.headers.get('location')?.slice('/berth/v1'.length) ?? '';
  await until('the keys were pressed', async () => {
    return (await done<Operation>(call, 200, 'GET', at)).status === 'succeeded';
  });
  assert.equal(await pressed(), 1);
});

test('keys that there are none of are refused, and keys for a VM that is off', async () => {
  const [on, off] = [await machine(berth, { on: true }), await machine(berth, { on: false })];
  for (const keys of [[], ['any'], [1], 'a', Array(11).fill('a')]) {
    await refusedWhole(call, 400, 'malformed', 'POST', `/instances/${on.id}/keys`, { keys });
  }
  await refusedWhole(call, 409, 'wrong_state', 'POST', `/instances/${off.id}/keys`, { keys: ['a'] });
  await refused(call, 404, 'not_found', 'POST', `/instances/ins_${'0'.repeat(40)}/keys`, { keys: ['a'] });
});

test('nothing disagrees after all of this', async () => {
  assert.deepEqual(await driftOf(database), []);
});
