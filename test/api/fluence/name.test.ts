// Names: one deployment's as long as any of its VMs lives, and free for others before and after.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import {
  assertRefused,
  type Deployed,
  deployBody,
  deployed,
  holdings,
  openStore,
  removed,
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

test('a second deployment can’t have the name of a living one, whatever else it asks for', async () => {
  const ids = await deployed(berth, deployBody({ name: 'web' }, { instances: 2 }));
  await Promise.all(ids.map((id) => untilStatus(berth, id, 'Active')));
  const held = await holdings(database);
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ name: 'web' })), 409, '"web"', 'exists');
  assert.deepEqual(await holdings(database), held);
  // One of two is left: the name is still taken. None is left: it is free.
  await removed(berth, database, ids.slice(0, 1));
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ name: 'web' })), 409, '"web"');
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: ids.slice(1) })).status, 200);
  await deployed(berth, deployBody({ name: 'web' }));
});

test('of ten deployments of one name at once one is accepted', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => berth.call<Deployed>('POST', '/vms/v3', deployBody({ name: 'once' }))),
  );
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [201, ...Array(9).fill(409)]);
});

test('a renamed VM frees its old name and takes the new one', async () => {
  const [id = ''] = await deployed(berth, deployBody({ name: 'before' }));
  assert.equal((await berth.call('PATCH', '/vms/v3', { updates: [{ id, vmName: 'after' }] })).status, 204);
  assert.equal((await vmOf(berth, id))?.vmName, 'after');
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ name: 'after' })), 409, '"after"');
  const [other = ''] = await deployed(berth, deployBody({ name: 'before' }));
  assertRefused(await berth.call('PATCH', '/vms/v3', { updates: [{ id: other, vmName: 'after' }] }), 409, '"after"');
  assert.equal((await berth.call('PATCH', '/vms/v3', { updates: [{ id: other, vmName: 'before' }] })).status, 204);
});

test('the name of a deployment that failed is free again, and its VM tells no address', async () => {
  const failing = await startTestBerth({ agent: { behaviour: { imageFailureChance: 1 } } });
  try {
    const [id = ''] = await deployed(failing, deployBody({ name: 'again' }));
    await untilStatus(failing, id, 'Failed');
    const vm = await vmOf(failing, id);
    assert.equal(vm?.publicIp, null);
    assert.equal('nextBillingAt' in (vm ?? {}), false, 'nothing is billed for what never ran');
    const [second = ''] = await deployed(failing, deployBody({ name: 'again' }));
    await untilStatus(failing, second, 'Failed');
    const store = await openStore(failing);
    try {
      assert.equal((await failing.call('DELETE', '/vms/v3', { vmIds: [id, second] })).status, 200);
      assert.deepEqual((await failing.call('GET', '/vms/v3')).body, []);
      await untilGone(store, [id, second]);
      const { address, port_rule, assignment, instance_name, hosts } = await holdings(store);
      assert.deepEqual([address, port_rule, assignment, instance_name], [0, 0, 0, 0]);
      const [host] = hosts as { vcpus_used: number; memory_mib_used: number; disk_gib_used: number }[];
      assert.deepEqual([host?.vcpus_used, host?.memory_mib_used, host?.disk_gib_used], [0, 0, 0]);
    } finally {
      await store.destroy();
    }
  } finally {
    await failing.close();
  }
});
