// Kinds of events, and which are below which.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkKind, isOfKind, kindLengthMax } from '../../src/model/event-kind.ts';

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,7}$/);
const kind = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));

test('a kind is of itself and of all that it is below, and of nothing that only begins alike', () => {
  fc.assert(
    fc.property(kind, word, (one, more) => {
      assert.ok(isOfKind(one, one));
      assert.ok(isOfKind(`${one}.${more}`, one));
      assert.ok(!isOfKind(one, `${one}.${more}`));
      assert.ok(!isOfKind(one + more, one));
    }),
  );
});

test('what is a kind is taken as it is, and anything else refused with its field', () => {
  fc.assert(fc.property(kind, (one) => assert.equal(checkKind(one, 'kind'), one)));
  for (const wrong of ['', 'A', '.a', 'a.', 'a..b', 'a b', 'a\n', '*', '1a', 'a'.repeat(kindLengthMax + 1)]) {
    assert.throws(() => checkKind(wrong, 'kind'), { code: 'invalid_value', subject: 'kind' }, JSON.stringify(wrong));
  }
});
