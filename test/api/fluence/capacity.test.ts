// Deploying on a host that is nearly full: all or nothing, with the contract's two texts, and never more than there is,
// however many ask at once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import {
  assertRefused,
  type Deployed,
  deployBody,
  deployed,
  driftOf,
  holdings,
  openStore,
  removed,
  untilGone,
  untilStatus,
} from '../support.ts';

/** Ten of the smallest configuration, and not one more: it has 1 GiB of memory. */
const capacity = { cores: 64, memoryMib: 10 * 1024, diskGib: 10_000 };
let berth: TestBerth;
let database: Database;
before(async () => {
  berth = await startTestBerth({ agent: { capacity } });
  database = await openStore(berth);
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const none = { error: 'No suitable offer found' };
const few = { error: 'Not enough offers found' };
const liveIds = async () => (await berth.call<{ id: string }[]>('GET', '/vms/v3')).body.map(({ id }) => id);

test('more than fits is refused as a whole: some would fit, or none', async () => {
  const eight = await deployed(berth, deployBody({}, { instances: 8 }));
  await Promise.all(eight.map((id) => untilStatus(berth, id, 'Active')));
  const full = await holdings(database);
  const three = await berth.call('POST', '/vms/v3', deployBody({}, { instances: 3 }));
  assert.equal(three.status, 422);
  assert.deepEqual(three.body, few);
  const large = await berth.call(
    'POST',
    '/vms/v3',
    deployBody({}, { constraints: { basicConfiguration: 'cpu-2-ram-4gb-storage-25gb' } }),
  );
  assert.equal(large.status, 422);
  assert.deepEqual(large.body, none);
  assert.deepEqual(await holdings(database), full);
  const two = await deployed(berth, deployBody({}, { instances: 2 }));
  await Promise.all(two.map((id) => untilStatus(berth, id, 'Active')));
  const one = await berth.call('POST', '/vms/v3', deployBody());
  assert.equal(one.status, 422);
  assert.deepEqual(one.body, none);
  await removed(berth, database, [...eight, ...two]);
});

test('of 50 deployments at once for the last 10 places exactly 10 are accepted', async () => {
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => berth.call<Deployed>('POST', '/vms/v3', deployBody())),
  );
  const accepted = answers.filter(({ status }) => status === 201);
  assert.equal(accepted.length, 10);
  for (const answer of answers) if (answer.status !== 201) assert.deepEqual([answer.status, answer.body], [422, none]);
  const host = await database.selectFrom('host').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([host.vcpus_used, host.memory_mib_used, host.disk_gib_used], [10, 10 * 1024, 50]);
  const addresses = await database.selectFrom('address').select('ip').execute();
  assert.equal(new Set(addresses.map(({ ip }) => ip)).size, 10);
  const ids = accepted.map(({ body }) => body[0]?.vmId ?? '');
  assert.deepEqual((await liveIds()).toSorted(), ids.toSorted());
  await Promise.all(ids.map((id) => untilStatus(berth, id, 'Active')));
  assert.deepEqual(await driftOf(database), []);
  await removed(berth, database, ids);
});

test('of many deployments of several instances at once none is done in part', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => berth.call<Deployed>('POST', '/vms/v3', deployBody({}, { instances: 3 }))),
  );
  const accepted = answers.filter(({ status }) => status === 201);
  assert.equal(accepted.length, 3, 'three times three fit into ten');
  for (const { status, body } of answers) if (status !== 201) assert.deepEqual([status, body], [422, few]);
  const ids = accepted.flatMap(({ body }) => body.map(({ vmId }) => vmId));
  assert.deepEqual((await liveIds()).toSorted(), ids.toSorted());
  await Promise.all(ids.map((id) => untilStatus(berth, id, 'Active')));
  assert.deepEqual(await driftOf(database), []);
  await removed(berth, database, ids);
});

test('deployments, deletions and refusals at once leave sums that agree', async () => {
  const seen: string[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 6; round += 1) {
        const answer = await berth.call<Deployed>('POST', '/vms/v3', deployBody({}, { instances: 2 }));
        if (answer.status !== 201) {
          assertRefused(answer, 422, 'found');
          continue;
        }
        const vmIds = answer.body.map(({ vmId }) => vmId);
        seen.push(...vmIds);
        assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds })).status, 200);
      }
    }),
  );
  assert.ok(seen.length > 0);
  assert.equal(new Set(seen).size, seen.length);
  await untilAllGone();
  assert.deepEqual(await liveIds(), []);
  assert.deepEqual(await driftOf(database), []);
  const host = await database.selectFrom('host').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([host.vcpus_used, host.memory_mib_used, host.disk_gib_used], [0, 0, 0]);
});

async function untilAllGone(): Promise<void> {
  const rows = await database.selectFrom('assignment').select('instance_id').execute();
  if (rows.length > 0)
    await untilGone(
      database,
      rows.map((row) => row.instance_id),
    );
}

test('a small address pool runs out with 422, leaves nothing behind, and goes on when an address is free', async () => {
  // Of eight addresses six can be given.
  const small = await startTestBerth({ addressPool: '127.46.9.0/29' });
  const store = await openStore(small);
  try {
    const five = await deployed(small, deployBody({}, { instances: 5 }));
    await Promise.all(five.map((id) => untilStatus(small, id, 'Active')));
    const held = await holdings(store);
    const two = await small.call('POST', '/vms/v3', deployBody({}, { instances: 2 }));
    assert.deepEqual([two.status, two.body], [422, few]);
    assert.deepEqual(await holdings(store), held);
    const [last = ''] = await deployed(small, deployBody());
    await untilStatus(small, last, 'Active');
    const full = await holdings(store);
    const one = await small.call('POST', '/vms/v3', deployBody());
    assert.deepEqual([one.status, one.body], [422, none]);
    assert.deepEqual(await holdings(store), full);
    const addresses = (await store.selectFrom('address').select('ip').execute()).map(({ ip }) => ip).toSorted();
    assert.deepEqual(
      addresses,
      [1, 2, 3, 4, 5, 6].map((last) => `127.46.9.${last}`),
    );
    await removed(small, store, five.slice(0, 1));
    await deployed(small, deployBody());
    assert.equal((await store.selectFrom('address').select('ip').execute()).length, 6);
  } finally {
    await store.destroy();
    await small.close();
  }
});
