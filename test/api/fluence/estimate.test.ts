// `POST /vms/v3/estimate`: what a deployment would cost now, and the same refusals as the deployment itself.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed, holdings, vmOf } from '../support.ts';
import { addDatacenter, addHost, openMarket } from './market.ts';

interface Estimate {
  depositAmountUsdc: string;
  depositEpochs: number;
  totalPricePerEpoch: string;
  maxPricePerEpoch: string;
  instances: number;
}

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});

const cheap = { vcpu: 100_000, memoryGib: 20_000, storageGib: 1_000, publicIp: 10_000 };
// Three of the small configuration fit on the cheap host, and many on the dear one.
await addHost(database, { rates: cheap, vcpus: 6, datacenterId: await addDatacenter(database, 'PL', 'POZ') });
await addHost(database, {
  rates: { ...cheap, vcpu: 150_000 },
  datacenterId: await addDatacenter(database, 'FR', 'PAR'),
});
const small = 'cpu-2-ram-4gb-storage-25gb';
const ask = (body: unknown) => berth.call<Estimate>('POST', '/vms/v3/estimate', body);

test('instances may land on offers of different prices: the total, the dearest, and a deposit of two epochs', async () => {
  const { status, body } = await ask({ constraints: { basicConfiguration: small }, instances: 5 });
  assert.equal(status, 200);
  // Three at 0.315 and two at 0.415.
  assert.deepEqual(body, {
    depositAmountUsdc: '3.55',
    depositEpochs: 2,
    totalPricePerEpoch: '1.775',
    maxPricePerEpoch: '0.415',
    instances: 5,
  });
});

test('one is estimated when the number is left out, and anything when the constraints are', async () => {
  const smallest = (await ask({ instances: 1 })).body;
  assert.equal(smallest.instances, 1);
  for (const body of [{}, { constraints: null, instances: null }, { constraints: {} }]) {
    assert.deepEqual((await ask(body)).body, smallest);
  }
});

test('the estimate is what the deployment then costs, and estimating takes nothing', async () => {
  const request = { constraints: { basicConfiguration: small, datacenter: { countries: ['pl', 'fr'] } }, instances: 4 };
  const held = await holdings(database);
  const { totalPricePerEpoch } = (await ask(request)).body;
  assert.deepEqual(await holdings(database), held);
  const ids = await deployed(berth, deployBody({}, request));
  const prices = await Promise.all(ids.map(async (id) => Number((await vmOf(berth, id))?.pricePerEpoch)));
  assert.equal(
    prices.reduce((sum, price) => sum + Math.round(price * 1e6), 0),
    Math.round(Number(totalPricePerEpoch) * 1e6),
  );
});

test('what can’t be placed is a 422 with the text of the contract', async () => {
  const few = { error: 'Not enough offers found' };
  const refused = [
    { constraints: { basicConfiguration: 'cpu-3-ram-4gb-storage-25gb' }, instances: 1 },
    { constraints: { datacenter: { countries: ['BE'] } }, instances: 1 },
    { constraints: { basicConfiguration: small, maxTotalPricePerEpochUsd: '.30697' }, instances: 1 },
    { constraints: { basicConfiguration: small, datacenter: { countries: ['PL'] } }, instances: 4 },
  ];
  for (const body of refused) {
    const answer = await ask(body);
    assert.deepEqual([answer.status, answer.body], [422, few], JSON.stringify(body));
  }
});

test('a wrong number or constraint is refused under its name', async () => {
  for (const instances of [0, -1, 11, 1e9])
    assertRefused(await ask({ instances }), 422, 'instances', String(instances));
  for (const instances of ['1', 1.5, true, []]) assertRefused(await ask({ instances }), 400, 'instances');
  const storage = [{ type: 'NVMe', supply: 1, units: 'GB' }];
  const wrong: [constraints: unknown, status: number, word: string][] = [
    [[], 400, 'constraints'],
    [{ maxTotalPricePerEpochUsd: 'abc' }, 422, 'constraints.maxTotalPricePerEpochUsd'],
    [{ additionalResources: { storage } }, 422, 'constraints.additionalResources.storage[0].units'],
    [{ hardware: { storage: [{ type: 'x' }] } }, 422, 'constraints.hardware.storage[0].type'],
    [{ datacenter: { countries: ['xx'] } }, 422, 'constraints.datacenter.countries[0]'],
  ];
  for (const [constraints, status, word] of wrong)
    assertRefused(await ask({ constraints, instances: 1 }), status, word);
  assertRefused(await ask('null'), 400, 'body');
});
