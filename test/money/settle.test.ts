// Years of random deployments, deletions, crashes, absences, clock jumps and top-ups through the billing rules, held
// against a naive re-computation: one that knows every run and goes through time day by day.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { finish, fundsOf } from '../../src/model/bill.ts';
import { type BillingPeriod, epochMs, firstPaidUntil, periodEnd } from '../../src/model/billing-period.ts';
import { at, close, dayMs, hourMs, Instance, start } from './instance.ts';

/** What happens next: time passes in hours, with the host up or away, the server up or away, or the VM crashed. */
const step = fc.record({
  hours: fc.integer({ min: 1, max: 80 }),
  kind: fc.constantFrom('runs', 'runs', 'runs', 'host-away', 'server-away', 'crash'),
});

test('with money enough, exactly those periods are charged in which it was seen to run, through crashes and absences', () => {
  const periods = fc.constantFrom<BillingPeriod>('global-daily', 'daily-per-vm', 'hourly');
  fc.assert(
    fc.property(periods, fc.array(step, { minLength: 1, maxLength: 60 }), (period, steps) => {
      const price = 1_000_003n;
      const instance = new Instance('a', period, price, start);
      let now = start;
      let since: number | null = start;
      let available = 10n ** 15n;
      for (const { hours, kind } of steps) {
        const end = now + hours * hourMs;
        if (kind === 'server-away') now = end;
        else if (kind === 'host-away') {
          // Nobody hears of it; the clock goes on, and what is due waits.
          for (; now < end; now += hourMs) available = close(available, [instance], now);
          since = null;
        } else if (kind === 'crash') {
          since = null;
          for (; now < end; now += hourMs) {
            instance.report(now, since);
            available = close(available, [instance], now);
          }
        }
        since ??= now;
        for (let passed = 0; passed < 3; passed += 1, now += hourMs / 4) {
          instance.report(now, since);
          available = close(available, [instance], now);
        }
      }
      const expected = new Set([start]);
      const first = firstPaidUntil(period, at(start)).getTime();
      for (let begins = first; begins <= now; ) {
        const ends = periodEnd(period, at(start), at(begins)).getTime();
        if (instance.runs.some(({ from, to }) => from < ends && to > begins)) expected.add(begins);
        begins = ends;
      }
      const charged = [...instance.charged].filter(([, amount]) => amount > 0n).map(([begins]) => begins);
      assert.deepEqual(charged.sort(), [...expected].sort());
      assert.equal(instance.bill.spent, price * BigInt(expected.size));
      assert.equal(available, 10n ** 15n - price * BigInt(expected.size - 1));
    }),
    { numRuns: 300 },
  );
});

test('by the second, what is charged is the price of the time that it was seen to run', () => {
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 1, maxLength: 30 }),
      fc.bigInt({ min: 1n, max: 10_000_000n }),
      (steps, price) => {
        const instance = new Instance('a', 'per-second', price, start);
        let now = start;
        let since: number | null = start;
        let available = 10n ** 15n;
        for (const { hours, kind } of steps) {
          if (kind === 'crash') {
            since = null;
            for (const end = now + hours * hourMs; now < end; now += hourMs / 2) {
              instance.report(now, since);
              available = close(available, [instance], now);
            }
          }
          since ??= now;
          for (const end = now + hours * 60_000; now < end; now += 7_000) {
            instance.report(now, since);
            available = close(available, [instance], now);
          }
        }
        const ending = finish(instance.bill, instance.evidence(), available, at(instance.knownUntil), false);
        const last = ending.charge ? ending.charge.fromAvailable + ending.charge.fromHeld : 0n;
        const ranMs = instance.runs.reduce((sum, { from, to }) => sum + to - from, 0);
        const fair = (price * BigInt(ranMs)) / BigInt(epochMs('per-second'));
        const difference = instance.bill.spent + last - fair;
        // Each run may begin and end within a micro-dollar.
        const slack = BigInt(2 * instance.runs.length);
        assert.ok(difference <= slack && difference >= -slack, `${difference} off after ${instance.runs.length} runs`);
        assert.equal(ending.release + (ending.charge?.fromHeld ?? 0n), instance.bill.held);
      },
    ),
    { numRuns: 15 },
  );
});

/** A year and more of an account: who comes, who goes, what is paid in. */
const day = fc.record({
  deploys: fc.integer({ min: 0, max: 2 }),
  price: fc.bigInt({ min: 0n, max: 5_000_000n }),
  leaves: fc.option(fc.nat({ max: 20 }), { freq: 4 }),
  credit: fc.option(fc.bigInt({ min: 1n, max: 30_000_000n }), { freq: 3 }),
});

test('an account’s money goes the way that a naive book-keeper writes down day by day, for more than a year', () => {
  fc.assert(
    fc.property(fc.array(day, { minLength: 400, maxLength: 500 }), (days) => {
      let available = 20_000_000n;
      let instances: Instance[] = [];
      let paidIn = available;
      const everyone: Instance[] = [];
      const naive = { available, vms: [] as { id: string; price: bigint; held: bigint; owes: number }[] };
      let now = Date.parse('2026-01-01T18:00:00Z');
      for (const [index, { deploys, price, leaves, credit }] of days.entries()) {
        for (let count = 0; count < deploys; count += 1) {
          if (available < 2n * price) continue;
          available -= 2n * price;
          const instance = new Instance(`${index}-${count}`, 'global-daily', price, now);
          instances.push(instance);
          everyone.push(instance);
          naive.available -= 2n * price;
          naive.vms.push({ id: `${index}-${count}`, price, held: price, owes: 0 });
        }
        if (credit !== null) {
          paidIn += credit;
          available += credit;
          naive.available += credit;
          available = close(available, instances, now);
          payNaively(naive);
        }
        const leaving = leaves === null ? undefined : instances[leaves];
        if (leaving) {
          const ending = finish(leaving.bill, leaving.evidence(), available, at(now), false);
          assert.equal(ending.charge, null);
          available += ending.release;
          instances = instances.filter((one) => one !== leaving);
          const gone = naive.vms.findIndex(({ id }) => id === leaving.bill.instanceId);
          naive.available += naive.vms[gone]?.held ?? 0n;
          naive.vms.splice(gone, 1);
        }
        now += dayMs;
        for (const one of instances) one.report(now, start - dayMs);
        // Two replicas close the same epoch, the second finds nothing left to do.
        available = close(available, instances, now);
        available = close(available, instances, now);
        for (const vm of naive.vms) vm.owes += 1;
        payNaively(naive);
        assert.equal(available, naive.available, `day ${index}`);
        assert.deepEqual(
          instances.map((one) => one.bill.held),
          naive.vms.map(({ held }) => held),
        );
        const held = instances.reduce((sum, one) => sum + one.bill.held, 0n);
        assert.ok(available >= 0n && instances.every((one) => one.bill.held >= 0n));
        assert.deepEqual(
          [
            ...fundsOf(
              available,
              instances.map((one) => one.bill),
            ).values(),
          ],
          standing(naive),
        );
        const earned = everyone.flatMap((one) => [...one.charged.values()]).reduce((sum, amount) => sum + amount, 0n);
        if (index % 50 === 0) assert.equal(paidIn, available + held + earned);
      }
    }),
    { numRuns: 15 },
  );
});

function payNaively(book: { available: bigint; vms: { price: bigint; held: bigint; owes: number }[] }): void {
  for (const vm of book.vms) {
    while (vm.owes > 0 && book.available + vm.held >= vm.price) {
      const fromHeld = vm.price > book.available ? vm.price - book.available : 0n;
      book.available -= vm.price - fromHeld;
      vm.held -= fromHeld;
      vm.owes -= 1;
    }
  }
  for (const vm of book.vms) {
    if (vm.owes > 0 || book.available < vm.price - vm.held) continue;
    book.available -= vm.price - vm.held;
    vm.held = vm.price;
  }
}

function standing({ available, vms }: { available: bigint; vms: { price: bigint; held: bigint }[] }): string[] {
  let left = available;
  return vms.map(({ price, held }) => {
    if (held < price) return 'none';
    left -= price;
    return left < 0n ? 'small' : 'enough';
  });
}

test('a clock that jumps a year ahead and back costs nothing but what runs, and no period twice', () => {
  const instance = new Instance('a', 'global-daily', 1_000_000n, start);
  let available = 10n ** 12n;
  const year = 365 * dayMs;
  const tick = (now: number, since: number) => {
    instance.report(now, since);
    available = close(available, [instance], now);
  };
  for (let hour = 0; hour < 48; hour += 1) tick(start + hour * hourMs, start);
  const before = instance.bill.spent;
  // The host's clock counts up steadily, so a run is as long as it was, seen from the year to come.
  for (let hour = 48; hour < 60; hour += 1) tick(start + year + hour * hourMs, start + year);
  assert.ok(instance.bill.spent - before <= 4_000_000n, 'a year ahead charges the days of the run, not a year');
  for (let hour = 60; hour < 240; hour += 1) tick(start + hour * hourMs, start);
  assert.ok(instance.bill.paidUntil.getTime() <= start + 241 * hourMs + dayMs);
  const days = [...instance.charged].filter(([begins, amount]) => amount > 0n && begins < start + year / 2).length;
  assert.equal(days, 11, 'ten days and the one that it began in are charged once each');
});
