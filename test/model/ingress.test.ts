// Names of HTTPS ports: one for each, that a certificate can be made for, and that leads a browser to the right port.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { checkIngressDomain, ingressName, ingressUrl } from '../../src/model/ingress.ts';

const port = fc.integer({ min: 1, max: 65_535 });
const instanceId = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);

test('every port of every instance has a name of its own, which DNS takes', () => {
  fc.assert(
    fc.property(instanceId, port, instanceId, port, (id, one, otherId, other) => {
      const [name, otherName] = [
        ingressName(id, one, 'apps.example.com'),
        ingressName(otherId, other, 'apps.example.com'),
      ];
      assert.equal(name === otherName, one === other && id.slice(2, 18) === otherId.slice(2, 18));
      assert.match(name, /^[a-z0-9-]{1,63}\.apps\.example\.com$/);
      assert.equal(checkIngressDomain(name, 'name'), name);
    }),
  );
});

test('an address says its port unless browsers know it', () => {
  const id = `0x0123456789abcdef${'0'.repeat(24)}`;
  const standard = ingressUrl(id, 8080, { domain: 'apps.example.com', port: 443 });
  assert.equal(standard, 'https://8080-0123456789abcdef.apps.example.com/');
  assert.equal(new URL(standard).port, '');
  const other = ingressUrl(id, 80, { domain: 'localhost', port: 8443 });
  assert.equal(other, 'https://80-0123456789abcdef.localhost:8443/');
  assert.equal(new URL(other).href, other);
});

test('a domain is taken in any case and with the dot at its end, and kept in one form', () => {
  assert.equal(checkIngressDomain('Apps.Example.COM.', 'domain'), 'apps.example.com');
  assert.equal(checkIngressDomain('localhost', 'domain'), 'localhost');
});

test('what is no domain is refused', () => {
  const label = 'a'.repeat(64);
  for (const text of [
    '',
    '.',
    'a..b',
    '-a.example',
    'a-.example',
    'a_b.example',
    '*.example.com',
    `${label}.example`,
  ]) {
    assert.throws(() => checkIngressDomain(text, 'domain'), isRefusal, text);
  }
  for (const text of [
    'example.com:443',
    'https://example.com',
    'exa mple.com',
    'bücher.example',
    'a.b\n',
    'x.'.repeat(101),
  ]) {
    assert.throws(() => checkIngressDomain(text, 'domain'), isRefusal, text);
  }
});

const isRefusal = (error: unknown) =>
  error instanceof BerthError && error.code === 'invalid_value' && error.subject === 'domain';
