// The epoch's boundary: 17:55 UTC, for everybody, on every day there is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nextEpochBoundary } from '../../src/model/epoch.ts';

const next = (text: string) => nextEpochBoundary(new Date(text)).toISOString();

test('an epoch ends at 17:55 UTC; a moment on the boundary belongs to the epoch it begins', () => {
  assert.equal(next('2025-04-30T17:54:59.999Z'), '2025-04-30T17:55:00.000Z');
  assert.equal(next('2025-04-30T17:55:00.000Z'), '2025-05-01T17:55:00.000Z');
  assert.equal(next('2025-04-30T17:45:00Z'), '2025-04-30T17:55:00.000Z');
  assert.equal(next('2025-12-31T23:59:59Z'), '2026-01-01T17:55:00.000Z');
  assert.equal(next('2024-02-28T18:00:00Z'), '2024-02-29T17:55:00.000Z');
  assert.equal(next('1969-12-31T00:00:00Z'), '1969-12-31T17:55:00.000Z');
});

test('the next boundary is later by at most a day, and always at 17:55', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1960-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
      (moment) => {
        const boundary = nextEpochBoundary(moment);
        const aheadMs = boundary.getTime() - moment.getTime();
        assert.ok(aheadMs > 0 && aheadMs <= 86_400_000);
        assert.equal(boundary.toISOString().slice(11), '17:55:00.000Z');
      },
    ),
  );
});
