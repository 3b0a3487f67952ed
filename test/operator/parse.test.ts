// What an operator types, and what programs read back from what is printed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csv } from '../../src/model/csv.ts';
import { BerthError } from '../../src/model/errors.ts';
import { changedOverrides } from '../../src/model/host.ts';
import { parseMoment } from '../../src/model/moment.ts';
import { parseExpiry, parseNumber } from '../../src/operator/parse.ts';
import { table } from '../../src/operator/print.ts';

const now = new Date('2026-11-21T12:00:00Z');
const refused = (run: () => unknown) =>
  assert.throws(
    run,
    (error) => error instanceof BerthError && error.code === 'invalid_value' && error.message.startsWith('--x'),
  );

test('a time from now on is what it says', () => {
  const hours = { h: 1, d: 24, w: 168 };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999 }), fc.constantFrom<'h' | 'd' | 'w'>('h', 'd', 'w'), (count, unit) => {
      const expiry = parseExpiry(`${count}${unit}`, now, '--x');
      assert.equal(expiry.getTime() - now.getTime(), count * hours[unit] * 3_600_000);
    }),
  );
});

test('every moment is read back as it was written, and every day as its first moment', () => {
  const moments = fc.date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(moments, (moment) => {
      assert.equal(parseMoment(moment.toISOString(), '--x').getTime(), moment.getTime());
      const day = moment.toISOString().slice(0, 10);
      assert.equal(parseMoment(day, '--x').toISOString(), `${day}T00:00:00.000Z`);
    }),
  );
});

test('what is no time is refused', () => {
  for (const text of [
    '',
    '0d',
    '30',
    '30 d',
    '1.5d',
    '-1d',
    '30m',
    '999999w',
    '2027-02-30',
    '2027-13-01',
    '2027-1-1',
    'never',
    '2027-01-31T25:00:00Z',
  ]) {
    refused(() => parseExpiry(text, now, '--x'));
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        assert.ok(!Number.isNaN(parseExpiry(text, now, '--x').getTime()));
      } catch (error) {
        assert.ok(error instanceof BerthError);
      }
    }),
  );
});

test('a number is one that people write', () => {
  for (const [text, value] of [
    ['4', 4],
    ['1.50', 1.5],
    ['0', 0],
  ] as const)
    assert.equal(parseNumber(text, '--x'), value);
  for (const text of ['', '-1', '1e9', '.5', 'NaN', '0x10', ' 1']) refused(() => parseNumber(text, '--x'));
});

/** A reader of RFC 4180, by the letter of it. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    row.push(quoted === undefined ? (bare ?? '') : quoted.replaceAll('""', '"'));
    if (end === '\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

test('whatever stands in a CSV is read back, and nothing in it is a formula', () => {
  const cells = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 2 });
  fc.assert(
    fc.property(fc.array(cells), (rows) => {
      const read = readCsv(csv(['a', 'b'], rows));
      assert.equal(read.length, rows.length + 1);
      for (const [index, row] of rows.entries()) {
        for (const [column, cell] of row.entries()) {
          const shown = read[index + 1]?.[column] ?? '';
          assert.ok(shown === cell || shown === `'${cell}`);
          assert.doesNotMatch(shown, /^[=+@]/);
        }
      }
    }),
  );
  assert.equal(csv(['x'], [['-1.5'], ['-1+1'], ['=1']]), "x\n-1.5\n'-1+1\n'=1\n");
});

test('the columns of a table line up', () => {
  assert.equal(
    table(
      ['a', 'bb'],
      [
        ['long', ''],
        ['x', 'y'],
      ],
    ),
    'A     BB\nlong  -\nx     y\n',
  );
});

test('an operator’s word on hardware is what was said last, and nothing of what was taken back', () => {
  const words = fc.option(fc.constantFrom('AMD', 'Intel', 'ARM'), { nil: null });
  const changes = fc.record({ manufacturer: words, brand: words }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.array(changes), (all) => {
      const expected: Record<string, string | null> = {};
      let overrides = {};
      for (const cpu of all) {
        Object.assign(expected, cpu);
        overrides = changedOverrides(overrides, { cpu });
      }
      const kept = Object.fromEntries(Object.entries(expected).filter(([, word]) => word !== null));
      assert.deepEqual(overrides, Object.keys(kept).length > 0 ? { cpu: kept } : {});
    }),
  );
});
