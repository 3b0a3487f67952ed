// What customers are told of slots: each change once, whatever caused it, and by whichever replica.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Principal } from '../../src/app/authenticate.ts';
import type { Context } from '../../src/app/context.ts';
import { noteSilentHosts } from '../../src/app/host.ts';
import { setHostState } from '../../src/app/host-terms.ts';
import { tellSlots } from '../../src/app/slot-news.ts';
import { setSlotPrices, setSlotState } from '../../src/app/slot-terms.ts';
import { reconcileSlots } from '../../src/reconcilers/slot.ts';
import { MoneyWorld } from '../money/world.ts';
import { end, fields, rent, SlotHost, toldOf } from './support.ts';

let world: MoneyWorld;
let context: Context;
let principal: Principal;
let machine: SlotHost;

before(async () => {
  world = await MoneyWorld.start();
  ({ context } = world);
  principal = await world.account(1_000_000_000n);
  machine = await SlotHost.make(world, '127.54.1.0/24');
  await machine.report();
});
after(() => world.end());

const reconcile = () => reconcileSlots(context);
const statuses = async (slotId: string) => (await toldOf(context, slotId)).map(({ kind, status }) => [kind, status]);

test('customers are told of a slot’s whole life, of each change once', async () => {
  await reconcile();
  const slotId = await machine.add();
  await reconcile();
  const expected: [kind: string, status: string][] = [['slot.created', 'available']];
  assert.deepEqual(await statuses(slotId), expected);
  const steps: [what: string, act: () => Promise<unknown>, status: string | null][] = [
    ['nothing', async () => {}, null],
    ['a heartbeat', () => machine.report(), null],
    ['another price', () => setSlotPrices(context, slotId, { hour: '0.2' }, fields), 'available'],
    ['the same price', () => setSlotPrices(context, slotId, { hour: '0.20' }, fields), null],
    ['a price less', () => setSlotPrices(context, slotId, { epoch: null }, fields), 'available'],
    ['closed', () => setSlotState(context, slotId, 'closed'), 'inactive'],
    ['open', () => setSlotState(context, slotId, 'open'), 'available'],
    ['drained', () => setHostState(context, machine.name, 'drained'), 'inactive'],
    ['open again', () => setHostState(context, machine.name, 'open'), 'available'],
    ['silent', () => noteSilentHosts(context, new Date(world.now.getTime() + 1)), 'inactive'],
    ['heard of', () => machine.report(), 'available'],
    ['no engine', () => Object.assign(machine, { hasEngine: false }).report(), 'inactive'],
    ['an engine', () => Object.assign(machine, { hasEngine: true }).report(), 'available'],
    ['a smaller machine', () => Object.assign(machine, { diskGib: 9 }).report(), 'inactive'],
    ['a larger one', () => Object.assign(machine, { diskGib: 1000 }).report(), 'available'],
  ];
  for (const [what, act, status] of steps) {
    await act();
    await reconcile();
    if (status !== null) expected.push(['slot.updated', status]);
    assert.deepEqual(await statuses(slotId), expected, what);
  }
  const deploymentId = await rent(context, principal, slotId);
  await reconcile();
  await machine.report();
  await reconcile();
  await end(context, principal, deploymentId);
  await reconcile();
  expected.push(['slot.updated', 'rented']);
  assert.deepEqual(await statuses(slotId), expected);
  await machine.report();
  await reconcile();
  await setSlotState(context, slotId, 'removed');
  await reconcile();
  await reconcile();
  expected.push(['slot.updated', 'available'], ['slot.removed', 'inactive']);
  assert.deepEqual(await statuses(slotId), expected);
});

test('what is told has the prices of that moment, as decimal strings', async () => {
  const slotId = await machine.add({ prices: { hour: '0.125', epoch: '2.50' } });
  await reconcile();
  await setSlotPrices(context, slotId, { hour: '0.2' }, fields);
  await reconcile();
  const told = await toldOf(context, slotId);
  assert.deepEqual(
    told.map(({ prices }) => prices.map(({ amount }) => amount)),
    [
      ['0.125', '2.5'],
      ['0.2', '2.5'],
    ],
  );
  assert.equal(told[0]?.prices[1]?.id, told[1]?.prices[1]?.id, 'a price that stays keeps its id');
  assert.notEqual(told[0]?.prices[0]?.id, told[1]?.prices[0]?.id);
});

test('what came and went before anybody looked is not told at all', async () => {
  const slotId = await machine.add();
  await setSlotState(context, slotId, 'removed');
  await reconcile();
  assert.deepEqual(await statuses(slotId), []);
});

test('a rental that takes the room tells of the slots that it leaves without', async () => {
  const other = await SlotHost.make(world, '127.54.2.0/24');
  Object.assign(other, { diskGib: 20 });
  await other.report();
  const [first, second] = [await other.add(), await other.add({ diskGib: 11 })];
  await reconcile();
  await rent(context, principal, first);
  await reconcile();
  assert.deepEqual(await statuses(second), [
    ['slot.created', 'available'],
    ['slot.updated', 'inactive'],
  ]);
});

test('replicas that look at once tell of each of many slots once, and none is left untold', async () => {
  const slots = await Promise.all(Array.from({ length: 20 }, () => machine.add()));
  const tellers = world.replicas.flatMap((replica) => [replica, replica, replica]);
  await Promise.all(tellers.map((replica) => tellSlots(replica, null)));
  await Promise.all(slots.map((slotId) => setSlotState(context, slotId, 'closed')));
  await Promise.all(tellers.map((replica) => tellSlots(replica, null)));
  for (const slotId of slots) {
    assert.deepEqual(await statuses(slotId), [
      ['slot.created', 'available'],
      ['slot.updated', 'inactive'],
    ]);
  }
});

test('a change that is committed while another one is told is told next', async () => {
  const slotId = await machine.add();
  const since = await tellSlots(context, null);
  // A transaction that is older than the look, and ends after it.
  let commit = () => {};
  const committed = new Promise<void>((resolve) => {
    commit = resolve;
  });
  const late = context.database.transaction().execute(async (tx) => {
    await tx.updateTable('slot').set({ state: 'closed' }).where('id', '=', slotId).execute();
    await committed;
  });
  const next = await tellSlots(context, since);
  assert.deepEqual(await statuses(slotId), [['slot.created', 'available']]);
  commit();
  await late;
  await tellSlots(context, next);
  assert.deepEqual((await statuses(slotId)).at(-1), ['slot.updated', 'inactive']);
});
