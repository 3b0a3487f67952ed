// The rules of logging in: codes of a second factor, how long sessions last, and how failures slow the next attempt.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { waitMsAfter } from '../../src/model/login-limit.ts';
import { hashPassword, verifyPassword } from '../../src/model/password.ts';
import { expiryOf, extendedExpiry, sessionMsMax, validityOf } from '../../src/model/session.ts';
import { matchTotp, newTotpSecret, totpCode, totpUri } from '../../src/model/totp.ts';

const entropy = { bytes: (count: number) => randomBytes(count) };
/** RFC 6238's secret, `12345678901234567890`, in base32. */
const rfcSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number) => new Date(seconds * 1000);

test('codes are those of RFC 6238, appendix B, to their last six digits', () => {
  for (const [seconds, code] of [
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ] as const) {
    assert.equal(totpCode(rfcSecret, at(seconds)), code);
  }
});

test('a code is taken within a step to either side, and never one that is not newer than the last', () => {
  const now = 1_800_000_015;
  const match = (seconds: number, taken: bigint | null = null) =>
    matchTotp(rfcSecret, totpCode(rfcSecret, at(now + seconds)), at(now), taken);
  const step = BigInt(Math.floor(now / 30));
  assert.deepEqual(
    [-30, 0, 30].map((off) => match(off)),
    [step - 1n, step, step + 1n],
  );
  assert.deepEqual([match(-60), match(60)], [null, null]);
  assert.deepEqual([match(0, step), match(-30, step), match(30, step)], [null, null, step + 1n]);
  for (const wrong of ['', '12345', '1234567', 'abcdef', '１２３４５６']) {
    assert.equal(matchTotp(rfcSecret, wrong, at(now), null), null);
  }
});

test('a new secret has 160 bits, and its URI says all that an app needs', () => {
  const secret = newTotpSecret(entropy);
  assert.match(secret, /^[A-Z2-7]{32}$/);
  assert.notEqual(secret, newTotpSecret(entropy));
  const uri = new URL(totpUri(secret, 'Berth', 'ann@example.com'));
  assert.equal(uri.href.split('?')[0], 'otpauth://totp/Berth:ann%40example.com');
  assert.deepEqual(Object.fromEntries(uri.searchParams), {
    ...{ secret, issuer: 'Berth', algorithm: 'SHA1', digits: '6', period: '30' },
  });
});

test('a password is right for its own hash alone, and for no hash none is', async () => {
  const hash = hashPassword('correct horse battery', entropy);
  assert.ok(await verifyPassword('correct horse battery', hash));
  assert.ok(!(await verifyPassword('correct horse batterz', hash)));
  assert.ok(!(await verifyPassword('', hash)));
  assert.ok(!(await verifyPassword('correct horse battery', null)));
  await assert.rejects(verifyPassword('x', 'rubbish'), /argon2id/);
});

test('a hash made at another cost is held to its own', async () => {
  const cheap = '$argon2id$v=19$m=64,t=1,p=1$';
  const { argon2Sync } = await import('node:crypto');
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: 'old', nonce, memory: 64, passes: 1, parallelism: 1, tagLength: 24 });
  const hash = `${cheap}${nonce.toString('base64')}$${tag.toString('base64')}`;
  assert.ok(await verifyPassword('old', hash));
  assert.ok(!(await verifyPassword('new', hash)));
});

test('a session lasts between a second and an hour, and five minutes unless asked', () => {
  assert.deepEqual(
    [undefined, 0, -1, 1.9, 1800, 3600, 3601, 1e12].map(validityOf),
    [300, 1, 1, 1, 1800, 3600, 3600, 3600],
  );
});

test('an end is put off as soon as a tenth of the time, at most half a minute, has gone by', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3600 }), fc.integer({ min: 0, max: 4_000_000 }), (validity, usedMs) => {
      const opened = at(1_800_000_000);
      const expiresAt = new Date(opened.getTime() + validity * 1000);
      const now = new Date(opened.getTime() + usedMs);
      const end = extendedExpiry({ authenticatedAt: opened, validitySeconds: validity, expiresAt }, now);
      const isDue = usedMs >= Math.min(30_000, validity * 100);
      assert.deepEqual(end, isDue ? new Date(now.getTime() + validity * 1000) : null);
    }),
  );
});

test('a session ends 30 days after its login at the latest, however it is used', () => {
  const authenticatedAt = at(1_800_000_000);
  const last = new Date(authenticatedAt.getTime() + 30 * 24 * 3_600_000);
  assert.equal(sessionMsMax, 30 * 24 * 3_600_000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3600 }), fc.array(fc.nat(3_600_000)), (validitySeconds, pauses) => {
      const session = { authenticatedAt, validitySeconds, expiresAt: last };
      let now = new Date(last.getTime() - 3_600_000);
      for (const pause of pauses) {
        now = new Date(now.getTime() + pause);
        assert.ok(expiryOf(session, now) <= last);
        assert.equal(extendedExpiry(session, now), null);
      }
    }),
  );
});

test('the first failures are free, then each doubles the wait, up to a minute', () => {
  assert.deepEqual(
    [0, 1, 10].map((count) => waitMsAfter('user', count)),
    [0, 0, 0],
  );
  assert.deepEqual(
    [11, 12, 13].map((count) => waitMsAfter('user', count)),
    [1_000, 2_000, 4_000],
  );
  assert.deepEqual(
    [50, 51, 57, 10_000].map((count) => waitMsAfter('address', count)),
    [0, 1_000, 60_000, 60_000],
  );
});
