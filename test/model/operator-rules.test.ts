// What an operator may say, rule by rule: what is wrong is refused with the field at fault, what is right is let pass.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkAccountName, checkUsername } from '../../src/model/account.ts';
import { checkKeyExpiry, checkKeyName, checkKeyScope, keyState } from '../../src/model/api-key.ts';
import { checkDatacenter } from '../../src/model/datacenter.ts';
import { BerthError } from '../../src/model/errors.ts';
import * as host from '../../src/model/host.ts';

function refuses(check: () => unknown, what: unknown): void {
  assert.throws(check, (error) => error instanceof BerthError && error.subject === 'x', JSON.stringify(what));
}

const texts: [name: string, check: (text: string, field: string) => unknown, right: string[], wrong: string[]][] = [
  [
    'an account',
    checkAccountName,
    ['acme', 'Ann & Söhne GmbH'],
    ['', ' x', 'x ', 'a\nb', 'a\u2028b', 'x'.repeat(64), '\ud800'],
  ],
  ['a user', checkUsername, ['ann', 'ann@example.com', '4x4'], ['', '-x', 'a b', 'ann\n', 'x'.repeat(64), '42']],
  ['a key', checkKeyName, ['ci', 'ann@laptop.2'], ['', 'a b', 'a\n', 'x'.repeat(64), 'ü']],
  ['a scope', checkKeyScope, ['read-only', 'full'], ['', 'Full', 'admin']],
  ['a host', host.checkHostName, ['rack-1', 'a', 'ip-10-0-0-1.internal'], ['', '-a', 'a.', 'a b', 'x'.repeat(64)]],
  ['hardware', host.checkHardwareText, ['Ice Lake'], ['', ' ', 'a\tb', 'x'.repeat(64)]],
  ['a kind of disk', host.checkStorageType, ['hdd', 'NVMe', 'SSD'], ['', 'tape', 'NVMe2']],
  [
    'a range',
    host.checkPool,
    ['10.0.0.0/8', '127.44.0.0/16', '1.2.3.4/32'],
    ['10.0.0.0', '10.0.0.1/8', '0.0.0.0/0', '10.0.0.0/33', 'fd00::/64'],
  ],
];

test('names and words are taken or refused as their rule says', () => {
  for (const [, check, right, wrong] of texts) {
    for (const text of right) check(text, 'x');
    for (const text of wrong) refuses(() => check(text, 'x'), text);
  }
});

test('any text at all is taken or refused, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.string({ unit: 'binary' }), ([, check], text) => {
      try {
        check(text, 'x');
      } catch (error) {
        assert.ok(error instanceof BerthError);
      }
    }),
  );
});

test('ratios have two decimals and sane bounds; additional storage is whole and not negative', () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 6400 }), (hundredths) => host.checkRatio(hundredths / 100, 'x') > 0),
  );
  for (const ratio of [0, 0.09, 64.01, 1.234, -1, Number.NaN, Number.POSITIVE_INFINITY])
    refuses(() => host.checkRatio(ratio, 'x'), ratio);
  for (const gib of [null, 0, 1_000_000]) assert.equal(host.checkAdditionalDiskMax(gib, 'x'), gib);
  for (const gib of [-1, 1.5, 1_000_001, Number.NaN]) refuses(() => host.checkAdditionalDiskMax(gib, 'x'), gib);
});

const right = {
  slug: 'pl-poz-1',
  countryCode: 'pl',
  cityCode: 'poz',
  cityIndex: 1,
  tier: 4,
  certifications: ['ISO 27001'],
};
const fields = { slug: 'x', countryCode: 'x', cityCode: 'x', cityIndex: 'x', tier: 'x', certifications: 'x' };

test('a datacenter’s codes are ISO 3166-1 and of UN/LOCODE’s shape, in any letter case', () => {
  assert.deepEqual(checkDatacenter(right, fields), { ...right, countryCode: 'PL', cityCode: 'POZ' });
  const wrong: Partial<typeof right>[] = [
    ...['XX', 'EU', 'UK', 'ZZ', 'POL', '', 'p1'].map((countryCode) => ({ countryCode })),
    ...['PO', 'POZN', 'P0Z', 'P1Z', ''].map((cityCode) => ({ cityCode })),
    ...[0, 10_000, 1.5, Number.NaN].map((cityIndex) => ({ cityIndex })),
    ...[0, 5, 2.5, Number.NaN].map((tier) => ({ tier })),
    ...['', 'PL-POZ', '-a', 'a b', 'ü', 'x'.repeat(64)].map((slug) => ({ slug })),
    ...[[''], [' a'], ['a\n'], Array.from({ length: 33 }, (_, index) => `c${index}`)].map((certifications) => ({
      certifications,
    })),
  ];
  for (const part of wrong) refuses(() => checkDatacenter({ ...right, ...part }, fields), part);
});

test('a key is valid until it is revoked or its time has come, and can’t be made for a time that is over', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const at = (ms: number) => new Date(now.getTime() + ms);
  assert.equal(keyState({ revokedAt: null, expiresAt: null }, now), 'valid');
  assert.equal(keyState({ revokedAt: null, expiresAt: at(1) }, now), 'valid');
  assert.equal(keyState({ revokedAt: null, expiresAt: at(0) }, now), 'expired');
  assert.equal(keyState({ revokedAt: now, expiresAt: at(1) }, now), 'revoked');
  assert.deepEqual(checkKeyExpiry(at(1), now, 'x'), at(1));
  refuses(() => checkKeyExpiry(at(0), now, 'x'), 'now');
});
