// VMs made together on hosts whose disks lie in several storage pools.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { calm, startTestBerth, until } from '../../support/berth.ts';
import { driftOf, holdings, openStore } from '../support.ts';

const gib = 1024;
const pool = { storageType: 'SSD' as const, freeGib: 100 };
const berth = await startTestBerth({
  up: {
    simulated: {
      behaviour: calm,
      capacity: { cores: 64, memoryMib: 256 * gib, diskGib: 1_000 },
      storagePools: [
        { ...pool, label: 'default', grades: ['sata'], sizeGib: 1_000 },
        { ...pool, label: 'fast', grades: ['ssd'], sizeGib: 100 },
      ],
    },
  },
});
const database = await openStore(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});
await until('the host has told of its pools', async () => {
  const pools = await database.selectFrom('storage_pool').select('label').execute();
  return pools.length === 2;
});

const make = (name: string, count: number, fastGib: number) =>
  berth.call<{ code?: string; instances: { id: string }[] }>('POST', '/berth/v1/deployments', {
    ...{ name, count, image: 'micro', vcpus: 1, memoryMib: 1024 },
    disks: [{ sizeMib: 2 * gib }, { label: 'fast', sizeMib: fastGib * gib, grade: 'ssd' }],
  });

test('as many are made as the pools have room for, all or none', async () => {
  const held = await holdings(database);
  const tooMany = await make('many', 3, 40);
  assert.deepEqual([tooMany.status, tooMany.body.code], [422, 'not_enough_offers'], JSON.stringify(tooMany.body));
  const tooLarge = await make('large', 1, 120);
  assert.deepEqual([tooLarge.status, tooLarge.body.code], [422, 'no_suitable_offer'], JSON.stringify(tooLarge.body));
  assert.deepEqual(await holdings(database), held);
  const { status, body } = await make('two', 2, 40);
  assert.deepEqual([status, body.instances.length], [201, 2], JSON.stringify(body));
  assert.deepEqual(await driftOf(database), []);
});
