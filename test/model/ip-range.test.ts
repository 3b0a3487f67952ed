import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addressFromHardware,
  capacityOf,
  formatIp,
  formatRange,
  gatewayOf,
  isInRange,
  parseIp,
  parseIpRange,
  whyReserved,
} from '../../src/model/ip-range.ts';

const range = (text: string) => parseIpRange(text, 'ip_range');
const ip = (text: string) => parseIp(text) ?? assert.fail(`${text} is no address`);

test('a range is read with whatever stands beyond its prefix, and written without it', () => {
  assert.equal(formatRange(range('192.168.1.1/24')), '192.168.1.0/24');
  assert.equal(formatRange(range('2001:DB8:5:0:1::9/64')), '2001:db8:5::/64');
});

test('what is no range, or one of a size that is no use, is refused by the name of its field', () => {
  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0/24',
    '10.0.0.0/24/1',
    '10.0.0.0/33',
    '10.0.0.0/31',
    '1.0.0.0/7',
  ]) {
    assert.throws(() => range(text), { code: 'invalid_value', subject: 'ip_range' }, text);
  }
  for (const text of ['2001:db8::/48', '2001:db8::/65', 'fe80::1%eth0/64', '::g/64']) {
    assert.throws(() => range(text), { code: 'invalid_value' }, text);
  }
});

test('every notation of an address is the same number, which is written in the normal form', () => {
  for (const text of ['::', '::1', '2001:db8::', '2001:db8::1:0:0:1', 'fd00::ff:fe00:0', '1:2:3:4:5:6:7:8']) {
    assert.equal(formatIp(6, ip(text).value), text);
  }
  assert.equal(ip('2001:0DB8:0000:0000:0000:0000:0000:0001').value, ip('2001:db8::1').value);
  assert.equal(formatIp(4, ip('10.0.0.255').value), '10.0.0.255');
  for (const text of ['', '10.0.0', '010.0.0.1', '10.0.0.256', ':::', 'fe80::1%lo', 'localhost']) {
    assert.equal(parseIp(text), null, text);
  }
});

test('the addresses of the network, of its gateway and of all are nobody’s', () => {
  const private4 = range('10.5.0.0/29');
  assert.equal(gatewayOf(private4), '10.5.0.1');
  assert.equal(capacityOf(private4), 5n);
  const free = [0, 1, 2, 3, 4, 5, 6, 7].filter((last) => whyReserved(private4, ip(`10.5.0.${last}`)) === null);
  assert.deepEqual(free, [2, 3, 4, 5, 6]);
  assert.equal(isInRange(private4, ip('10.5.0.7')), true);
  assert.equal(isInRange(private4, ip('10.5.0.8')), false);

  const private6 = range('2001:db8:5::/64');
  assert.equal(gatewayOf(private6), '2001:db8:5::1');
  assert.match(whyReserved(private6, ip('2001:db8:5::')) ?? '', /network/);
  assert.match(whyReserved(private6, ip('2001:db8:5::1')) ?? '', /gateway/);
  assert.equal(whyReserved(private6, ip('2001:db8:5::2')), null);
  assert.equal(isInRange(private6, ip('2001:db8:5:1::2')), false);
  assert.equal(isInRange(private6, ip('10.5.0.2')), false);
});

test('an address out of a hardware address is the one that RFC 4291 gives, and can not be chosen', () => {
  const address = addressFromHardware(range('2001:db8:5::/64'), '52:54:00:0a:0b:0c');
  assert.equal(address, '2001:db8:5:0:5054:ff:fe0a:b0c');
  assert.match(whyReserved(range('2001:db8:5::/64'), ip(address)) ?? '', /hardware/);
});
