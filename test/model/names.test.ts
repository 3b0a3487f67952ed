// Names and host names: what passes is safe to stand in a host name, a file name and a shell line.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { checkHostname, checkName } from '../../src/model/name.ts';

const passes = (check: (text: string, field: string) => string, text: string): boolean => {
  try {
    assert.equal(check(text, 'name'), text, 'a name is never changed');
    return true;
  } catch (error) {
    assert.ok(error instanceof BerthError);
    assert.equal(error.code, 'invalid_value');
    assert.equal(error.subject, 'name');
    return false;
  }
};

const near = fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '.', ' ', '_', '\n', 'ä'), maxLength: 70 });

test('a name is 1 to 63 letters, digits and inner hyphens, and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ maxLength: 80 })), (text) => {
      const right = /^[A-Za-z0-9-]{1,63}$/.test(text) && !text.startsWith('-') && !text.endsWith('-');
      assert.equal(passes(checkName, text), right, JSON.stringify(text));
    }),
    { numRuns: 2_000 },
  );
});

test('a host name is one or more such labels joined by dots, of 64 characters at most', () => {
  fc.assert(
    fc.property(fc.oneof(near, fc.string({ maxLength: 80 })), (text) => {
      const right = text.length > 0 && text.length <= 64 && text.split('.').every((label) => passes(checkName, label));
      assert.equal(passes(checkHostname, text), right, JSON.stringify(text));
    }),
    { numRuns: 2_000 },
  );
});

test('every name can be a host name', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/), (name) => {
      assert.ok(passes(checkName, name) && passes(checkHostname, name));
    }),
  );
});
