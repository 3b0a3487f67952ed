// Identifiers: their forms, and that nothing but randomness goes into them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newInstanceId, newSecret, newUuid, parseInstanceId } from '../../src/model/id.ts';

const entropy = fc.uint8Array({ minLength: 64, maxLength: 64 }).map((bytes) => ({
  bytes: (count: number) => bytes.slice(0, count),
}));

test('a fresh instance id is read as itself, in either case', () => {
  fc.assert(
    fc.property(entropy, (source) => {
      const id = newInstanceId(source);
      assert.match(id, /^0x[0-9a-f]{40}$/);
      assert.equal(parseInstanceId(id), id);
      assert.equal(parseInstanceId(id.toUpperCase()), id);
    }),
  );
});

test('what can’t be an instance id is none', () => {
  for (const text of [
    '',
    '0x',
    `0x${'0'.repeat(39)}`,
    `0x${'0'.repeat(41)}`,
    `0x${'g'.repeat(40)}`,
    `0x${'0'.repeat(40)}\n`,
    '0'.repeat(42),
  ]) {
    assert.equal(parseInstanceId(text), null, text);
  }
  fc.assert(fc.property(fc.string(), (text) => parseInstanceId(text) === null));
});

test('a UUID is one of version 4, and a secret has 256 bits in it', () => {
  fc.assert(
    fc.property(entropy, (source) => {
      assert.match(newUuid(source), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      const secret = newSecret('berth', source);
      assert.equal(Buffer.from(secret.slice('berth_'.length), 'base64url').length, 32);
    }),
  );
});
