// What instances would cost, by a dry run and by an estimate: both leave nothing.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { driftOf, holdings } from '../support.ts';
import { type Deployment, type Estimate, startMaker, two } from './maker.ts';

const maker = await startMaker();
const { database, call, bodyOf, refused } = maker;
after(() => maker.close());

test('a dry run tells price and place, and leaves nothing', async () => {
  const held = await holdings(database);
  const answer = await call('POST', '/instances?dryRun=true', bodyOf({ constraints: { cities: ['ber'] } }));
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('dry-run'), 'true');
  assert.deepEqual([answer.body.pricePerEpoch, answer.body.datacenter?.slug], ['0.63', 'de-ber-1']);
  assert.deepEqual(await holdings(database), held);
  assert.equal((await call('GET', `/instances/${answer.body.id}`)).status, 404);
  await refused(
    bodyOf({ constraints: { countries: ['FR'] } }),
    422,
    'no_suitable_offer',
    undefined,
    '/instances?dryRun=true',
  );
});

test('an estimate names what a create then costs', async () => {
  const held = await holdings(database);
  const body = bodyOf({ additionalStorageGib: 5, constraints: { countries: ['PL'] } });
  const { status, body: estimate } = await call<Estimate>('POST', '/estimates', { ...body, count: 3 });
  assert.equal(status, 200, JSON.stringify(estimate));
  assert.deepEqual([estimate.count, estimate.configuration, estimate.vcpus, estimate.diskGib], [3, two, 2, 30]);
  assert.deepEqual([estimate.unit, estimate.price, estimate.total], ['epoch', '0.32', '0.96']);
  assert.deepEqual([estimate.deposit, estimate.firstCharge, estimate.needed], ['0.96', '0.96', '1.92']);
  assert.equal(estimate.sufficient, true);
  assert.deepEqual(await holdings(database), held);
  const answer = await call<Deployment>('POST', '/deployments', { ...body, count: 3 });
  const [first] = answer.body.instances;
  assert.equal((await call('GET', `/instances/${first?.id}`)).body.pricePerEpoch, estimate.price);
});

test('at the end everything agrees', async () => {
  assert.deepEqual(await driftOf(database), []);
});
