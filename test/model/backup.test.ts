// When schedules want backups, and which they let go of.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backupLabel, lastDue, parseStart } from '../../src/model/backup.ts';

const now = new Date('2026-11-21T09:30:15Z');

const starts: [text: string, at: string | null][] = [
  ['00:00', '2026-11-22T00:00:00.000Z'],
  ['9:31', '2026-11-21T09:31:00.000Z'],
  ['09:30:15', '2026-11-21T09:30:15.000Z'],
  ['09:30', '2026-11-22T09:30:00.000Z'],
  ['2017-04-05T14:37:00+02:00', '2017-04-05T12:37:00.000Z'],
  ['2017-04-05T14:37:00+0200', '2017-04-05T12:37:00.000Z'],
  ['2017-09-13 16:35:00', '2017-09-13T16:35:00.000Z'],
  ['2026-11-21 00:00:00 UTC', '2026-11-21T00:00:00.000Z'],
  ['2026-11-21T00:00Z', '2026-11-21T00:00:00.000Z'],
  ['24:00', null],
  ['12:60', null],
  ['tomorrow', null],
  ['', null],
  ['2026-02-30 00:00:00', null],
  ['2026-13-01 00:00:00', null],
];

for (const [text, at] of starts) {
  test(`a schedule begins at ${JSON.stringify(text)}: ${at}`, () => {
    assert.equal(parseStart(text, now)?.toISOString() ?? null, at);
  });
}

test('a backup is called after its disk and the second, and no two of one second alike', () => {
  assert.equal(backupLabel('root', now), 'root-backup-20261121093015');
  assert.equal(backupLabel('root', now, 2), 'root-backup-20261121093015-2');
  assert.ok(backupLabel('x'.repeat(255), now, 99).length <= 255);
});

test('what is due last is on the schedule’s grid, not in the future, and less than an interval ago', () => {
  const moment = fc.date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(moment, moment, fc.integer({ min: 1, max: 10_000_000 }), (startAt, at, intervalSeconds) => {
      const due = lastDue({ startAt, intervalSeconds }, at);
      if (at < startAt) return due === null;
      assert.ok(due);
      const sinceStart = due.getTime() - startAt.getTime();
      assert.ok(due <= at && at.getTime() - due.getTime() < intervalSeconds * 1000);
      return sinceStart % (intervalSeconds * 1000) === 0;
    }),
  );
});
