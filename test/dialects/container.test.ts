// Containers started by Hiveon's calls beside the VMs of the other two dialects: in the account's list and its statement, and
// in nobody's servers.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import type { Database } from '../../src/store/database.ts';
import { createBody, group, machines } from '../api/bytemark/vms.ts';
import { letSlots, type Machine, read, startBody, started, untilStatus } from '../api/hiveon/support.ts';
import { assertRefused, deployBody, openStore, removed, untilGone, vmOf } from '../api/support.ts';
import { startTestBerth, type TestBerth } from '../support/berth.ts';
import { assertInOrder, bytemark, costOf, serverOf } from './support.ts';

let berth: TestBerth;
let database: Database;
let machine: Machine;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.70.2.0/24' });
  database = await openStore(berth);
  [machine] = (await letSlots(berth, 1)) as [Machine];
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});
afterEach(() => assertInOrder(database));

/** Starts a container that runs. @returns its deployment's id, and its id and number as an instance */
async function running(): Promise<{ deploymentId: string; id: string; number: bigint; name: string }> {
  const deploymentId = await started(berth, startBody(machine));
  await untilStatus(berth, deploymentId, 'STATUS_RUNNING');
  const row = await database
    .selectFrom('instance')
    .where('deployment_id', '=', deploymentId)
    .select(['id', 'number', 'name'])
    .executeTakeFirstOrThrow();
  return { deploymentId, ...row };
}

test('a container is an instance in Fluence’s list, with its price, and no server of Bytemark’s', async () => {
  const { id, number, name } = await running();
  assert.equal((await vmOf(berth, id))?.status, 'Active');
  assert.equal((await costOf(berth, id)).price, '8.64');
  assert.equal(await serverOf(berth, name), undefined);
  assert.equal(await serverOf(berth, Number(number), '/virtual_machines'), undefined);
  const { body } = await bytemark<unknown[]>(berth, 'GET', `${machines}?include_deleted=true`);
  assert.deepEqual(body, []);
  for (const [method, path] of [
    ['PUT', `${machines}/${name}`],
    ['DELETE', `${machines}/${name}?purge=true`],
    ['POST', `${machines}/${name}/discs`],
    ['POST', `${machines}/${name}/signal`],
  ] as const) {
    const answer = await bytemark(berth, method, path, method === 'DELETE' ? undefined : { power_on: false });
    assert.equal(answer.status, 404, `${method} ${path}`);
  }
  await removed(berth, database, [id]);
});

test('a container’s name is taken for VMs of either dialect until it is over', async () => {
  const { id, name } = await running();
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ name })), 409, 'exists already');
  const refused = await bytemark(berth, 'POST', `${group}/vm_create`, createBody({ name }));
  assert.deepEqual([refused.status, refused.body], [400, { name: ['has already been taken'] }]);
  await removed(berth, database, [id]);
});

test('deleted by Fluence’s call, a container is stopped for Hiveon’s and its slot is free', async () => {
  const { id, deploymentId } = await running();
  await removed(berth, database, [id]);
  assert.equal((await read(berth, deploymentId)).status, 'STATUS_STOPPED');
  const again = await running();
  await removed(berth, database, [again.id]);
});

test('a VM stands in no list of Hiveon’s', async () => {
  const name = 'no-container';
  const answer = await bytemark(berth, 'POST', `${group}/vm_create`, createBody({ name }));
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  const row = await database
    .selectFrom('instance')
    .where('name', '=', name)
    .select(['id', 'deployment_id'])
    .executeTakeFirstOrThrow();
  const seen = await fetch(`${berth.url}/vendors/v1/machines/deployments/${row.deployment_id}`, {
    headers: { 'x-api-key': berth.apiKey },
  });
  assert.equal(seen.status, 404);
  await removed(berth, database, [row.id]);
  await untilGone(database, [row.id]);
});
