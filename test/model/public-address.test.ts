// Public or not, by block: the same answer for every notation of an address. (The agent's tests hold connections to it.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatIpv4, parseCidr } from '../../src/model/cidr.ts';
import { endpointOf, isPublicAddress, parseAllowedHost } from '../../src/model/public-address.ts';

const closed = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
];

test('no address of a closed block is public, as IPv4 or wrapped into IPv6', () => {
  fc.assert(
    fc.property(fc.constantFrom(...closed), fc.nat(), (block, offset) => {
      const range = parseCidr(block);
      assert.ok(range);
      const value = range.first + (offset % range.count);
      const address = formatIpv4(value);
      const groups = `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
      for (const form of [
        address,
        `::ffff:${address}`,
        `::ffff:${groups}`,
        `64:ff9b::${address}`,
        `2002:${groups}::1`,
      ]) {
        assert.equal(isPublicAddress(form), false, form);
      }
    }),
  );
});

test('addresses of the open internet are public', () => {
  for (const address of [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '2606:4700::1111',
    '::ffff:1.1.1.1',
  ]) {
    assert.equal(isPublicAddress(address), true, address);
  }
});

test('what is no address is not public', () => {
  for (const text of ['', 'localhost', '1', '127.1', '0x7f.0.0.1', 'fe80::1%eth0', '1.1.1.1 ']) {
    assert.equal(isPublicAddress(text), false, text);
  }
});

test('an endpoint has its port written out, and an allowed host is read into the same form', () => {
  assert.equal(endpointOf(new URL('https://a.example/x')), 'a.example:443');
  assert.equal(endpointOf(new URL('http://a.example/x')), 'a.example:80');
  assert.equal(endpointOf(new URL('http://[::1]:8080/x')), '[::1]:8080');
  assert.deepEqual(parseAllowedHost('A.example:80'), ['a.example:80']);
  assert.deepEqual(parseAllowedHost('[::1]:443'), ['[::1]:443']);
  // Without a port, those of both schemes.
  assert.deepEqual(parseAllowedHost('A.example'), ['a.example:80', 'a.example:443']);
  assert.deepEqual(parseAllowedHost('[::1]'), ['[::1]:80', '[::1]:443']);
  for (const text of [
    '',
    '::1',
    'a.example:',
    'http://a.example',
    'http://a.example:80',
    'a:b@c:80',
    'a.example:99999',
    'a b:80',
    'a:80/x',
  ]) {
    assert.throws(() => parseAllowedHost(text), /write HOST:PORT/, text);
  }
});
