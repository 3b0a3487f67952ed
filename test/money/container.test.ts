// What containers cost: by the second from when they run until they have stopped, at the price that they were rented for;
// nothing before, and nothing for one that never came up.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { findContainer, stopContainer } from '../../src/app/container.ts';
import { setSlotPrices } from '../../src/app/slot-terms.ts';
import { driftOf } from '../api/support.ts';
import { letSlot, rent, slotFields } from './container.ts';
import { MoneyWorld } from './world.ts';

const minute = 60_000;
const hour = 60 * minute;
const usd = (amount: number) => BigInt(Math.round(amount * 1_000_000));

let world: MoneyWorld;
before(async () => {
  world = await MoneyWorld.start();
});
after(() => world.end());

test('an hour and a half at 3.60 an hour costs 5.40, and the deposit comes back', async () => {
  const ann = await world.account(usd(100));
  const { deploymentId } = await rent(world, ann, await letSlot(world, { hour: '3.6' }), 'hour');
  assert.deepEqual(await world.balance(ann), { available: usd(96.4), held: usd(3.6) });
  // Its image is pulled for ten minutes, which are nobody's.
  world.now = new Date(world.now.getTime() + 10 * minute);
  await world.close();
  assert.deepEqual(await world.balance(ann), { available: usd(96.4), held: usd(3.6) });
  await world.report();
  await world.pass(90 * minute, 5 * minute);
  await stopContainer(world.context, ann, deploymentId);
  await world.report();
  await world.pass(hour, 10 * minute);
  assert.deepEqual(await world.balance(ann), { available: usd(94.6), held: 0n });
  assert.deepEqual(await driftOf(world.database), []);
});

test('a price for an epoch is billed by the second, too', async () => {
  const ben = await world.account(usd(100));
  const { deploymentId } = await rent(world, ben, await letSlot(world, { epoch: '24' }), 'epoch');
  await world.report();
  await world.pass(6 * hour, 30 * minute);
  await stopContainer(world.context, ben, deploymentId);
  await world.report();
  assert.deepEqual(await world.balance(ben), { available: usd(94), held: 0n });
});

test('who rents keeps the price that he began with', async () => {
  const cho = await world.account(usd(100));
  const slotId = await letSlot(world, { hour: '1' });
  const { deploymentId } = await rent(world, cho, slotId, 'hour');
  await world.report();
  await setSlotPrices(world.context, slotId, { hour: '50' }, slotFields);
  await world.pass(2 * hour, 30 * minute);
  await stopContainer(world.context, cho, deploymentId);
  await world.report();
  assert.deepEqual(await world.balance(cho), { available: usd(98), held: 0n });
});

test('a container that never came up costs nothing', async () => {
  const dan = await world.account(usd(10));
  const { deploymentId, instanceId } = await rent(world, dan, await letSlot(world, { hour: '3' }), 'hour');
  world.runs.set(instanceId, null);
  world.now = new Date(world.now.getTime() + hour);
  await world.report();
  await world.report();
  assert.equal((await findContainer(world.context, dan, deploymentId)).status, 'failed');
  assert.deepEqual(await world.balance(dan), { available: usd(10), held: 0n });
});

test('what nothing pays any more is ended with its reason, and its slot is free', async () => {
  const eve = await world.account(usd(1.5));
  const slotId = await letSlot(world, { hour: '1' });
  const { deploymentId } = await rent(world, eve, slotId, 'hour');
  await world.report();
  await world.pass(30 * hour, hour / 2);
  const over = await findContainer(world.context, eve, deploymentId);
  assert.deepEqual([over.status, over.failureCode], ['terminated', 'OUT_OF_FUNDS']);
  const { available, held } = await world.balance(eve);
  assert.ok(available + held < usd(0.02), 'all of it was used, to the last minute that it pays');
  await world.report();
  const other = await world.account(usd(10));
  await rent(world, other, slotId, 'hour');
  assert.deepEqual(await driftOf(world.database), []);
});
