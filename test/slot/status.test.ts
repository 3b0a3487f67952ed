// When a slot can be rented: what its status says, what renting does, and that both go by the same.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Principal } from '../../src/app/authenticate.ts';
import type { Context } from '../../src/app/context.ts';
import { setHostState } from '../../src/app/host-terms.ts';
import { readSlot } from '../../src/app/slot.ts';
import { ensureFirstSlot, listSlotTerms, setSlotPrices, setSlotState } from '../../src/app/slot-terms.ts';
import { BerthError } from '../../src/model/errors.ts';
import { hostStates } from '../../src/model/host.ts';
import type { Database } from '../../src/store/database.ts';
import { MoneyWorld } from '../money/world.ts';
import { end, fields, rent, rentAt, SlotHost, statusOf } from './support.ts';

let world: MoneyWorld;
let context: Context;
let database: Database;
let principal: Principal;

before(async () => {
  world = await MoneyWorld.start();
  ({ context, database } = world);
  principal = await world.account(1_000_000_000n);
});
after(() => world.end());

let pools = 0;
async function host(): Promise<SlotHost> {
  pools += 1;
  const made = await SlotHost.make(world, `127.50.${pools}.0/24`);
  await made.report();
  return made;
}

const refusedAs = (code: string) => (error: unknown) => error instanceof BerthError && error.code === code;
const used = (id: string) =>
  database
    .selectFrom('host')
    .where('id', '=', id)
    .select(['vcpus_used', 'memory_mib_used', 'disk_gib_used'])
    .executeTakeFirstOrThrow();

test('a slot is available, rented, and available again; its host’s capacity is taken only meanwhile', async () => {
  const machine = await host();
  const slotId = await machine.add({ vcpus: 2, memoryGib: 3, diskGib: 20 });
  const nothing = await used(machine.id);
  assert.equal(await statusOf(context, slotId), 'available');
  const deploymentId = await rent(context, principal, slotId);
  assert.equal(await statusOf(context, slotId), 'rented');
  assert.deepEqual(await used(machine.id), { vcpus_used: 2, memory_mib_used: 3072, disk_gib_used: 20 });
  await assert.rejects(rent(context, principal, slotId), refusedAs('slot_not_available'));
  await machine.report();
  await end(context, principal, deploymentId);
  assert.equal(await statusOf(context, slotId), 'rented', 'until the host has let go of it');
  await machine.report();
  assert.equal(await statusOf(context, slotId), 'available');
  assert.deepEqual(await used(machine.id), nothing);
});

test('it can be rented exactly when it is said to be available, and otherwise there is a reason', async () => {
  const machine = await host();
  machine.gpus = [{ id: 'GPU-1', name: 'NVIDIA H100', memoryMib: 81_920, cudaVersion: null }];
  await machine.report();
  const slotId = await machine.add({ vcpus: 4, gpus: ['GPU-1'] });
  const full = { vcpus_used: 0, memory_mib_used: 0, disk_gib_used: 991 };
  const free = { ...full, disk_gib_used: 990 };
  let available = 0;
  for (const state of ['open', 'closed'] as const)
    for (const hostState of hostStates)
      for (const reachable of [true, false])
        for (const runs_containers of [true, false])
          for (const gpu_ids of [['GPU-1'], []])
            for (const share of [free, full]) {
              await database.updateTable('slot').set({ state }).where('id', '=', slotId).execute();
              const columns = { state: hostState, reachable, runs_containers, gpu_ids, ...share };
              await database.updateTable('host').set(columns).where('id', '=', machine.id).execute();
              const slot = (await listSlotTerms(context)).find(({ id }) => id === slotId);
              const isFree = gpu_ids.length > 0 && share === free;
              const canBe = state === 'open' && hostState === 'open' && reachable && runs_containers && isFree;
              const what = JSON.stringify([state, columns]);
              assert.equal(slot?.status, canBe ? 'available' : 'inactive', what);
              assert.equal(slot?.whyInactive === null, canBe, what);
              if (!canBe) await assert.rejects(rent(context, principal, slotId), refusedAs('slot_not_available'), what);
              else available += 1;
            }
  assert.equal(available, 1);
  await database
    .updateTable('host')
    .set({ state: 'open', reachable: true, runs_containers: true, gpu_ids: ['GPU-1'], ...free })
    .where('id', '=', machine.id)
    .execute();
  await database.updateTable('slot').set({ state: 'open' }).where('id', '=', slotId).execute();
  await rent(context, principal, slotId);
  assert.deepEqual(await used(machine.id), { vcpus_used: 4, memory_mib_used: 1024, disk_gib_used: 1000 });
});

test('a host that loses its container engine, and gets it back, takes its slots along', async () => {
  const machine = await host();
  const slotId = await machine.add();
  machine.hasEngine = false;
  await machine.report();
  assert.equal(await statusOf(context, slotId), 'inactive');
  const slot = (await listSlotTerms(context)).find(({ id }) => id === slotId);
  assert.match(slot?.whyInactive ?? '', /no container engine/);
  machine.hasEngine = true;
  await machine.report();
  assert.equal(await statusOf(context, slotId), 'available');
  await setHostState(context, machine.name, 'drained');
  assert.equal(await statusOf(context, slotId), 'inactive');
});

test('a slot whose GPU has gone is inactive until it is back', async () => {
  const machine = await host();
  const gpu = { id: 'GPU-1', name: 'NVIDIA H100', memoryMib: 81_920, cudaVersion: null };
  machine.gpus = [gpu, { ...gpu, id: 'GPU-2' }];
  await machine.report();
  const slotId = await machine.add({ gpus: ['GPU-1', 'GPU-2'] });
  assert.equal(await statusOf(context, slotId), 'available');
  machine.gpus = [gpu];
  await machine.report();
  const slot = (await listSlotTerms(context)).find(({ id }) => id === slotId);
  assert.deepEqual([slot?.status, slot?.whyInactive], ['inactive', 'its host lacks a GPU of it']);
  machine.gpus = [{ ...gpu, id: 'GPU-2' }, gpu];
  await machine.report();
  assert.equal(await statusOf(context, slotId), 'available');
});

test('of many who rent one slot at once one gets it, and nothing of the others is left', async () => {
  const machine = await host();
  const slotId = await machine.add();
  const tries = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => rent(world.replicas[index % 2] ?? context, principal, slotId)),
  );
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const attempt of tries) {
    if (attempt.status === 'rejected') assert.ok(refusedAs('slot_not_available')(attempt.reason), attempt.reason);
  }
  assert.deepEqual(await used(machine.id), { vcpus_used: 1, memory_mib_used: 1024, disk_gib_used: 10 });
});

test('who rents while the slot is taken off the market has it, or is refused; never both', async () => {
  const machine = await host();
  for (const state of ['removed', 'closed'] as const) {
    for (let round = 0; round < 10; round += 1) {
      const slotId = await machine.add();
      const [rented, changed] = await Promise.allSettled([
        rent(context, principal, slotId),
        setSlotState(world.replicas[1] ?? context, slotId, state),
      ]);
      if (rented.status === 'rejected') {
        assert.ok(['slot_not_available', 'not_found'].includes((rented.reason as BerthError).code), rented.reason);
      } else if (state === 'removed') {
        assert.ok(changed.status === 'rejected' && refusedAs('wrong_state')(changed.reason), 'removed while rented');
      }
      if (rented.status === 'fulfilled') {
        await end(context, principal, rented.value);
        await machine.report();
      }
    }
  }
});

test('a price that was set anew is stale for whoever still has the old one, and an equal one stays the same', async () => {
  const machine = await host();
  const slotId = await machine.add({ prices: { hour: '0.1' } });
  const [old] = (await readSlot(context, slotId)).prices;
  await setSlotPrices(context, slotId, { hour: '0.100' }, fields);
  assert.deepEqual((await readSlot(context, slotId)).prices, [old]);
  await setSlotPrices(context, slotId, { hour: '0.2', epoch: '4' }, fields);
  const { prices } = await readSlot(context, slotId);
  assert.deepEqual(
    prices.map(({ unit, amountMicroUsd }) => [unit, amountMicroUsd]),
    [
      ['hour', 200_000n],
      ['epoch', 4_000_000n],
    ],
  );
  await assert.rejects(rentAt(context, principal, slotId, old?.id ?? ''), refusedAs('price_stale'));
  await setSlotPrices(context, slotId, { hour: null }, fields);
  assert.deepEqual(
    (await readSlot(context, slotId)).prices.map(({ unit }) => unit),
    ['epoch'],
  );
  await assert.rejects(setSlotPrices(context, slotId, { epoch: null }, fields), refusedAs('wrong_state'));
  await rent(context, principal, slotId);
});

test('a host begins with one slot when it runs containers, and never again once it had one', async () => {
  const machine = await SlotHost.make(world, '127.51.0.0/24');
  assert.equal(await ensureFirstSlot(context, machine.id), false, 'it has said nothing yet');
  Object.assign(machine, { hasEngine: false, cores: 2, memoryMib: 7_500, diskGib: 90 });
  machine.gpus = [
    { id: 'GPU-1', name: 'NVIDIA GeForce RTX 3090', memoryMib: 24_576, cudaVersion: '12.6' },
    { id: null, name: 'AMD device 74a1', memoryMib: null, cudaVersion: null },
  ];
  await machine.report();
  assert.equal(await ensureFirstSlot(context, machine.id), false, 'it runs no containers');
  machine.hasEngine = true;
  await machine.report();
  const both = world.replicas.map((replica) => ensureFirstSlot(replica, machine.id));
  assert.deepEqual(await Promise.all(both), [true, true]);
  const own = async () => (await listSlotTerms(context)).filter(({ hostName }) => hostName === machine.name);
  const [slot, ...others] = await own();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [slot?.name, slot?.vcpus, slot?.memoryMib, slot?.diskGib, slot?.gpuIds, slot?.status],
    ['slot-1', 2, 3072, 22, ['GPU-1'], 'available'],
  );
  // 2 x 0.1 + 3 x 0.02 + 22 x 0.001 + 0.01 by the settings' rates.
  assert.deepEqual(
    slot?.prices.map(({ unit, amountMicroUsd }) => [unit, amountMicroUsd]),
    [
      ['hour', 12_200n],
      ['epoch', 292_000n],
    ],
  );
  await setSlotState(context, `${machine.name}/slot-1`, 'removed');
  assert.equal(await ensureFirstSlot(context, machine.id), true);
  assert.deepEqual(await own(), []);
  await assert.rejects(readSlot(context, slot?.id ?? ''), refusedAs('not_found'));
  assert.equal((await readSlot(context, slot?.id ?? '', { orRemoved: true })).vcpus, 2);
});
