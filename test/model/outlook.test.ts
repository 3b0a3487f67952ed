// What an account spends and how long that lasts, against a count of single payments.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lastsUntil, type RunningBill, spendPerEpoch } from '../../src/model/outlook.ts';

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
const start = new Date('2026-11-21T12:00:00Z');
const at = (ms: number) => new Date(start.getTime() + ms);
const bill = (period: RunningBill['period'], price: bigint, afterMs = 0): RunningBill => ({
  ...{ period, price },
  paidUntil: at(afterMs),
});

test('money lasts until the first payment that it can’t make', () => {
  const bills = [bill('global-daily', 30n), bill('hourly', 1n, hourMs)];
  // 30 now, then 1 an hour from the next hour on.
  assert.deepEqual(lastsUntil(29n, bills), start);
  assert.deepEqual(lastsUntil(30n, bills), at(hourMs));
  assert.deepEqual(lastsUntil(35n, bills), at(6 * hourMs));
  assert.deepEqual(lastsUntil(53n, bills), at(dayMs));
  assert.deepEqual(lastsUntil(0n, [bill('per-second', 3600n)]), at(1000));
});

test('it does not run out where nothing costs anything, or within no time that anybody plans for', () => {
  assert.equal(lastsUntil(0n, []), null);
  assert.equal(lastsUntil(0n, [bill('global-daily', 0n)]), null);
  assert.equal(lastsUntil(10n ** 15n, [bill('global-daily', 1n)]), null);
});

test('what is billed otherwise is reckoned to the installation’s epoch', () => {
  const bills = [bill('hourly', 2n), bill('daily-per-second', 25n)];
  assert.equal(spendPerEpoch(bills, 'global-daily'), 73n);
  assert.equal(spendPerEpoch(bills, 'hourly'), 4n);
});

test('it lasts as long as a count of payments says', () => {
  const bills = fc.array(
    fc.record({
      period: fc.constantFrom<RunningBill['period']>('global-daily', 'hourly'),
      price: fc.bigInt({ min: 1n, max: 100n }),
      paidUntil: fc.integer({ min: 0, max: 3 * dayMs }).map(at),
    }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(bills, fc.bigInt({ min: 0n, max: 2000n }), (given, available) => {
      let left = available;
      const next = given.map(({ paidUntil }) => paidUntil.getTime());
      for (;;) {
        const moment = Math.min(...next);
        for (const [index, { price, period }] of given.entries()) {
          if (next[index] !== moment) continue;
          left -= price;
          next[index] = moment + (period === 'hourly' ? hourMs : dayMs);
        }
        if (left < 0n) return assert.equal(lastsUntil(available, given)?.getTime(), moment);
      }
    }),
  );
});
