// Deployments of Berth's own API: found among others, and deleted as a whole. How they are made stands in instance-create.test.ts.
// And lists that offer what there is, searched by a part of a name.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { callApi, startTestBerth, until } from '../../support/berth.ts';
import { addUser, tokenOf } from '../bytemark/identity.ts';
import { driftOf, keys, openStore } from '../support.ts';
import { assertProblem, call, type Operation, over, type Page, untilInstance, untilOver } from './instances.ts';

interface Deployment {
  id: string;
  instances: { id: string; name: string; status: string }[];
}

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  assert.deepEqual(await driftOf(database), []);
  await database.destroy();
  await berth.close();
});

async function deploy(name: string, count: number): Promise<Deployment> {
  const answer = await call<Deployment>(berth, 'POST', '/deployments', { name, count, image: 'micro' });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  for (const { id } of answer.body.instances) await untilInstance(berth, id, ({ status }) => status === 'active');
  return answer.body;
}

const idsOf = async (query: string) => {
  const answer = await call<Page<{ id: string }>>(berth, 'GET', `/deployments?${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.items.map(({ id }) => id);
};

test('deployments are found by a part of a name and by how their instances are, the newest first where that is asked', async () => {
  const web = await deploy('web', 1);
  const worker = await deploy('worker', 2);
  assert.deepEqual(await idsOf('search=WORK'), [worker.id]);
  assert.deepEqual(await idsOf('search=w'), [web.id, worker.id]);
  assert.deepEqual(await idsOf('search=w&newestFirst=true'), [worker.id, web.id]);
  assert.deepEqual(await idsOf('search=%25'), []);
  const first = await call<Page<{ id: string }>>(berth, 'GET', '/deployments?newestFirst=true&limit=1');
  assert.deepEqual(await idsOf(`newestFirst=true&limit=1&cursor=${first.body.nextCursor}`), [web.id]);
  assert.deepEqual(await idsOf('status=active'), [web.id, worker.id]);
  assert.deepEqual(await idsOf('status=failed,stopped'), []);
  assertProblem(await call(berth, 'GET', '/deployments?status=gone'), 422, 'invalid_value', 'status');
});

test('a deployment is deleted as a whole, and once', async () => {
  const { id, instances } = await deploy('whole', 2);
  const [one] = instances;
  assert.equal((await over(berth, 'DELETE', `/instances/${one?.id}`)).status, 'succeeded');
  const answer = await call<{ operations: Operation[] }>(berth, 'DELETE', `/deployments/${id}`);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  // What was on its way out already stays so.
  assert.deepEqual(
    answer.body.operations.map(({ instance, kind }) => [instance, kind]),
    [[instances[1]?.id, 'delete']],
  );
  assert.equal((await untilOver(berth, answer.body.operations[0]?.id ?? '')).status, 'succeeded');
  assertProblem(await call(berth, 'DELETE', `/deployments/${id}`), 409, 'wrong_state');
  const brought = await call(berth, 'POST', `/instances/${one?.id}/undelete`);
  assert.equal(brought.status, 200, JSON.stringify(brought.body));
  const purged = await call<{ operations: Operation[] }>(berth, 'DELETE', `/deployments/${id}?purge=true`);
  assert.deepEqual([purged.status, purged.body.operations.length], [202, 2]);
  await until('both are gone', async () => {
    const { body } = await call<Deployment>(berth, 'GET', `/deployments/${id}`);
    return body.instances.every(({ status }) => status === 'deleted');
  });
  assertProblem(await call(berth, 'DELETE', `/deployments/${id}?purge=true`), 409, 'wrong_state');
  assert.equal((await call(berth, 'DELETE', '/deployments/dep_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f')).status, 404);
});

test('who may not delete one of it deletes nothing of it', async () => {
  const { id, instances } = await deploy('shared', 2);
  await database
    .insertInto('account')
    .values({ id: randomUUID(), name: 'elsewhere', created_at: new Date() })
    .execute();
  const user = await addUser(berth, 'elsewhere');
  for (const [index, level] of (['vm_admin', 'vm_console'] as const).entries()) {
    const given = { user: user.username, level, instance: instances[index]?.id };
    assert.equal((await call(berth, 'POST', '/privileges', given)).status, 201);
  }
  const token = await tokenOf(berth, user);
  const answer = await callApi<Deployment>(berth.url, token, 'DELETE', `/berth/v1/deployments/${id}`);
  assert.equal(answer.status, 403, JSON.stringify(answer.body));
  const after = await call<Deployment>(berth, 'GET', `/deployments/${id}`);
  assert.deepEqual(
    after.body.instances.map(({ status }) => status),
    ['active', 'active'],
  );
});

test('accounts, groups and keys are found by a part of their names', async () => {
  for (const name of ['shop-front', 'shop-back']) {
    assert.equal((await call(berth, 'POST', '/groups', { name })).status, 201);
  }
  assert.equal((await call(berth, 'POST', '/ssh-keys', { name: 'Laptop', publicKey: keys.ed25519 })).status, 201);
  const namesOf = async (path: string) =>
    (await call<Page<{ name: string }>>(berth, 'GET', path)).body.items.map(({ name }) => name).toSorted();
  assert.deepEqual(await namesOf('/groups?search=SHOP'), ['shop-back', 'shop-front']);
  assert.deepEqual(await namesOf('/groups?search=front&account=default'), ['shop-front']);
  assert.deepEqual(await namesOf('/groups?search=none'), []);
  assert.deepEqual(await namesOf('/ssh-keys?search=lap'), ['Laptop']);
  assert.deepEqual(await namesOf('/ssh-keys?search=x'), []);
  assert.deepEqual(await namesOf('/accounts?search=DEF'), ['default']);
  assert.deepEqual(await namesOf('/accounts?search=x'), []);
});
