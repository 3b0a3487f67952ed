// The error table and what may stand in a message.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorTable, shown } from '../../src/model/errors.ts';
import { instanceStatuses, requireAllowed, whyNot } from '../../src/model/instance.ts';

test('every error has a status of 4xx or 5xx and advice that is a sentence', () => {
  for (const [code, { status, advice }] of Object.entries(errorTable)) {
    assert.ok(status >= 400 && status < 600, code);
    assert.match(advice, /^[A-Z].*\.$/, code);
  }
});

test('a shown value is short and on one line, whatever it was', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      fc.pre(!hasBigInt(value));
      const text = shown(value);
      assert.ok(text.length < 120);
      assert.ok(!/[\n\r]/.test(text));
    }),
  );
});

test('a private key is not shown', () => {
  for (const value of ['-----BEGIN RSA PRIVATE KEY-----\nMII', { a: ['-----BEGIN PRIVATE KEY-----'] }]) {
    assert.equal(shown(value), 'a private key');
  }
});

test('what can’t be done in a state has a reason, and what can be done is allowed', () => {
  for (const status of instanceStatuses) {
    for (const act of ['rename', 'set-ports', 'delete'] as const) {
      const reason = whyNot(act, status);
      const attempt = () => requireAllowed(act, { id: '0x1', kind: 'vm', status });
      if (reason === null) attempt();
      else assert.throws(attempt, (error: Error) => error.message.includes(reason) && error.message.includes('0x1'));
    }
  }
  assert.equal(whyNot('delete', 'failed'), null, 'a failed instance can be cleared away');
  assert.notEqual(whyNot('delete', 'deleting'), null);
});

/** JSON has no form for them, and no request brings one. */
function hasBigInt(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return false;
  } catch {
    return true;
  }
}
