import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { calendarUnits, spanInWords, startAfter, startOf, unitsWithin } from '../../src/model/calendar.ts';

test('a span is written as people read it, with seconds where there are some', () => {
  const [from, noon] = [new Date('2026-11-21T17:55:00.000Z'), new Date('2026-11-22T12:00:07.250Z')];
  assert.equal(spanInWords(from, noon), '2026-11-21 17:55 to 2026-11-22 12:00:07 UTC');
});

const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });

test('every moment lies in one unit, which begins at midnight, a week on a Monday and a month on its first', () =>
  fc.assert(
    fc.property(moment, fc.constantFrom(...calendarUnits), (at, unit) => {
      const start = startOf(unit, at);
      const next = startAfter(unit, at, 1);
      assert.ok(start <= at && at < next);
      assert.equal(start.getTime() % 86_400_000, 0);
      assert.deepEqual(startOf(unit, new Date(next.getTime() - 1)), start);
      assert.deepEqual(startAfter(unit, next, -1), start);
      if (unit === 'week') assert.equal(start.getUTCDay(), 1);
      if (unit === 'month') assert.equal(start.getUTCDate(), 1);
    }),
  ));

test('the units of a span follow each other without a gap, from its first moment to its last', () =>
  fc.assert(
    fc.property(
      moment,
      fc.integer({ min: 1, max: 400 * 86_400_000 }),
      fc.constantFrom(...calendarUnits),
      (from, ms, unit) => {
        const to = new Date(from.getTime() + ms);
        const starts = unitsWithin(unit, { from, to }, 1_000).map((day) => new Date(day));
        assert.deepEqual(starts[0], startOf(unit, from));
        assert.deepEqual(starts.at(-1), startOf(unit, new Date(to.getTime() - 1)));
        for (const [index, start] of starts.entries()) assert.deepEqual(start, startAfter(unit, from, index));
      },
    ),
  ));

test('no more units are counted than asked for', () => {
  const span = { from: new Date('2020-01-01'), to: new Date('2030-01-01') };
  assert.deepEqual(unitsWithin('month', span, 2), ['2020-01-01', '2020-02-01']);
});
