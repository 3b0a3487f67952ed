// Money: read and written without loss, and nothing that is not plainly a number is read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatUsd, parseUsd } from '../../src/model/money.ts';
import { priceOfVm, pricePerEpoch } from '../../src/model/price.ts';

const amounts = fc.bigInt({ min: 0n, max: 10n ** 18n - 1n });

test('an amount that is written and read again is the same', () => {
  fc.assert(fc.property(amounts, (amount) => parseUsd(formatUsd(amount)) === amount));
});

test('a written amount has no needless zero and at most six decimals', () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      assert.match(formatUsd(amount), /^(0|[1-9]\d*)(\.\d{0,5}[1-9])?$/);
    }),
  );
});

test('order is kept', () => {
  fc.assert(fc.property(amounts, amounts, (a, b) => Number(formatUsd(a)) <= Number(formatUsd(b)) || a > b));
});

test('the forms in which customers write amounts are read', () => {
  const forms: [string, bigint][] = [
    ['.30697', 306_970n],
    ['0.30697', 306_970n],
    ['00.30', 300_000n],
    ['1', 1_000_000n],
    ['1.', 1_000_000n],
    ['1.5', 1_500_000n],
    ['0', 0n],
    ['.0', 0n],
    ['0.000001', 1n],
    ['999999999999.999999', 999_999_999_999_999_999n],
  ];
  for (const [text, amount] of forms) assert.equal(parseUsd(text), amount, text);
});

test('everything else is none', () => {
  for (const text of [
    '',
    '.',
    ' ',
    '-1',
    '+1',
    '1e9',
    '1E2',
    '0x1',
    '1,5',
    '1 ',
    ' 1',
    '1.2345678',
    'NaN',
    '1\n',
    '٣',
    '1_0',
  ]) {
    assert.equal(parseUsd(text), null, JSON.stringify(text));
  }
  fc.assert(fc.property(fc.string(), (text) => parseUsd(text) === null || /^[\d.]+$/.test(text)));
});

test('a negative amount is written with its sign', () => {
  assert.equal(formatUsd(-1n), '-0.000001');
  assert.equal(formatUsd(-1_500_000n), '-1.5');
});

const rates = {
  ...{ vcpuMicroUsd: 7n, memoryGibMicroUsd: 11n, storageGibMicroUsd: 13n, publicIpMicroUsd: 17n },
  gradeGibMicroUsd: { ssd: 19n },
};

test('a price is the sum of its parts, with memory by the started GiB', () => {
  assert.equal(pricePerEpoch(rates, { vcpus: 2, memoryMib: 3 * 1024, diskGib: 5 }), 14n + 33n + 65n + 17n);
  assert.equal(pricePerEpoch(rates, { vcpus: 1, memoryMib: 1025, diskGib: 1 }), 7n + 22n + 13n + 17n);
});

test('disks are priced by their grades and by the GiB that each has begun, and addresses one by one', () => {
  const vm = { vcpus: 1, memoryMib: 1024, disks: [], addresses: 0 };
  const disks = (...given: [sizeMib: number, grade: string][]) => given.map(([sizeMib, grade]) => ({ sizeMib, grade }));
  assert.equal(priceOfVm(rates, vm), 18n);
  assert.equal(priceOfVm(rates, { ...vm, disks: disks([2048, 'sata'], [2049, 'ssd']) }), 18n + 26n + 57n);
  assert.equal(priceOfVm(rates, { ...vm, disks: disks([50, 'ssd'], [50, 'ssd']) }), 18n + 38n);
  assert.equal(priceOfVm(rates, { ...vm, disks: disks([1024, 'archive']) }), 18n + 13n, 'no rate of its own');
  assert.equal(priceOfVm(rates, { ...vm, addresses: 5 }), 18n + 85n);
});

test('a VM costs the same whether its size has a name or not', () => {
  const one = { vcpus: 2, memoryMib: 3 * 1024, addresses: 1, disks: [{ sizeMib: 5 * 1024, grade: 'sata' }] };
  assert.equal(priceOfVm(rates, one), pricePerEpoch(rates, { vcpus: 2, memoryMib: 3 * 1024, diskGib: 5 }));
});
