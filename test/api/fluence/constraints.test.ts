// Constraints of a deployment on size, storage and price: each is matched to the letter, or refused. Those on hardware
// and countries stand in hardware-constraints.test.ts.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import {
  assertRefused,
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
before(async () => untilStatus(berth, (await deployed(berth))[0] ?? '', 'Active'));

const none = 'No suitable offer found';

async function refused(constraints: unknown, status: number, ...words: string[]): Promise<void> {
  const held = await holdings(database);
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({}, { constraints })), status, ...words);
  assert.deepEqual(await holdings(database), held);
}

async function accepted(constraints: unknown): Promise<string> {
  const [id = ''] = await deployed(berth, deployBody({}, { constraints }));
  return id;
}

test('a configuration that is not sold finds no offer', async () => {
  for (const slug of [
    'cpu-3-ram-4gb-storage-25gb',
    'cpu-2-ram-4gb-storage-25gb ',
    'x',
    'cpu-2',
    'CPU-2-RAM-4GB-STORAGE-25GB',
    '__proto__',
  ]) {
    const held = await holdings(database);
    const answer = await berth.call('POST', '/vms/v3', deployBody({}, { constraints: { basicConfiguration: slug } }));
    assert.equal(answer.status, 422);
    assert.deepEqual(answer.body, { error: none });
    assert.deepEqual(await holdings(database), held);
  }
  await refused({ basicConfiguration: 2 }, 400, 'constraints.basicConfiguration', '2');
});

test('additional storage grows the disk and the price, and is given back with the VM', async () => {
  const sold = async () =>
    (await database.selectFrom('host').select('disk_gib_used').executeTakeFirstOrThrow()).disk_gib_used;
  const first = await sold();
  const storage = [
    { type: 'NVMe', supply: 20, units: 'GiB' },
    { type: 'NVMe', supply: 3 },
    { type: 'NVMe', supply: 0, units: null },
  ];
  const id = await accepted({ basicConfiguration: 'cpu-2-ram-4gb-storage-25gb', additionalResources: { storage } });
  const vm = await vmOf(berth, id);
  assert.deepEqual(
    vm?.resources.map(({ type, supply, quantity }) => [type, supply, quantity]),
    [
      ['VCPU', 2, 2],
      ['RAM', 4, 4],
      ['STORAGE', 48, 48],
      ['PUBLIC_IP', 1, 1],
    ],
  );
  // 2 x 0.1 + 4 x 0.02 + 48 x 0.001 + 0.01
  assert.equal(vm?.pricePerEpoch, '0.338');
  assert.equal(await sold(), first + 48);
  await removed(berth, database, [id]);
  assert.equal(await sold(), first);
});

test('additional storage of another unit, type or amount is refused', async () => {
  const field = 'constraints.additionalResources.storage';
  const storage = (entry: object) => ({
    additionalResources: { storage: [{ type: 'NVMe', supply: 1, units: 'GiB', ...entry }] },
  });
  for (const units of ['GB', 'TiB', 'gib', ' '])
    await refused(storage({ units }), 422, `${field}[0].units`, JSON.stringify(units), 'GiB');
  for (const type of ['nvme', 'SSD2', '', 'RAM'])
    await refused(storage({ type }), 422, `${field}[0].type`, JSON.stringify(type), 'NVMe');
  for (const supply of [-1, -2147483648, 1_000_001, 1e300])
    await refused(storage({ supply }), 422, `${field}[0].supply`, 'GiB');
  for (const supply of [1.5, '20', null])
    await refused(storage({ supply }), 400, `${field}[0].supply`, JSON.stringify(supply));
  const mixed = [
    { type: 'NVMe', supply: 1 },
    { type: 'SSD', supply: 1 },
  ];
  await refused({ additionalResources: { storage: mixed } }, 422, field, 'NVMe and SSD');
  await refused({ additionalResources: { storage: {} } }, 400, field);
});

test('storage of a type that no host has, or more than any has, finds no offer', async () => {
  await refused({ additionalResources: { storage: [{ type: 'HDD', supply: 1, units: 'GiB' }] } }, 422, none);
  await refused({ additionalResources: { storage: [{ type: 'NVMe', supply: 1_000_000, units: 'GiB' }] } }, 422, none);
  const sum = Array(100).fill({ type: 'NVMe', supply: 1_000_000, units: 'GiB' });
  await refused({ additionalResources: { storage: sum } }, 422, none);
});

test('the highest price holds to the last micro-dollar', async () => {
  // 2 x 0.1 + 4 x 0.02 + 25 x 0.001 + 0.01
  const priced = (maxTotalPricePerEpochUsd: unknown) => ({
    basicConfiguration: 'cpu-2-ram-4gb-storage-25gb',
    maxTotalPricePerEpochUsd,
  });
  const exact = await accepted(priced('0.315'));
  assert.equal((await vmOf(berth, exact))?.pricePerEpoch, '0.315');
  for (const enough of ['.315', '0.315000', '00.315001', '1.', '999999999999.999999']) await accepted(priced(enough));
  for (const low of ['0.314999', '.30697', '0', '0.000000', '.0']) await refused(priced(low), 422, none);
});

test('the highest price is of one VM, not of all that are asked for', async () => {
  const constraints = { basicConfiguration: 'cpu-2-ram-4gb-storage-25gb', maxTotalPricePerEpochUsd: '0.315' };
  assert.equal((await deployed(berth, deployBody({}, { constraints, instances: 3 }))).length, 3);
});

test('a highest price that is no decimal number is refused', async () => {
  const field = 'constraints.maxTotalPricePerEpochUsd';
  for (const price of [
    '1e9',
    '-1',
    'abc',
    '1,5',
    '.',
    ' ',
    '1.5 ',
    '+1',
    '0x10',
    'Infinity',
    '1.2345678',
    '١',
    '1'.repeat(40),
  ]) {
    await refused({ maxTotalPricePerEpochUsd: price }, 422, field, JSON.stringify(price), 'decimal');
  }
  for (const price of [1.5, 0, true, {}])
    await refused({ maxTotalPricePerEpochUsd: price }, 400, field, JSON.stringify(price));
});

test('nothing of the refused ones came up later', async () => {
  const ids = (await berth.call<{ id: string }[]>('GET', '/vms/v3')).body.map(({ id }) => id);
  await removed(berth, database, ids);
  await untilGone(database, ids);
  const host = await database.selectFrom('host').selectAll().executeTakeFirstOrThrow();
  assert.deepEqual([host.vcpus_used, host.memory_mib_used, host.disk_gib_used], [0, 0, 0]);
});
