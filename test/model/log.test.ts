// From when on lines are asked for, and which of them are the newest.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { type LogLine, newestLines, parseSince } from '../../src/model/log.ts';

const now = new Date('2026-03-01T12:00:00.000Z');
const since = (text: string) => parseSince(text, now, 'since')?.toISOString() ?? null;

test('a moment is a time, seconds since 1970, or a span back from now', () => {
  assert.equal(since(''), null);
  assert.equal(since('2026-01-31T12:00:00Z'), '2026-01-31T12:00:00.000Z');
  assert.equal(since('2026-01-31t12:00:00.123456789+02:00'), '2026-01-31T10:00:00.123Z');
  assert.equal(since('2026-01-31 12:00:00z'), '2026-01-31T12:00:00.000Z');
  assert.equal(since('0'), '1970-01-01T00:00:00.000Z');
  assert.equal(since('1767225600.25'), '2026-01-01T00:00:00.250Z');
  assert.equal(since('10m'), '2026-03-01T11:50:00.000Z');
  assert.equal(since('1h30m'), '2026-03-01T10:30:00.000Z');
  assert.equal(since('1.5s500ms'), '2026-03-01T11:59:58.000Z');
  assert.equal(since('1d'), '2026-02-28T12:00:00.000Z');
});

test('what is no moment is refused, whatever it is', () => {
  const wrong = ['x', '-1', '10x', '1h 2m', '2026-01-31', '2026-01-31T12:00:00', '2026-02-32T00:00:00Z', '999999999d'];
  for (const text of wrong) {
    assert.throws(
      () => since(text),
      (error) => error instanceof BerthError && error.code === 'invalid_value' && error.subject === 'since',
      text,
    );
  }
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.hmsd+:TZ-]{1,30}$/)), (text) => {
      try {
        const moment = parseSince(text, now, 'since');
        assert.ok(moment === null || !Number.isNaN(moment.getTime()));
      } catch (error) {
        assert.ok(error instanceof BerthError, String(error));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('the newest lines are the last ones, of those that are not too old', () => {
  const lines = [1, 2, 3, 4].map((second): LogLine => {
    return { timestamp: `2026-01-01T00:00:0${second}.000000001Z`, stream: 'stdout', line: String(second) };
  });
  const shown = (tail: number, from: Date | null) => newestLines(lines, tail, from).map(({ line }) => line);
  assert.deepEqual(shown(2, null), ['3', '4']);
  assert.deepEqual(shown(0, null), []);
  assert.deepEqual(shown(9, null), ['1', '2', '3', '4']);
  assert.deepEqual(shown(9, new Date('2026-01-01T00:00:03Z')), ['3', '4']);
  assert.deepEqual(shown(1, new Date('2026-01-01T00:00:03Z')), ['4']);
});
