// Port rules: the list that passes is the list that was sent, and every fault is named with its place.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BerthError } from '../../src/model/errors.ts';
import { checkPortRules, portRulesMax } from '../../src/model/port-rule.ts';

const rule = fc.record(
  {
    port: fc.oneof(fc.integer({ min: -2, max: 70_000 }), fc.constantFrom(0, 1, 22, 10250, 65535, 65536), fc.double()),
    protocol: fc.constantFrom('tcp', 'udp', 'icmp', ''),
  },
  { noNullPrototype: true },
);

test('a list passes exactly when each of its rules may and none stands twice', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 6 }), (rules) => {
      const each = rules.every(
        ({ port, protocol }) =>
          Number.isInteger(port) && port >= 1 && port <= 65535 && port !== 10250 && ['tcp', 'udp'].includes(protocol),
      );
      const once = new Set(rules.map(({ port, protocol }) => `${port}/${protocol}`)).size === rules.length;
      if (each && once) assert.deepEqual(checkPortRules(rules, 'ports'), rules);
      else assert.throws(() => checkPortRules(rules, 'ports'), BerthError);
    }),
    { numRuns: 2_000 },
  );
});

test('one port may be open for both protocols', () => {
  const rules = [
    { port: 53, protocol: 'tcp' },
    { port: 53, protocol: 'udp' },
  ];
  assert.deepEqual(checkPortRules(rules, 'ports'), rules);
});

test('as many as are allowed pass, one more does not', () => {
  const many = Array.from({ length: portRulesMax + 1 }, (_, index) => ({ port: index + 1, protocol: 'udp' }));
  assert.equal(checkPortRules(many.slice(1), 'ports').length, portRulesMax);
  assert.throws(() => checkPortRules(many, 'ports'), /51 entries; at most 50/);
});

test('a message names the place in the list', () => {
  const rules = [
    { port: 80, protocol: 'tcp' },
    { port: 70_000, protocol: 'tcp' },
  ];
  assert.throws(() => checkPortRules(rules, 'ports'), /ports\[1\]\.port is 70000/);
});
