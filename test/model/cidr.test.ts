// IPv4 ranges: arithmetic that holds for every address, and one notation only.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4, parseCidr, parseIpv4 } from '../../src/model/cidr.ts';

const addresses = fc.integer({ min: 0, max: 2 ** 32 - 1 });

test('an address that is written and read again is the same', () => {
  fc.assert(fc.property(addresses, (value) => parseIpv4(formatIpv4(value)) === value));
});

test('a range holds the addresses of its prefix and no bit beyond it', () => {
  fc.assert(
    fc.property(addresses, fc.integer({ min: 0, max: 32 }), (value, prefix) => {
      const count = 2 ** (32 - prefix);
      const first = value - (value % count);
      assert.deepEqual(parseCidr(`${formatIpv4(first)}/${prefix}`), { first, count, prefix });
      if (value !== first) assert.equal(parseCidr(`${formatIpv4(value)}/${prefix}`), null);
    }),
  );
});

test('what is no address in the one notation is none', () => {
  for (const text of [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '-1.2.3.4',
    '1..3.4',
    '::1',
  ]) {
    assert.equal(parseIpv4(text), null, text);
  }
});

test('what is no range is none', () => {
  for (const text of [
    '',
    '/',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.1/8',
    '10.0.0.0/8 ',
    'x/8',
  ]) {
    assert.equal(parseCidr(text), null, text);
  }
});
