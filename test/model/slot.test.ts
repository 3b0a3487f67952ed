// What slots may be, what they can be searched by, and what a machine's first one is like.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { hostStates } from '../../src/model/host.ts';
import {
  checkSlotGpus,
  checkSlotSize,
  firstSlotSize,
  parseSlotPrice,
  pricesByRates,
  type SlotFacts,
  type SlotFields,
  whyInactive,
} from '../../src/model/slot.ts';
import { parseSlotFilter, type SlotFilter } from '../../src/model/slot-filter.ts';

const fields: SlotFields = {
  ...{ name: 'the name', vcpus: '--vcpus', memoryGib: '--memory-gib', diskGib: '--storage-gib' },
  ...{ gpus: '--gpu', hour: '--hour', epoch: '--epoch' },
};

/** Refuses, naming these words. */
function refuses(act: () => unknown, ...words: string[]): void {
  assert.throws(act, (error: unknown) => {
    assert.ok(error instanceof BerthError && error.code === 'invalid_value', String(error));
    for (const word of words) assert.ok(error.message.includes(word), `"${error.message}" does not name ${word}`);
    return true;
  });
}

const filters: [text: string, filter: SlotFilter][] = [
  ['', {}],
  [' , ', {}],
  ['gpu_name:Nvidia RTX 3090,memory_size:24GB', { gpuName: ['nvidia', 'rtx', '3090'], memoryMibMin: 24 * 1024 }],
  ['gpu_name:Nvidia%20RTX%203090', { gpuName: ['nvidia', 'rtx', '3090'] }],
  ['cpu_name:Intel(R) Xeon(R)', { cpuName: ['intel', 'r', 'xeon'] }],
  ['cpu_name:AMD%2C%20EPYC: 7763', { cpuName: ['amd', 'epyc', '7763'] }],
  ['memory_size:24', { memoryMibMin: 24 * 1024 }],
  ['memory_size: 24 GiB ', { memoryMibMin: 24 * 1024 }],
  ['memory_size:0.5gb', { memoryMibMin: 512 }],
  ['storage_size:99.5', { diskGibMin: 100 }],
  ['cpu_cores:16', { vcpusMin: 16 }],
  ['machine_status:available', { isAvailable: true }],
  ['machine_status:unavailable', { isAvailable: false }],
  ['machine_id:D63D2545-0000-4000-8000-000000000000', { slotId: 'd63d2545-0000-4000-8000-000000000000' }],
];

test('a filter is read as it is written, with units or without, encoded or not', () => {
  for (const [text, filter] of filters) assert.deepEqual(parseSlotFilter(text, 'filter'), filter, text);
});

test('a filter that can’t be meant is refused with the part at fault and what would be right', () => {
  const wrong: [text: string, ...words: string[]][] = [
    ['gpu_name', 'key:value', '"gpu_name"'],
    ['colour:red', '"colour"', 'gpu_name', 'machine_status'],
    ['__proto__:1', '"__proto__"'],
    [':x', '""'],
    ['gpu_name:', 'gpu_name', 'RTX 3090'],
    ['gpu_name:?', 'gpu_name', '"?"'],
    ['memory_size:much', 'memory_size', '"much"', '24GB'],
    ['memory_size:-1', 'memory_size'],
    ['memory_size:24TB', 'memory_size'],
    ['memory_size:9999999', 'memory_size'],
    ['storage_size:1e3', 'storage_size'],
    ['cpu_cores:1.5', 'cpu_cores', '16'],
    ['machine_status:rented', 'machine_status', 'available or unavailable'],
    ['cpu_cores:1,cpu_cores:2', 'cpu_cores', 'twice'],
    ['x'.repeat(1_001), '1000'],
  ];
  for (const [text, ...words] of wrong) refuses(() => parseSlotFilter(text, 'filter'), 'filter', ...words);
});

test('whatever is sent as a filter is read or refused, and numbers stay what a column holds', () => {
  const key = fc.constantFrom('gpu_name', 'memory_size', 'cpu_cores', 'storage_size', 'machine_status', 'x');
  const value = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.constantFrom('24GB', '%', '%zz', '%2C', 'available'),
  );
  const part = fc.tuple(key, value).map(([name, text]) => `${name}:${text}`);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part).map((parts) => parts.join(',')),
      ),
      (text) => {
        try {
          const { vcpusMin = 0, memoryMibMin = 0, diskGibMin = 0 } = parseSlotFilter(text, 'filter');
          for (const count of [vcpusMin, memoryMibMin, diskGibMin]) {
            assert.ok(Number.isInteger(count) && count >= 0 && count < 2 ** 31);
          }
        } catch (error) {
          assert.ok(error instanceof BerthError, String(error));
        }
      },
    ),
  );
});

const room = { vcpus: 8, memoryMib: 16 * 1024 + 500, diskGib: 100 };

test('a slot has whole numbers of what its host can hold', () => {
  const right = { vcpus: 8, memoryGib: 16, diskGib: 100 };
  assert.deepEqual(checkSlotSize(right, room, fields), { vcpus: 8, memoryMib: 16 * 1024, diskGib: 100 });
  for (const wrong of [0, 9, 1.5, Number.NaN]) {
    refuses(() => checkSlotSize({ ...right, vcpus: wrong }, room, fields), '--vcpus', '1 to the 8');
  }
  refuses(() => checkSlotSize({ ...right, memoryGib: 17 }, room, fields), '--memory-gib', '17', '16');
  refuses(() => checkSlotSize({ ...right, diskGib: 101 }, room, fields), '--storage-gib', '101', '100');
  refuses(() => checkSlotSize(right, { ...room, memoryMib: 1000 }, fields), '--memory-gib', 'none');
});

test('a GPU goes with one slot of the host that has it', () => {
  const found = ['GPU-1', 'GPU-2'];
  checkSlotGpus(['GPU-2', 'GPU-1'], found, new Map([['GPU-3', 'other']]), fields);
  refuses(() => checkSlotGpus(['GPU-1', 'GPU-1'], found, new Map(), fields), '--gpu', '"GPU-1"', 'second time');
  refuses(() => checkSlotGpus(['GPU-9'], found, new Map(), fields), '"GPU-9"', 'GPU-1, GPU-2');
  refuses(() => checkSlotGpus(['GPU-9'], [], new Map(), fields), '"GPU-9"', 'none');
  refuses(() => checkSlotGpus(['GPU-1'], found, new Map([['GPU-1', 'big']]), fields), '"GPU-1"', 'big');
});

test('a price is dollars, and a typing error is none', () => {
  assert.equal(parseSlotPrice('0.000001', '--hour'), 1n);
  for (const wrong of ['', 'free', '-1', '1000000.000001', '0.0000001']) {
    refuses(() => parseSlotPrice(wrong, '--hour'), '--hour', JSON.stringify(wrong));
  }
});

test('the first slot of a machine has all its processors, half its memory and some of its disk', () => {
  assert.deepEqual(firstSlotSize({ vcpus: 2, memoryMib: 7_500, diskGib: 90 }), {
    vcpus: 2,
    memoryMib: 3072,
    diskGib: 22,
  });
  assert.equal(firstSlotSize({ vcpus: 2, memoryMib: 7_500, diskGib: 9_000 })?.diskGib, 50);
  for (const small of [{ vcpus: 0 }, { memoryMib: 2_000 }, { diskGib: 3 }]) {
    assert.equal(firstSlotSize({ vcpus: 2, memoryMib: 7_500, diskGib: 90, ...small }), null);
  }
});

test('an hour is a 24th of an epoch, rounded up to a hundredth of a cent', () => {
  const rates = {
    ...{ vcpuMicroUsd: 100_000n, memoryGibMicroUsd: 20_000n },
    ...{ storageGibMicroUsd: 1_000n, gradeGibMicroUsd: {}, publicIpMicroUsd: 10_000n },
  };
  const prices = pricesByRates(rates, { vcpus: 2, memoryMib: 3 * 1024, diskGib: 20 });
  assert.deepEqual(prices, { hour: 12_100n, epoch: 290_000n });
  const amount = fc.bigInt({ min: 0n, max: 1_000_000_000_000n });
  fc.assert(
    fc.property(amount, fc.nat(1000), (rate, vcpus) => {
      const { hour, epoch } = pricesByRates({ ...rates, vcpuMicroUsd: rate }, { vcpus, memoryMib: 1024, diskGib: 1 });
      assert.ok(hour % 100n === 0n && hour * 24n >= epoch && (hour - 100n) * 24n < epoch);
    }),
  );
});

test('an inactive slot has a reason, and no other one has', () => {
  const facts: fc.Arbitrary<SlotFacts> = fc.record({
    status: fc.constantFrom('available' as const, 'rented' as const, 'inactive' as const),
    state: fc.constantFrom('open' as const, 'closed' as const, 'removed' as const),
    hostState: fc.constantFrom(...hostStates),
    isReachable: fc.boolean(),
    runsContainers: fc.boolean(),
    hasGpus: fc.boolean(),
  });
  fc.assert(fc.property(facts, (given) => (whyInactive(given) !== null) === (given.status === 'inactive')));
});
