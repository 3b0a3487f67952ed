// Holds docs/errors.md to the table of errors and to what each API makes of it: a code that is added, removed or shown in
// another way is a change of that page, too.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { FastifyRequest } from 'fastify';
import { bytemarkError } from '../../src/api/bytemark/error.ts';
import { fluenceError } from '../../src/api/fluence/error.ts';
import { hiveonError } from '../../src/api/hiveon/error.ts';
import { nativeError } from '../../src/api/native/error.ts';
import { BerthError, type ErrorCode, errorTable } from '../../src/model/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const codes = Object.keys(errorTable) as ErrorCode[];

/** The rows of the tables below a heading, without the heads. */
function rowsBelow(heading: string): string[][] {
  const section = page.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

test('the page has one row for each code, in both tables, and none for anything else', () => {
  for (const heading of ['The codes', 'What to do']) {
    const named = rowsBelow(heading).map(([code]) => code);
    assert.deepEqual(
      named,
      codes.map((code) => `\`${code}\``),
      heading,
    );
  }
});

test('the page says what each API answers', () => {
  for (const [name = '', ...cells] of rowsBelow('The codes')) {
    const error = new BerthError(name.replaceAll('`', '') as ErrorCode, 'It is wrong.');
    const native = nativeError(error, { id: 'test', routeOptions: { config: {} } } as FastifyRequest);
    const hiveon = hiveonError(error);
    const { code, details } = hiveon.body as { code: number; details: { reason?: string }[] };
    const reason = details.find((detail) => detail.reason !== undefined)?.reason;
    const shown = [hiveon.status, code, ...(reason === undefined ? [] : [`\`${reason}\``])].join(', ');
    const answered = [native.status, fluenceError(error).status, shown, bytemarkError(error).status];
    assert.deepEqual(cells, answered.map(String), name);
  }
});

test('the page says what the customer can do about each code', () => {
  for (const [code, customer, operator] of rowsBelow('What to do')) {
    assert.ok(customer && customer.length > 10, code);
    assert.ok(operator, code);
  }
});
