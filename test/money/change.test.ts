// Random changes of prices in random times through the billing rules, held against a slow re-computation that goes through
// time half a minute by half a minute.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Charge } from '../../src/model/bill.ts';
import { reprice, transfer } from '../../src/model/bill-change.ts';
import {
  type BillingPeriod,
  epochMs,
  firstPaidUntil,
  isPaidInAdvance,
  periodEnd,
} from '../../src/model/billing-period.ts';
import { at, close, dayMs, hourMs, Instance, start } from './instance.ts';

const minuteMs = 60_000;
const sliceMs = minuteMs / 2;
const plenty = 10n ** 15n;

/** Changes as the server does, and keeps the books. @returns what is available then, or why it was refused */
function change(available: bigint, instance: Instance, price: bigint, nowMs: number) {
  const outcome = reprice(available, instance.bill, instance.evidence(), price, at(nowMs));
  if ('refused' in outcome) return outcome;
  instance.bill = outcome.bill;
  note(instance, outcome.charges);
  return { available: outcome.available };
}

function note(instance: Instance, charges: readonly Charge[]): void {
  for (const { begins, fromAvailable, fromHeld, priceChange } of charges) {
    if (priceChange > 0) continue;
    assert.ok(!instance.charged.has(begins.getTime()), 'no period is decided on twice');
    instance.charged.set(begins.getTime(), fromAvailable + fromHeld);
  }
}

/** After so many minutes the price becomes this, or stays. */
const step = fc.record({
  minutes: fc.integer({ min: 1, max: 900 }),
  price: fc.option(fc.bigInt({ min: 0n, max: 5_000_000n }), { freq: 4 }),
});

/**
 * What is fair: of each period that is paid ahead the whole price at which it begins, and every slice's share of what the
 * dearest price so far is above that; by the second every slice's share of its price.
 */
function fairCost(period: BillingPeriod, priceAt: (ms: number) => bigint, end: number): number {
  const slices = BigInt(epochMs(period) / sliceMs);
  let cost = 0n;
  if (!isPaidInAdvance(period)) {
    for (let now = start; now < end; now += sliceMs) cost += priceAt(now);
    return Number(cost) / Number(slices);
  }
  for (let begins = start, ends = firstPaidUntil(period, at(start)).getTime(); begins <= end; ) {
    const first = priceAt(begins);
    cost += first * slices;
    let dearest = first;
    for (let now = begins; now < ends; now += sliceMs) {
      if (now <= end && priceAt(now) > dearest) dearest = priceAt(now);
      cost += dearest - first;
    }
    [begins, ends] = [ends, periodEnd(period, at(start), at(ends)).getTime()];
  }
  return Number(cost) / Number(slices);
}

const periods = fc.constantFrom<BillingPeriod>(
  'global-daily',
  'daily-per-vm',
  'hourly',
  'per-second',
  'daily-per-second',
);

test('with money enough, changes of the price cost what the slow re-computation says, and the deposit is always one epoch', () => {
  fc.assert(
    fc.property(periods, fc.array(step, { minLength: 1, maxLength: 25 }), (period, steps) => {
      const instance = new Instance('a', period, 1_000_000n, start);
      let available = plenty - instance.bill.spent - instance.bill.held;
      const prices = [{ from: start, price: 1_000_000n }];
      const tick = (now: number) => {
        instance.report(now, start);
        available = close(available, [instance], now);
      };
      // Between two minutes, so that no change comes in the very moment in which a period begins.
      let now = start + sliceMs;
      for (const { minutes, price } of steps) {
        for (const end = now + minutes * minuteMs; now < end; now = Math.min(end, now + hourMs / 2)) tick(now);
        tick(now);
        if (price === null) continue;
        const outcome = change(available, instance, price, now);
        assert.ok(
          'available' in outcome,
          JSON.stringify(outcome, (_, value) => String(value)),
        );
        available = outcome.available;
        prices.push({ from: now, price });
        assert.equal(instance.bill.held, price);
        assert.equal(instance.bill.price, price);
      }
      tick(now);
      // By the second whole minutes are settled; a change to the same price settles up to now.
      if (!isPaidInAdvance(period)) {
        const outcome = change(available, instance, instance.bill.price, now);
        assert.ok('available' in outcome);
        available = outcome.available;
      }
      const priceAt = (ms: number) => prices.findLast(({ from }) => from <= ms)?.price ?? 0n;
      const fair = fairCost(period, priceAt, now);
      // Each change is rounded up to a micro-dollar, and what runs by the second may begin and end within one.
      const difference = Number(instance.bill.spent) - fair;
      assert.ok(Math.abs(difference) <= 2 * prices.length, `${instance.bill.spent} instead of ${fair}`);
      assert.equal(available, plenty - instance.bill.spent - instance.bill.held, 'nothing is lost or made');
    }),
    { numRuns: 200 },
  );
});

test('whatever the money, a change is done as a whole or refused as a whole, nothing is overdrawn, and less is never refused', () => {
  const act = fc.record({
    minutes: fc.integer({ min: 0, max: 900 }),
    who: fc.integer({ min: 0, max: 2 }),
    price: fc.bigInt({ min: 0n, max: 3_000_000n }),
    credit: fc.option(fc.bigInt({ min: 0n, max: 5_000_000n }), { freq: 5 }),
    heard: fc.boolean(),
  });
  fc.assert(
    fc.property(periods, fc.array(act, { minLength: 1, maxLength: 60 }), (period, acts) => {
      const price = 1_000_000n;
      const instances = ['a', 'b', 'c'].map((id) => new Instance(id, period, price, start));
      let paidIn = 9_000_000n;
      let available = paidIn - instances.reduce((sum, { bill }) => sum + bill.held + bill.spent, 0n);
      let now = start;
      for (const { minutes, who, price: wanted, credit, heard } of acts) {
        now += minutes * minuteMs;
        if (heard) for (const one of instances) one.report(now, start);
        if (credit !== null) [paidIn, available] = [paidIn + credit, available + credit];
        available = close(available, instances, now);
        const instance = instances[who] as Instance;
        const before = instance.bill;
        const outcome = change(available, instance, wanted, now);
        if ('refused' in outcome) {
          assert.ok(wanted > before.price, 'what gets cheaper is not refused');
          assert.equal(instance.bill, before);
          if (outcome.refused === 'unknown') assert.ok(!heard);
          if (outcome.refused === 'short') assert.ok(outcome.needed > available);
        } else {
          available = outcome.available;
          if (wanted > before.price) assert.equal(instance.bill.held, wanted);
          else assert.ok(instance.bill.held <= wanted);
        }
        assert.ok(available >= 0n && instances.every(({ bill }) => bill.held >= 0n));
        const kept = instances.reduce((sum, { bill }) => sum + bill.held + bill.spent, available);
        assert.equal(kept, paidIn);
      }
    }),
    { numRuns: 300 },
  );
});

test('what gets cheaper and dearer again within a period that is paid costs nothing more', () => {
  const instance = new Instance('a', 'hourly', 3_600_000n, start);
  instance.report(start, start);
  let available = plenty;
  const to = (price: bigint, minutes: number) => {
    const outcome = change(available, instance, price, start + minutes * minuteMs);
    assert.ok('available' in outcome);
    available = outcome.available;
  };
  to(600_000n, 10);
  assert.equal(available, plenty + 3_000_000n, 'the deposit follows, and what was paid stays paid');
  to(3_600_000n, 20);
  assert.equal(available, plenty);
  to(4_200_000n, 30);
  assert.equal(instance.bill.spent, 3_600_000n + 300_000n, 'half an hour of the difference to what was paid');
  to(600_000n, 40);
  to(4_200_001n, 50);
  assert.equal(instance.bill.spent, 3_900_000n + 1n, 'ten minutes of a micro-dollar are one');
  // The next hour begins at the price of the moment, and nothing of this one is left in it.
  instance.report(start + hourMs + minuteMs, start);
  available = close(available, [instance], start + hourMs + minuteMs);
  to(4_300_000n, 61);
  assert.equal(instance.bill.spent, 3_900_001n + 4_200_001n + 98_333n);
});

test('nobody knows what is owed of a host that is silent, so what it has gets dearer only once it is heard of', () => {
  const instance = new Instance('a', 'daily-per-vm', 1_000_000n, start);
  instance.report(start, start);
  const next = start + dayMs + hourMs;
  assert.deepEqual(change(plenty, instance, 2_000_000n, next), { refused: 'unknown' });
  assert.deepEqual(transfer({ from: plenty, to: plenty }, instance.bill, instance.evidence(), at(next)), {
    refused: 'unknown',
  });
  assert.ok('available' in change(plenty, instance, 500_000n, next));
  instance.report(next, start);
  assert.equal(close(plenty, [instance], next), plenty - 500_000n, 'what was owed is owed at the price of the moment');
  assert.ok('available' in change(plenty, instance, 2_000_000n, next));
});

test('another account pays from where the first one has paid to, and each deposit is its own', () => {
  const instance = new Instance('a', 'daily-per-vm', 1_000_000n, start);
  instance.report(start + hourMs, start);
  const moved = (from: bigint, to: bigint, now: number) =>
    transfer({ from, to }, instance.bill, instance.evidence(), at(now));
  assert.deepEqual(moved(0n, 999_999n, start + hourMs), { refused: 'short', needed: 1_000_000n });
  const outcome = moved(0n, 1_000_000n, start + hourMs);
  assert.ok(!('refused' in outcome));
  assert.deepEqual(outcome.charges, []);
  assert.equal(outcome.release, 1_000_000n);
  assert.equal(outcome.bill.held, 1_000_000n);
  assert.equal(outcome.bill.paidUntil.getTime(), start + dayMs);
  // One that owes a day and can't pay it can't give it away.
  instance.bill = { ...instance.bill, held: 0n };
  instance.report(start + dayMs + hourMs, start);
  assert.deepEqual(moved(999_999n, plenty, start + dayMs + hourMs), { refused: 'owing' });
});

test('by the second, the old account is charged up to the moment of the move', () => {
  const instance = new Instance('a', 'per-second', 3_600_000n, start);
  instance.report(start + 90_000, start);
  const outcome = transfer({ from: plenty, to: plenty }, instance.bill, instance.evidence(), at(start + 90_000));
  assert.ok(!('refused' in outcome));
  assert.equal(
    outcome.charges.reduce((sum, { fromAvailable }) => sum + fromAvailable, 0n),
    90_000n,
  );
  assert.equal(outcome.bill.paidUntil.getTime(), start + 90_000);
});
