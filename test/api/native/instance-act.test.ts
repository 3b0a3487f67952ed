// What is done to an instance as a whole, and the operations that tell how it goes: power, image, deletion and its way back.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { parseId } from '../../../src/api/native/id.ts';
import { openForOperator } from '../../../src/compose/operator.ts';
import { purge } from '../../../src/reconcilers/purge.ts';
import { startTestBerth } from '../../support/berth.ts';
import { driftOf, holdings, openStore } from '../support.ts';
import {
  assertProblem,
  call,
  type Instance,
  makeVm,
  type Operation,
  over,
  type Page,
  untilInstance,
  untilOver,
} from './instances.ts';

const berth = await startTestBerth({ addressPool: '127.67.0.0/16' });
const database = await openStore(berth);
after(async () => {
  assert.deepEqual(await driftOf(database), []);
  await database.destroy();
  await berth.close();
});

const power = (id: string, action: string) => over(berth, 'POST', `/instances/${id}/power`, { action });
const statusOf = async (id: string) => (await call(berth, 'GET', `/instances/${id}`)).body.status;
const bootOf = async (id: string) =>
  (
    await database
      .selectFrom('assignment')
      .where('instance_id', '=', parseId('instance', id) ?? '')
      .select('boot_number')
      .executeTakeFirstOrThrow()
  ).boot_number;

test('power is an operation that is over when the host has done it', async () => {
  const id = await makeVm(berth);
  const stopped = await power(id, 'stop');
  assert.deepEqual([stopped.kind, stopped.status, stopped.error, stopped.instance], ['stop', 'succeeded', null, id]);
  assert.ok(stopped.finishedAt);
  assert.equal(await statusOf(id), 'stopped');
  assert.equal((await power(id, 'start')).status, 'succeeded');
  assert.equal(await statusOf(id), 'active');
  const boots = await bootOf(id);
  assert.equal((await power(id, 'cycle')).status, 'succeeded');
  assert.equal(await bootOf(id), boots + 1);
  assert.equal(await statusOf(id), 'active');
  assert.equal((await power(id, 'reset')).status, 'succeeded');
  assert.equal(await bootOf(id), boots + 1);
  assert.equal((await power(id, 'shutdown')).status, 'succeeded');
  await untilInstance(berth, id, ({ status }) => status === 'stopped');
});

test('a restart pulls the plug of what is on and puts it in again, once, and switches on what is off', async () => {
  const id = await makeVm(berth);
  const boots = await bootOf(id);
  const headers = { 'idempotency-key': randomUUID() };
  const send = () => call<Operation>(berth, 'POST', `/instances/${id}/power`, { action: 'restart' }, headers);
  const [first, again] = [await send(), await send()];
  assert.equal(again.body.id, first.body.id);
  const over = await untilOver(berth, first.body.id);
  assert.deepEqual([over.kind, over.status], ['restart', 'succeeded']);
  assert.equal(await bootOf(id), boots + 1);
  await power(id, 'stop');
  assert.equal((await call(berth, 'GET', `/instances/${id}`)).body.allowed.restart, null);
  assert.equal((await power(id, 'restart')).status, 'succeeded');
  assert.equal(await statusOf(id), 'active');
  assert.equal(await bootOf(id), boots + 2);
});

test('what is so already is an operation that is over at once', async () => {
  const id = await makeVm(berth);
  const answer = await call<Operation>(berth, 'POST', `/instances/${id}/power`, { action: 'start' });
  assert.deepEqual([answer.status, answer.body.status], [202, 'succeeded']);
});

test('what a VM’s state forbids is refused with the reason that is shown beforehand, and nothing is done', async () => {
  const id = await makeVm(berth);
  await power(id, 'stop');
  const { allowed } = (await call(berth, 'GET', `/instances/${id}`)).body;
  const held = await holdings(database);
  for (const action of ['shutdown', 'reset', 'cycle']) {
    const problem = assertProblem(await call(berth, 'POST', `/instances/${id}/power`, { action }), 409, 'wrong_state');
    assert.ok(problem.detail.includes(allowed[action] ?? 'no reason'), problem.detail);
  }
  assertProblem(await call(berth, 'POST', `/instances/${id}/undelete`), 409, 'wrong_state');
  for (const body of [{}, { action: 'explode' }, { action: null }, { action: 'stop', now: true }, []]) {
    assertProblem(await call(berth, 'POST', `/instances/${id}/power`, body), 400, 'malformed');
  }
  assert.deepEqual(await holdings(database), held);
});

test('of two orders the older one is told to be superseded', async () => {
  const id = await makeVm(berth);
  const answers = [];
  for (const action of ['cycle', 'cycle', 'stop']) {
    answers.push(await call<Operation>(berth, 'POST', `/instances/${id}/power`, { action }));
  }
  const ends = [];
  for (const { body } of answers) ends.push(await untilOver(berth, body.id));
  assert.equal(ends.at(-1)?.status, 'succeeded');
  for (const { status, error } of ends.slice(0, 2)) {
    assert.ok(status === 'succeeded' || error?.code === 'superseded', JSON.stringify(error));
  }
});

test('a repeated order is given once, and a dry run gives none', async () => {
  const id = await makeVm(berth);
  const boots = await bootOf(id);
  const dry = await call<Operation>(berth, 'POST', `/instances/${id}/power?dryRun=true`, { action: 'cycle' });
  assert.equal(dry.status, 202);
  assert.equal(await bootOf(id), boots);
  assertProblem(await call(berth, 'GET', `/operations/${dry.body.id}`), 404, 'not_found');
  const headers = { 'idempotency-key': randomUUID() };
  const send = () => call<Operation>(berth, 'POST', `/instances/${id}/power`, { action: 'cycle' }, headers);
  const [first, again] = [await send(), await send()];
  assert.equal(again.body.id, first.body.id);
  assert.equal(await bootOf(id), boots + 1);
});

test('a deleted VM is out of the list, comes back as it was, and is gone once it is purged', async () => {
  const id = await makeVm(berth);
  const path = `/instances/${id}`;
  const { address } = (await call(berth, 'GET', path)).body;
  assert.deepEqual((await over(berth, 'DELETE', path)).status, 'succeeded');
  const listed = async (query: string) =>
    (await call<Page<Instance>>(berth, 'GET', `/instances${query}`)).body.items.some((one) => one.id === id);
  assert.deepEqual(
    [await listed(''), await listed('?deleted=true'), await listed('?status=soft-deleted')],
    [false, true, true],
  );
  assert.equal(await statusOf(id), 'soft-deleted');
  assertProblem(await call(berth, 'POST', `${path}/power`, { action: 'start' }), 409, 'wrong_state');
  assertProblem(await call(berth, 'PATCH', path, { vcpus: 2 }), 409, 'wrong_state');
  const back = await call(berth, 'POST', `${path}/undelete`);
  assert.deepEqual([back.status, back.body.status, back.body.address], [200, 'stopped', address]);
  assert.equal((await power(id, 'start')).status, 'succeeded');
  assert.equal((await over(berth, 'POST', `${path}/purge`)).status, 'succeeded');
  assertProblem(await call(berth, 'GET', path), 404, 'not_found');
  const other = await makeVm(berth);
  const end = await over(berth, 'DELETE', `/instances/${other}?purge=true`);
  assert.deepEqual([end.kind, end.status], ['purge', 'succeeded']);
  assertProblem(await call(berth, 'DELETE', `/instances/${other}`), 404, 'not_found');
});

test('a VM that is off is imaged anew; a password is made where nobody could get in, and shown once', async () => {
  const id = await makeVm(berth);
  const path = `/instances/${id}/reimage`;
  type Reimage = { operation: Operation; rootPassword: string | null };
  assertProblem(await call(berth, 'POST', path, { image: 'micro' }), 409, 'wrong_state');
  await power(id, 'stop');
  const headers = { 'idempotency-key': randomUUID() };
  const first = await call<Reimage>(berth, 'POST', path, { image: 'micro' }, headers);
  assert.equal(first.status, 202, JSON.stringify(first.body));
  assert.ok((first.body.rootPassword ?? '').length >= 20);
  const again = await call<Reimage>(berth, 'POST', path, { image: 'micro' }, headers);
  assert.deepEqual(again.body, first.body);
  assert.equal((await untilOver(berth, first.body.operation.id)).status, 'succeeded');
  const { status, vm } = (await call(berth, 'GET', `/instances/${id}`)).body;
  assert.deepEqual([status, vm?.lastImagedWith], ['active', 'micro']);
  const kept = await database
    .selectFrom('kept_answer')
    .where('key', '=', headers['idempotency-key'])
    .selectAll()
    .execute();
  assert.deepEqual(
    kept.map(({ answer }) => answer),
    [null],
    'it is kept sealed',
  );
  await power(id, 'stop');
  const own = await call<Reimage>(berth, 'POST', path, { image: 'micro', rootPassword: 'my own long one' });
  assert.deepEqual([own.status, own.body.rootPassword], [202, null]);
  assert.equal((await untilOver(berth, own.body.operation.id)).status, 'succeeded');
  await power(id, 'stop');
  const held = await holdings(database);
  for (const [body, place] of [
    [{ image: 'os/2' }, '#/image'],
    [{ image: '' }, '#/image'],
    [{ image: `img_${'0'.repeat(32)}` }, '#/image'],
    [{ image: 'micro', rootPassword: 'a\nb' }, '#/rootPassword'],
    [{ image: 'micro', sshKeys: ['nobody'] }, '#/sshKeys/0'],
    [{ image: 'micro', firstBootScript: 'x'.repeat(70_000) }, '#/firstBootScript'],
  ] as const) {
    assertProblem(await call(berth, 'POST', path, body), 422, 'invalid_value', place);
  }
  assertProblem(await call(berth, 'POST', path, {}), 400, 'malformed');
  assert.deepEqual(await holdings(database), held);
});

test('operations are listed by instance and by how they stand, and forgotten after their time', async () => {
  const id = await makeVm(berth);
  for (const action of ['stop', 'start']) await power(id, action);
  const list = async (query: string) => (await call<Page<Operation>>(berth, 'GET', `/operations${query}`)).body;
  const { items } = await list(`?instance=${id}`);
  assert.deepEqual(
    items.map(({ kind }) => kind),
    ['start', 'stop'],
  );
  assert.deepEqual((await list(`?instance=0x${id.slice(4)}&limit=1`)).items, items.slice(0, 1));
  const { nextCursor } = await list(`?instance=${id}&limit=1`);
  assert.deepEqual((await list(`?instance=${id}&limit=1&cursor=${nextCursor}`)).items, items.slice(1));
  assert.equal((await list(`?instance=${id}&status=succeeded`)).items.length, 2);
  assert.deepEqual((await list(`?instance=${id}&status=failed`)).items, []);
  assert.deepEqual((await list(`?instance=${id}&status=running`)).items, []);
  assertProblem(await call(berth, 'GET', '/operations?instance=7'), 422, 'invalid_value', 'instance');
  assertProblem(await call(berth, 'GET', '/operations?cursor=WyJ4IiwieSJd'), 422, 'invalid_value', 'cursor');
  assertProblem(await call(berth, 'GET', `/operations/op_${'0'.repeat(32)}`), 404, 'not_found');
  const days = 31 * 24 * 60 * 60 * 1000;
  await database
    .updateTable('operation')
    .set({ created_at: new Date(Date.now() - days) })
    .where('instance_id', '=', parseId('instance', id) ?? '')
    .execute();
  const { context, close } = await openForOperator({ data: berth.directory });
  await purge(context);
  await close();
  assert.deepEqual((await list(`?instance=${id}`)).items, []);
});
