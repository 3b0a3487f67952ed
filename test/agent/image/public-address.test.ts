import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { DriverFailure } from '../../../src/agent/driver.ts';
import { AddressGuard, type Lookup } from '../../../src/agent/image/address-guard.ts';
import { isPublicAddress } from '../../../src/model/public-address.ts';

const closed = `0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1
  172.31.255.255 192.0.0.8 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1
  239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 0:0:0:0:0:ffff:a00:1
  ::ffff:0:127.0.0.1 fc00::1 fdff::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 100::1 64:ff9b::10.0.0.1 64:ff9b::7f00:1 64:ff9b:1::1
  2002:7f00:1:: 2002:a9fe:a9fe::1 2001::1 2001:db8::1 3fff::1 5f00::1 4000::1`.split(/\s+/);
const open = `1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.255.255 198.20.0.1
  223.255.255.255 2a00:1450:4001::1 2606:4700::1111 2001:4860:4860::8888 ::ffff:8.8.8.8 64:ff9b::8.8.8.8
  2002:808:808::1`.split(/\s+/);

test('an address is public only when the whole internet can reach it', () => {
  for (const address of closed) assert.equal(isPublicAddress(address), false, address);
  for (const address of open) assert.equal(isPublicAddress(address), true, address);
  for (const text of ['', 'localhost', '127.1', '1.2.3.4.5']) assert.equal(isPublicAddress(text), false, text);
});

const never: Lookup = () => assert.fail('a literal address is not looked up');

test('a literal address is refused before anything connects, in every notation that a URL can have', () => {
  const guard = new AddressGuard([], never);
  const hosts = `127.0.0.1 127.1 2130706433 0x7f000001 017700000001 0177.0.0.1 0 [::1] [::] [::ffff:127.0.0.1]
    [0:0:0:0:0:ffff:7f00:1] [::ffff:a9fe:a9fe] [64:ff9b::127.0.0.1] [2002:7f00:1::] 169.254.169.254 10.1 １２７.0.0.1`;
  for (const host of hosts.split(/\s+/)) {
    assert.throws(
      () => guard.lookupFor(new URL(`http://${host}/a.raw`)),
      (error) => error instanceof DriverFailure && error.code === 'image.address' && error.permanent,
      host,
    );
  }
});

test('an allowed host is allowed by name or address, and on its own port only', () => {
  const guard = new AddressGuard(['127.0.0.1:8080', '[::1]:443', 'mirror.example:80'], never);
  for (const url of ['http://127.0.0.1:8080/', 'http://127.1:8080/', 'https://[::1]/', 'https://[0::1]:443/']) {
    assert.doesNotThrow(() => guard.lookupFor(new URL(url)), url);
  }
  for (const url of ['http://127.0.0.1/', 'http://127.0.0.1:8081/', 'http://[::1]/', 'http://127.0.0.2:8080/']) {
    assert.throws(() => guard.lookupFor(new URL(url)), DriverFailure, url);
  }
});

/** What the guard's lookup hands to a connection for a name that leads to `addresses`. */
function resolve(allow: string[], url: string, addresses: string[], all: boolean): Promise<unknown> {
  const found: LookupAddress[] = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const guard = new AddressGuard(allow, (_hostname, _options, callback) => callback(null, found));
  return new Promise((done, fail) => {
    const target = new URL(url);
    guard.lookupFor(target)(target.hostname, { all }, (error, address) => (error ? fail(error) : done(address)));
  });
}

test('a name is judged by every address that it leads to', async () => {
  const refused = {
    code: 'image.address',
    message: /mirror\.example is at 10\.0\.0\.1, which is not a public address/,
  };
  for (const all of [true, false]) {
    await assert.rejects(resolve([], 'http://mirror.example/', ['10.0.0.1'], all), refused);
    await assert.rejects(resolve([], 'http://mirror.example/', ['8.8.8.8', '10.0.0.1'], all), refused);
    await assert.rejects(resolve(['mirror.example:81'], 'http://mirror.example/', ['10.0.0.1'], all), refused);
    await assert.rejects(resolve([], 'http://mirror.example/', [], all), { code: 'ENOTFOUND' });
  }
  assert.equal(await resolve([], 'http://mirror.example/', ['8.8.8.8', '1.1.1.1'], false), '8.8.8.8');
  assert.equal(await resolve(['mirror.example:80'], 'http://mirror.example/', ['10.0.0.1'], false), '10.0.0.1');
  const both = await resolve([], 'http://mirror.example/', ['8.8.8.8', '2606:4700::1111'], true);
  assert.deepEqual(both, [
    { address: '8.8.8.8', family: 4 },
    { address: '2606:4700::1111', family: 6 },
  ]);
});

test('an allowed host that is not HOST:PORT is said to be wrong', () => {
  for (const text of ['http://mirror.example:80', 'mirror.example:', ':80', 'a b:80', 'x:99999', '']) {
    assert.throws(() => new AddressGuard([text], never), /write HOST:PORT/, text);
  }
});
