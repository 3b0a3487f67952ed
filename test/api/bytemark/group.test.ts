// Groups in Bytemark's dialect: made, renamed, emptied and removed, by those who may.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Database, isReferenceGone } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { callerWith, openAccount, type Send, sender } from './reading.ts';
import { createBody, created, type Vm } from './vms.ts';

interface Group {
  id: number;
  account_id: number;
  name: string;
  type: string;
  virtual_machines?: Vm[];
}

let berth: TestBerth;
let database: Database;
let send: Send;
let accountId: number;
const groups = '/accounts/default/groups';

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.3.0/24' });
  database = await openStore(berth);
  send = sender(berth, `apikey.${berth.apiKey}`);
  accountId = (await send<{ id: number }>('GET', '/accounts/default')).body.id;
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

async function made(name: string): Promise<Group> {
  const answer = await send<Group>('POST', groups, { name });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

test('a group is made, and shown by number and name', async () => {
  const group = await made('web');
  const { id } = group;
  assert.deepEqual(group, { account_id: accountId, id, name: 'web', type: 'application/vnd.bigv.group' });
  for (const path of [`${groups}/web`, `${groups}/${id}`, `/groups/${id}`, `/accounts/${accountId}/groups/web`]) {
    assert.deepEqual((await send('GET', path)).body, group, path);
    const overview = await send('GET', `${path}?view=overview&include_deleted=true`);
    assert.deepEqual(overview.body, { ...group, virtual_machines: [] }, path);
  }
  const names = (answer: { body: Group[] }) => answer.body.map(({ name }) => name);
  assert.deepEqual(names(await send<Group[]>('GET', groups)), ['default', 'web']);
  assert.deepEqual(names(await send<Group[]>('GET', `/groups?account_id=${accountId}`)), ['default', 'web']);
  assert.deepEqual(names(await send<Group[]>('GET', '/groups?group_name=web')), ['web']);
  const [overview] = (await send<Group[]>('GET', '/groups?group_name=web&view=overview')).body;
  assert.deepEqual(overview, { ...group, virtual_machines: [] });
  assert.equal((await send('GET', '/groups/web')).status, 404);
});

test('names that a group can’t have are refused as clients read it', async () => {
  await made('taken');
  await made('renaming');
  for (const [name, faults] of [
    [null, ["can't be blank"]],
    ['  ', ["can't be blank"]],
    ['no', ['is too short (minimum is 3 characters)']],
    ['-a', ['is invalid', 'is too short (minimum is 3 characters)']],
    ['a.b', ['is invalid']],
    ['ümlaut', ['is invalid']],
    ['x'.repeat(64), ['is too long (maximum is 63 characters)']],
    ['taken', ['has already been taken']],
    [['web'], ['is invalid']],
  ] as const) {
    const answer = await send('POST', groups, { name });
    assert.deepEqual([answer.status, answer.body], [400, { name: faults }], JSON.stringify(name));
    if (name === null) continue;
    const renamed = await send('PUT', `${groups}/renaming`, { name });
    assert.deepEqual([renamed.status, renamed.body], [400, { name: faults }], JSON.stringify(name));
  }
  assert.equal((await send('GET', `${groups}/renaming`)).status, 200);
});

test('a name of digits alone is taken, and then reached by the number', async () => {
  const { id } = await made('12345');
  assert.equal((await send('GET', `${groups}/12345`)).status, 404);
  assert.equal((await send<Group>('GET', `${groups}/${id}`)).body.name, '12345');
});

test('a renamed group keeps its number and its VMs, whose host names follow', async () => {
  const { id } = await made('before');
  await created(berth, createBody({ name: 'server' }), `${groups}/before`);
  for (const body of [{}, { name: 'before' }, { vlan_num: 3 }]) {
    assert.deepEqual((await send<Group>('PUT', `${groups}/before`, body)).body.name, 'before');
  }
  const { status, body } = await send<Group>('PUT', `${groups}/before`, { name: 'behind' });
  assert.deepEqual([status, body.id, body.name], [200, id, 'behind']);
  assert.equal((await send('GET', `${groups}/before`)).status, 404);
  const vm = (await send<Vm>('GET', `${groups}/behind/virtual_machines/server`)).body;
  assert.equal(vm.hostname, 'server.behind.default.berth.local');
});

test('every account keeps its group default', async () => {
  const renamed = await send('PUT', `${groups}/default`, { name: 'other' });
  assert.deepEqual([renamed.status, renamed.body], [400, { name: ["of the group default can't be changed"] }]);
  const removed = await send<{ base: string[] }>('DELETE', `${groups}/default`);
  assert.equal(removed.status, 400);
  assert.match(removed.body.base[0] ?? '', /can't be deleted/);
});

test('a group is removed once nothing is in it, not even a deleted VM', async () => {
  const { id } = await made('emptied');
  const { virtual_machine: vm } = await created(berth, createBody(), `${groups}/emptied`);
  const number = BigInt(vm.id);
  for (const status of ['active', 'stopped', 'soft-deleted', 'failed'] as const) {
    await database.updateTable('instance').set({ status }).where('number', '=', number).execute();
    const answer = await send<{ base: string[] }>('DELETE', `${groups}/emptied`);
    assert.equal(answer.status, 400, status);
    assert.match(answer.body.base[0] ?? '', /Group emptied holds a virtual machine/);
  }
  // What is being erased is gone for its owner.
  const [row] = await database.selectFrom('instance').where('number', '=', number).select('id').execute();
  await berth.call('DELETE', '/vms/v3', { vmIds: [row?.id] });
  assert.equal((await send('DELETE', `${groups}/emptied`)).status, 204);
  assert.equal((await send('GET', `/groups/${id}`)).status, 404);
  assert.equal((await send('DELETE', `${groups}/emptied`)).status, 404);
  assert.equal((await send('POST', groups, { name: 'emptied' })).status, 200);
});

test('the same name at once: one is made, the others are told that it is taken', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('POST', groups, { name: 'popular' })));
  const statuses = answers.map(({ status }) => status).toSorted();
  assert.deepEqual(statuses, [200, ...Array.from({ length: 19 }, () => 400)]);
});

test('a group that VMs are being made in is not pulled away from under them', async () => {
  await made('contended');
  const [removed, ...vms] = await Promise.all([
    send('DELETE', `${groups}/contended`),
    ...Array.from({ length: 6 }, () => send<object>('POST', `${groups}/contended/vm_create`, createBody())),
  ]);
  const accepted = vms.filter(({ status }) => status === 202).length;
  for (const { status, body } of vms) assert.ok([202, 404].includes(status), JSON.stringify(body));
  assert.equal(removed.status, accepted > 0 ? 400 : 204);
});

test('who may see a group and not change it is refused, and who may not see it finds nothing', async () => {
  await made('guarded');
  await openAccount(berth, 'elsewhere');
  const admin = await callerWith(berth, database, 'group_admin', { account: 'default', group: 'guarded' });
  const reader = await callerWith(berth, database, 'account_admin', { account: 'elsewhere' });
  assert.equal((await admin('DELETE', `${groups}/guarded`)).status, 403);
  assert.equal((await admin('POST', groups, { name: 'another' })).status, 403);
  assert.equal((await admin('PUT', `${groups}/guarded`, { name: 'guardian' })).status, 200);
  for (const [method, path] of [
    ['GET', `${groups}/guardian`],
    ['PUT', `${groups}/guardian`],
    ['DELETE', `${groups}/guardian`],
    ['POST', groups],
  ] as const) {
    assert.equal((await reader(method, path, method === 'GET' ? undefined : { name: 'mine' })).status, 404, method);
  }
});

test('what refers to something removed at that moment is refused as not found; what is still referred to is no such case', async () => {
  const { id } = await made('held');
  await created(berth, createBody(), `${groups}/held`);
  const failed = (work: Promise<unknown>) =>
    work.then(
      () => assert.fail('it was done'),
      (error: unknown) => error,
    );
  const stillHeld = await failed(database.deleteFrom('group').where('id', '=', BigInt(id)).execute());
  const gone = await failed(
    database.updateTable('instance').set({ group_id: 999_999n }).where('group_id', '=', BigInt(id)).execute(),
  );
  assert.deepEqual([isReferenceGone(stillHeld), isReferenceGone(gone)], [false, true]);
});
