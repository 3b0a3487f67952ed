// Privileges: what each level reaches, who may change whose, and on which terms one holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  clusterLevelOf,
  type Grant,
  may,
  mayAs,
  mayChange,
  type PrivilegeLevel,
  privilegeLevels,
  sightOf,
} from '../../src/model/privilege.ts';
import { holdsFor, holdsFrom, type PrivilegeTerms, parseAddresses } from '../../src/model/privilege-terms.ts';

const account: Grant = { level: 'account_admin', accountId: 'a' };
const group: Grant = { level: 'group_admin', accountId: 'a', groupId: 1n };
const vm: Grant = { level: 'vm_admin', accountId: 'a', groupId: 1n, instanceId: 'i' };
const console: Grant = { ...vm, level: 'vm_console' };
const cluster: Grant = { level: 'cluster_admin' };
const top: Grant = { level: 'cluster_su' };

const inA = { accountId: 'a' };
const inGroup = { accountId: 'a', groupId: 1n };
const onVm = { accountId: 'a', groupId: 1n, instanceId: 'i' };
const elsewhere = [
  { accountId: 'b' },
  { accountId: 'a', groupId: 2n },
  { accountId: 'a', groupId: 1n, instanceId: 'j' },
];

test('a grant holds on its object and what is in it, at its level and below', () => {
  for (const [grant, inside, outside] of [
    [account, [inA, inGroup, onVm, ...elsewhere.slice(1)], [{ accountId: 'b' }]],
    [group, [inGroup, onVm, elsewhere[2]], [inA, elsewhere[0], elsewhere[1]]],
    [vm, [onVm], [inA, inGroup, ...elsewhere]],
    [cluster, [inA, inGroup, onVm, ...elsewhere], []],
  ] as const) {
    for (const place of inside)
      if (place) assert.ok(may([grant], 'vm_console', place), `${grant.level} in ${JSON.stringify(place, String)}`);
    for (const place of outside) if (place) assert.ok(!may([grant], 'vm_console', place), grant.level);
  }
  assert.ok(!may([console], 'vm_admin', onVm));
  assert.ok(!may([group], 'account_admin', inGroup));
});

test('nobody changes what is as high as his own', () => {
  const levels: Grant[] = [console, vm, group, account, cluster, top];
  for (const [index, grant] of levels.entries()) {
    for (const [other, held] of levels.entries()) {
      assert.equal(mayChange([grant], held), index > other, `${grant.level} changes ${held.level}`);
    }
  }
  assert.ok(!mayChange([{ ...account, accountId: 'b' }], group));
  assert.ok(!mayChange([{ ...group, groupId: 2n }], vm));
});

test('what is held on the cluster needs a level of the cluster', () => {
  assert.ok(mayAs([top], 'cluster_admin', {}));
  assert.ok(!mayAs([account], 'vm_console', {}));
  assert.deepEqual(
    [[], [account], [cluster], [cluster, top, account]].map((grants) => clusterLevelOf(grants)),
    [null, null, 'cluster_admin', 'cluster_su'],
  );
});

test('what grants let see is what they are held on, and everything with a level of the cluster', () => {
  assert.deepEqual(sightOf([account, group, vm]), { accountIds: ['a'], groupIds: [1n], instanceIds: ['i'] });
  assert.equal(sightOf([vm, cluster]), 'everything');
});

test('more grants never take away what fewer gave', () => {
  const level = fc.constantFrom<PrivilegeLevel>(...privilegeLevels);
  const grant = fc.constantFrom(account, group, vm, console, cluster, top);
  const place = fc.constantFrom(inA, inGroup, onVm, ...elsewhere);
  fc.assert(
    fc.property(fc.array(grant), grant, level, place, (grants, more, needed, where) => {
      if (may(grants, needed, where)) assert.ok(may([...grants, more], needed, where));
    }),
  );
});

const free: PrivilegeTerms = {
  passwordRequired: false,
  secondFactorRequired: false,
  secondFactorAgeSecondsMax: null,
  fromAddresses: null,
};
const now = new Date('2026-03-01T12:00:00Z');
const shown = { factors: ['password'] as const, authenticatedAt: now, from: '192.0.2.7' };

test('a privilege holds for who has shown what it needs, and while that is fresh', () => {
  const strict = { ...free, secondFactorRequired: true, secondFactorAgeSecondsMax: 60 };
  const later = new Date(now.getTime() + 61_000);
  assert.ok(holdsFor(free, { ...shown, factors: [] }, now));
  assert.ok(!holdsFor({ ...free, passwordRequired: true }, { ...shown, factors: [] }, now));
  assert.ok(holdsFor({ ...free, passwordRequired: true }, { ...shown, factors: ['password', 'impersonated'] }, now));
  assert.ok(!holdsFor(strict, shown, now));
  for (const factor of ['2fa', 'yubikey'] as const) {
    const both = { ...shown, factors: ['password', factor] as const };
    assert.ok(holdsFor(strict, both, now));
    assert.ok(!holdsFor(strict, both, later));
    assert.ok(holdsFor({ ...strict, secondFactorAgeSecondsMax: null }, both, later));
  }
});

test('a privilege holds from the addresses that it is bound to, of either family', () => {
  const from = (ranges: string, address: string) =>
    holdsFrom({ ...free, fromAddresses: parseAddresses(ranges) }, address);
  assert.ok(from('192.0.2.0/24', '192.0.2.255'));
  assert.ok(from('198.51.100.1 192.0.2.7', '192.0.2.7'));
  assert.ok(from('192.0.2.7', '::ffff:192.0.2.7'));
  assert.ok(from('2001:db8::/32', '2001:db8:1::1'));
  assert.ok(from('0.0.0.0/0', '203.0.113.1'));
  assert.ok(!from('192.0.2.0/25', '192.0.2.200'));
  assert.ok(!from('192.0.2.0/24', '2001:db8::1'));
  assert.ok(!from('192.0.2.0/24', ''));
});

test('only addresses and ranges are read as such', () => {
  assert.deepEqual(parseAddresses(' 192.0.2.1,\n2001:db8::/48 '), ['192.0.2.1', '2001:db8::/48']);
  assert.deepEqual(parseAddresses(''), []);
  for (const wrong of [
    'x',
    '1.2.3',
    '1.2.3.4/33',
    '::1/129',
    '1.2.3.4/',
    '1.2.3.4/1/2',
    'fe80::1%eth0',
    '1.2.3.4/-1',
  ]) {
    assert.equal(parseAddresses(wrong), null, wrong);
  }
  assert.equal(parseAddresses(Array.from({ length: 51 }, () => '192.0.2.1').join()), null);
});
