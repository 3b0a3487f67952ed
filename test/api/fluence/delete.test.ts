// `DELETE /vms/v3`: all of the named VMs or none; afterwards nothing of them is held by anybody.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import {
  assertRefused,
  credit,
  deployBody,
  deployed,
  driftOf,
  holdings,
  openStore,
  untilGone,
  untilStatus,
  vmOf,
} from '../support.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const remove = (vmIds: unknown) => berth.call<{ removed_ids: string[] }>('DELETE', '/vms/v3', { vmIds });
const unknown = `0x${'0'.repeat(40)}`;

test('the answer is an object with the removed ids and no transactions', async () => {
  const ids = await deployed(berth, deployBody({}, { instances: 2 }));
  const answer = await remove(ids);
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.body, { removed_ids: ids, transactions: [] });
});

test('a deleted VM leaves the list and the status at once, and then its address, ports, capacity and name', async () => {
  const before = await database.selectFrom('assignment').select('instance_id').execute();
  await untilGone(database, before.map((row) => row.instance_id).concat(unknown));
  const ids = await deployed(berth, deployBody({ openPorts: [{ port: 80, protocol: 'tcp' }] }, { instances: 3 }));
  await Promise.all(ids.map((id) => untilStatus(berth, id, 'Active')));
  assert.equal((await remove(ids)).status, 200);
  for (const id of ids) assert.equal(await vmOf(berth, id), undefined);
  assert.deepEqual((await berth.call('GET', `/vms/v3/status?ids=${ids.join(',')}`)).body, []);
  await untilGone(database, ids);
  const { address, port_rule, assignment, instance_name, orphan, hosts } = await holdings(database);
  assert.deepEqual([address, port_rule, assignment, instance_name, orphan], [0, 0, 0, 0, 0]);
  const [host] = hosts as Record<string, unknown>[];
  assert.deepEqual([host?.vcpus_used, host?.memory_mib_used, host?.disk_gib_used], [0, 0, 0]);
  assert.deepEqual(await driftOf(database), []);
});

test('an unknown id is a 404 that names it, and nothing is deleted', async () => {
  const ids = await deployed(berth, deployBody({}, { instances: 2 }));
  await Promise.all(ids.map((id) => untilStatus(berth, id, 'Active')));
  const before = await holdings(database);
  for (const id of [unknown, `0x${'f'.repeat(40)}`]) {
    assertRefused(await remove([...ids, id]), 404, id, 'nothing was changed');
  }
  for (const id of ['', 'x', '0x', `${ids[0]}0`, '%', '\u0000', "'; drop table instance; --"]) {
    assertRefused(await remove([...ids, id]), 404, JSON.stringify(id).slice(0, 60));
  }
  const many = Array.from({ length: 999 }, (_, index) => `0x${String(index).padStart(40, '0')}`);
  const answer = await berth.call<{ error: string }>('DELETE', '/vms/v3', { vmIds: many });
  assertRefused(answer, 404, many[0] ?? '', '989 more');
  assert.ok(answer.body.error.length < 1000);
  assert.deepEqual(await holdings(database), before);
  for (const id of ids) assert.equal((await vmOf(berth, id))?.status, 'Active');
});

test('an id named twice, in whichever case, is refused', async () => {
  const [id = ''] = await deployed(berth, deployBody());
  await untilStatus(berth, id, 'Active');
  assertRefused(await remove([id, id]), 422, 'vmIds', id, 'twice');
  assertRefused(await remove([id, `0x${id.slice(2).toUpperCase()}`]), 422, 'vmIds', id);
  assert.equal((await vmOf(berth, id))?.status, 'Active');
});

test('an id in upper case is the same VM and is answered in lower case', async () => {
  const [id = ''] = await deployed(berth, deployBody());
  const answer = await remove([`0x${id.slice(2).toUpperCase()}`]);
  assert.deepEqual(answer.body.removed_ids, [id]);
});

test('deleting twice is an error: being deleted at first, then unknown', async () => {
  const [id = ''] = await deployed(berth, deployBody());
  assert.equal((await remove([id])).status, 200);
  const again = await remove([id]);
  // Which of the two depends on whether the host was faster than this request.
  assert.ok(again.status === 409 || again.status === 404, String(again.status));
  assertRefused(again, again.status, id);
  await untilGone(database, [id]);
  assertRefused(await remove([id]), 404, id);
});

test('of many deletions of one VM at once exactly one is accepted', async () => {
  const [id = ''] = await deployed(berth, deployBody());
  await untilStatus(berth, id, 'Active');
  const answers = await Promise.all(Array.from({ length: 10 }, () => remove([id])));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  for (const answer of answers) if (answer.status !== 200) assertRefused(answer, answer.status === 404 ? 404 : 409, id);
});

test('a body that is none of the documented shape is a 400; an empty list deletes nothing', async () => {
  for (const body of [{}, { vmIds: null }, { vmIds: unknown }, { vmIds: [1] }, { vmIds: [null] }, [], { ids: [] }]) {
    assertRefused(await berth.call('DELETE', '/vms/v3', body), 400);
  }
  assertRefused(await berth.call('DELETE', '/vms/v3'), 400, 'body');
  assert.deepEqual((await remove([])).body, { removed_ids: [], transactions: [] });
  assertRefused(await remove(Array(1001).fill(unknown)), 400, 'vmIds', '1000');
});

test('one account can’t see, change or delete what is another’s', async () => {
  const [id = ''] = await deployed(berth, deployBody({ name: 'mine' }));
  await untilStatus(berth, id, 'Active');
  const key = 'berth_another-account-0123456789';
  const { createHash, randomUUID } = await import('node:crypto');
  const account = { id: randomUUID(), name: 'another', created_at: new Date() };
  await database.insertInto('account').values(account).execute();
  await credit(database, account.id);
  const secret = createHash('sha256').update(key).digest();
  await database
    .insertInto('api_key')
    .values({
      id: randomUUID(),
      account_id: account.id,
      name: 'k',
      secret_sha256: secret,
      created_at: new Date(),
      revoked_at: null,
    })
    .execute();
  const as = (method: string, path: string, body?: unknown) =>
    berth.call(method, path, body, { authorization: `Bearer ${key}` });
  assert.deepEqual((await as('GET', '/vms/v3')).body, []);
  assert.deepEqual((await as('GET', `/vms/v3/status?ids=${id}`)).body, []);
  assert.deepEqual((await as('GET', `/berth/v1/events?instance=${id}`)).body, { items: [], nextCursor: null });
  assertRefused(await as('PATCH', '/vms/v3', { updates: [{ id, vmName: 'theirs' }] }), 404, id);
  assertRefused(await as('DELETE', '/vms/v3', { vmIds: [id] }), 404, id);
  assert.equal((await as('POST', '/vms/v3', deployBody({ name: 'mine' }))).status, 201, 'names are an account’s own');
  assert.equal((await vmOf(berth, id))?.status, 'Active');
  await database.updateTable('api_key').set({ revoked_at: new Date() }).where('account_id', '=', account.id).execute();
  assertRefused(await as('GET', '/vms/v3'), 403, 'Auth failed. No such API Key');
});
