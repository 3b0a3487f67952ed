// Which averages answer for a span of time, and from which tier they are read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  finestStep,
  pointsIn,
  pointsMax,
  slotOf,
  slotsOf,
  stepStart,
  steps,
  stretchesOf,
  tiers,
} from '../../src/model/sample.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const now = new Date('2026-11-22T12:34:56.789Z');
const ago = (ms: number) => new Date(now.getTime() - ms);
const until = (ms: number) => ({ from: ago(ms), to: now });

test('a span is shown as finely as an answer has room for and its beginning is kept', () => {
  const asked: [ms: number, step: number][] = [
    [10 * minuteMs, 10],
    [hourMs, 10],
    // 720 steps and the one that has begun are one too many.
    [2 * hourMs, 30],
    [2 * hourMs + 2 * minuteMs, 300],
    [dayMs, 300],
    [7 * dayMs, 900],
    [8 * dayMs + 2 * minuteMs, 3_600],
    [29 * dayMs, 3_600],
    [90 * dayMs, 21_600],
    [719 * dayMs, 86_400],
  ];
  for (const [ms, step] of asked) assert.equal(finestStep(until(ms), now), step, `${ms / hourMs} h`);
  assert.equal(finestStep(until(721 * dayMs), now), undefined);
});

test('what a tier is not made of yet is read from finer ones, without gap or overlap', () => {
  const made = [new Date('2026-11-22T12:30:00Z'), new Date('2026-11-22T12:00:00Z')] as const;
  const told = (ms: number, step: number) =>
    stretchesOf(until(ms), step, now, made).map(({ tier, from, to }) => [
      tier.index,
      from.toISOString(),
      to.toISOString(),
    ]);
  const end = now.toISOString();
  assert.deepEqual(told(hourMs, 60), [[0, ago(hourMs).toISOString(), end]]);
  assert.deepEqual(told(dayMs, 300), [
    [1, ago(dayMs).toISOString(), '2026-11-22T12:30:00.000Z'],
    [0, '2026-11-22T12:30:00.000Z', end],
  ]);
  assert.deepEqual(told(30 * dayMs, 7_200), [
    [2, ago(30 * dayMs).toISOString(), '2026-11-22T12:00:00.000Z'],
    [1, '2026-11-22T12:00:00.000Z', '2026-11-22T12:30:00.000Z'],
    [0, '2026-11-22T12:30:00.000Z', end],
  ]);
  // A step that is finer than what is kept: only what is kept as finely is told.
  assert.deepEqual(told(hourMs * 5, 30), [[0, ago(hourMs * 5).toISOString(), end]]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 * dayMs }),
      fc.integer({ min: 0, max: 100 * dayMs }),
      fc.constantFrom(...steps),
      fc.integer({ min: 0, max: 10 * dayMs }),
      fc.integer({ min: 0, max: 10 * dayMs }),
      (lengthMs, endMs, step, lagMs, moreMs) => {
        const span = { from: ago(endMs + lengthMs), to: ago(endMs) };
        const stretches = stretchesOf(span, step, now, [ago(lagMs), ago(lagMs + moreMs)]);
        assert.deepEqual(stretches.at(0)?.from, span.from);
        assert.deepEqual(stretches.at(-1)?.to, span.to);
        for (const [index, { from, tier }] of stretches.entries()) {
          assert.ok(tier.stepMs <= step * 1_000);
          if (index > 0) assert.deepEqual(from, stretches[index - 1]?.to);
        }
      },
    ),
  );
});

test('a slot is not used again before what is in it has had its time, and is empty when its time comes', () => {
  const moments = fc.date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(moments, fc.constantFrom(...tiers), (at, tier) => {
      const emptied = slotOf(tier, at, 1);
      const { first, end } = slotsOf(tier);
      assert.ok(emptied >= first && emptied < end);
      // Nothing that is kept, back to the first moment that is, lies in the slot that is emptied now.
      for (let ms = 0; ms <= tier.keptMs; ms += tier.slotMs / 2)
        assert.notEqual(slotOf(tier, new Date(at.getTime() - ms)), emptied);
      assert.notEqual(slotOf(tier, new Date(at.getTime() - tier.keptMs)), emptied);
      assert.equal(slotOf(tier, new Date(at.getTime() + tier.slotMs)), emptied);
    }),
  );
});

test('an answer has no more points than it may, and the step that has begun is one of them', () => {
  assert.equal(pointsIn({ from: new Date(0), to: new Date(pointsMax * 60_000) }, 60), pointsMax);
  assert.equal(pointsIn({ from: new Date(1), to: new Date(pointsMax * 60_000 + 1) }, 60), pointsMax + 1);
  assert.equal(stepStart(new Date('2026-11-22T12:34:56.789Z'), 300_000).toISOString(), '2026-11-22T12:30:00.000Z');
});
