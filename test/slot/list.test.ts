// Searching slots: each key of the filter, pages, and that what is removed is not shown.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Context } from '../../src/app/context.ts';
import { addDatacenter } from '../../src/app/datacenter.ts';
import { changeHost } from '../../src/app/host-terms.ts';
import { listSlots, readSlot } from '../../src/app/slot.ts';
import { setSlotState } from '../../src/app/slot-terms.ts';
import { BerthError } from '../../src/model/errors.ts';
import { parseSlotFilter } from '../../src/model/slot-filter.ts';
import { MoneyWorld } from '../money/world.ts';
import { fields, rent, SlotHost } from './support.ts';

let world: MoneyWorld;
let context: Context;
let big: SlotHost;
let small: SlotHost;
/** Slots by what they are for the tests; oldest first. */
const ids: Record<string, string> = {};

const gpu = (id: string, name: string, memoryMib: number | null, cudaVersion: string | null = '12.6') => {
  return { id, name, memoryMib, cudaVersion };
};

before(async () => {
  world = await MoneyWorld.start();
  ({ context } = world);
  big = await SlotHost.make(world, '127.53.1.0/24');
  big.gpus = [
    gpu('GPU-1', 'NVIDIA GeForce RTX 3090', 24_576),
    gpu('GPU-2', 'NVIDIA GeForce RTX 3090', 24_576),
    gpu('GPU-3', 'NVIDIA A100-SXM4-80GB', 81_920),
  ];
  small = await SlotHost.make(world, '127.53.2.0/24');
  small.cpuModel = 'Intel(R) Xeon(R) Gold 6338 CPU @ 2.00GHz';
  await big.report();
  await small.report();
  const later = () => {
    world.now = new Date(world.now.getTime() + 1000);
  };
  ids.pair = await big.add({ vcpus: 8, memoryGib: 24, diskGib: 500, gpus: ['GPU-1', 'GPU-2'] });
  later();
  ids.a100 = await big.add({ vcpus: 4, memoryGib: 32, diskGib: 100, gpus: ['GPU-3'] });
  later();
  ids.plain = await small.add({ vcpus: 16, memoryGib: 8, diskGib: 50 });
  later();
  ids.rented = await small.add({ vcpus: 1, memoryGib: 1, diskGib: 10 });
  await rent(context, await world.account(1_000_000n), ids.rented);
  const gone = await small.add({ vcpus: 16 });
  await setSlotState(context, gone, 'removed');
});
after(() => world.end());

async function found(filter: string, page = { page: 1, perPage: 10 }): Promise<string[]> {
  const { slots } = await listSlots(context, parseSlotFilter(filter, 'filter'), page);
  return slots.map(({ id }) => Object.keys(ids).find((name) => ids[name] === id) ?? id);
}

const all = ['pair', 'a100', 'plain', 'rented'];

test('slots are found by their GPUs’ and processors’ names, word by word, in any letter case', async () => {
  assert.deepEqual(await found('gpu_name:Nvidia RTX 3090'), ['pair']);
  assert.deepEqual(await found('gpu_name:nvidia'), ['pair', 'a100']);
  assert.deepEqual(await found('gpu_name:A100'), ['a100']);
  assert.deepEqual(await found('gpu_name:A10'), [], 'an A100 is no A10');
  assert.deepEqual(await found('gpu_name:RTX A100'), [], 'not in one name');
  assert.deepEqual(await found('cpu_name:Intel Xeon Gold'), ['plain', 'rented']);
  assert.deepEqual(await found('cpu_name:epyc'), ['pair', 'a100']);
});

test('numbers are met by as much or more', async () => {
  assert.deepEqual(await found('memory_size:24GB'), ['pair', 'a100']);
  assert.deepEqual(await found('memory_size:24.5GB'), ['a100']);
  assert.deepEqual(await found('cpu_cores:8'), ['pair', 'plain']);
  assert.deepEqual(await found('storage_size:50'), ['pair', 'a100', 'plain']);
  assert.deepEqual(await found('storage_size:50,cpu_cores:9'), ['plain']);
  assert.deepEqual(await found('memory_size:999999'), []);
});

test('slots are found by whether they can be rented, and by their ids', async () => {
  assert.deepEqual(await found('machine_status:available'), ['pair', 'a100', 'plain']);
  assert.deepEqual(await found('machine_status:unavailable'), ['rented']);
  assert.deepEqual(await found(`machine_id:${ids.plain?.toUpperCase()}`), ['plain']);
  assert.deepEqual(await found(`machine_id:${ids.plain},machine_status:unavailable`), []);
  for (const none of [randomUUID(), 'no-id', '\0']) assert.deepEqual(await found(`machine_id:x${none}`), []);
});

test('pages hold every slot once, oldest first, and the total of all pages', async () => {
  assert.deepEqual(await found(''), all);
  const pages = await Promise.all([1, 2, 3, 4].map((page) => found('', { page, perPage: 2 })));
  assert.deepEqual(pages, [['pair', 'a100'], ['plain', 'rented'], [], []]);
  const filter = parseSlotFilter('cpu_cores:4', 'filter');
  assert.equal((await listSlots(context, filter, { page: 2, perPage: 2 })).total, 3);
  assert.equal((await listSlots(context, {}, { page: Number.MAX_SAFE_INTEGER / 100, perPage: 100 })).total, 4);
});

test('a slot is shown with all that there is to know of it', async () => {
  const terms = { slug: 'de-ber-1', countryCode: 'DE', cityCode: 'BER', cityIndex: 1, tier: 3, certifications: [] };
  const names = { slug: 's', countryCode: 'c', cityCode: 'c', cityIndex: 'i', tier: 't', certifications: 'c' };
  await addDatacenter(context, terms, names);
  const hostFields = {
    overcommit: { cpu: 'c', memory: 'm', disk: 'd' },
    additionalDiskGibMax: 'a',
    hardware: () => 'h',
  };
  await changeHost(context, big.name, { datacenter: 'de-ber-1' }, hostFields);
  const { prices, ...slot } = await readSlot(context, ids.pair ?? '');
  assert.deepEqual(slot, {
    ...{ id: ids.pair, status: 'available', vcpus: 8, memoryMib: 24 * 1024, diskGib: 500, hostName: big.name },
    ...{ cpuName: 'AMD EPYC 7763 64-Core Processor', countryCode: 'DE', cityCode: 'BER', publicIp: '127.53.1.1' },
    gpus: [{ name: 'NVIDIA GeForce RTX 3090', memoryMib: 24_576, count: 2 }],
    cudaVersion: '12.6',
  });
  assert.deepEqual(
    prices.map(({ unit, amountMicroUsd }) => [unit, amountMicroUsd]),
    [
      ['hour', 100_000n],
      ['epoch', 2_000_000n],
    ],
  );
  const { gpus, cudaVersion, countryCode } = await readSlot(context, ids.plain ?? '');
  assert.deepEqual([gpus, cudaVersion, countryCode], [[], null, null]);
  for (const unknown of [randomUUID(), 'x', '']) {
    await assert.rejects(readSlot(context, unknown), (error: unknown) => {
      return error instanceof BerthError && error.code === 'not_found';
    });
  }
});

test('a slot that can’t be is refused with the part at fault, and leaves nothing', async () => {
  const before = (await listSlots(context, {}, { page: 1, perPage: 1 })).total;
  const refusals: [slot: Parameters<SlotHost['add']>[0], code: string, subject: string][] = [
    [{ name: 'a b' }, 'invalid_value', fields.name],
    [{ vcpus: 17 }, 'invalid_value', fields.vcpus],
    [{ memoryGib: 65 }, 'invalid_value', fields.memoryGib],
    [{ diskGib: 1001 }, 'invalid_value', fields.diskGib],
    [{ gpus: ['GPU-9'] }, 'invalid_value', fields.gpus],
    [{ gpus: ['GPU-3'] }, 'invalid_value', fields.gpus],
    [{ prices: {} }, 'invalid_value', fields.hour],
    [{ prices: { epoch: 'x' } }, 'invalid_value', fields.epoch],
    [{ host: 'nobody' }, 'not_found', 'nobody'],
  ];
  for (const [slot, code, subject] of refusals) {
    await assert.rejects(big.add(slot), (error: unknown) => {
      assert.ok(error instanceof BerthError, String(error));
      assert.deepEqual([error.code, error.subject], [code, subject], error.message);
      return true;
    });
  }
  const name = 'twice';
  await setSlotState(context, await big.add({ name }), 'removed');
  const again = await big.add({ name });
  await assert.rejects(big.add({ name }), (error: unknown) => (error as BerthError).code === 'name_taken');
  await setSlotState(context, again, 'removed');
  const silent = await SlotHost.make(world, '127.53.3.0/24');
  await assert.rejects(silent.add(), (error: unknown) => (error as BerthError).code === 'wrong_state');
  assert.equal((await listSlots(context, {}, { page: 1, perPage: 1 })).total, before);
});
