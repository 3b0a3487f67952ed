// Placing one VM of any size: on hosts that have its discs' grades, and room for each of them where it would lie.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { additionalGibOf } from '../../src/model/constraints.ts';
import type { PricedVm } from '../../src/model/price.ts';
import { place } from '../../src/placement/place.ts';
import { placeVm } from '../../src/placement/place-vm.ts';
import { anyConstraints, anyHosts, configurations, datacenterOf, hardwareOf, hostOf, marketOf } from './support.ts';

const disk = (grade: string, gib: number) => ({ grade, sizeMib: gib * 1024 });
const vmOf = (...disks: PricedVm['disks']): PricedVm => ({ vcpus: 1, memoryMib: 1024, disks, addresses: 1 });

/** The host that a VM goes to, and how much of its default pool it takes there. */
function placed(hosts: Parameters<typeof marketOf>[0], vm: PricedVm, datacenter: string | null = null) {
  const { placements, size } = placeVm(marketOf(hosts), { vm, datacenter });
  return placements.map(({ host, apartGrades }) => [host.id, size?.diskGib, apartGrades]);
}

test('a host is taken that has the grades of all discs, by what its storage is or by what it says', () => {
  const turning = hostOf('turning', { hardware: hardwareOf('Zen', '4', 'HDD') });
  assert.deepEqual(placed([turning], vmOf(disk('sata', 10), disk('archive', 10))), [['turning', 20, []]]);
  assert.deepEqual(placed([turning], vmOf(disk('ssd', 10))), []);
  const both = { ...turning, id: 'both', grades: { own: ['sata', 'archive'], apart: ['ssd'] } };
  assert.deepEqual(placed([turning, both], vmOf(disk('ssd', 10))), [['both', 0, ['ssd']]]);
  const narrow = { ...hostOf('narrow'), grades: { own: ['sata'], apart: [] } };
  assert.deepEqual(placed([narrow], vmOf(disk('ssd', 10))), []);
});

test('discs of a grade that is set apart take nothing of the default pool, whatever it is good for', () => {
  const free = { vcpus: 8, memoryMib: 16 * 1024, diskGib: 20 };
  const grades = { own: ['sata', 'ssd', 'archive'], apart: ['ssd'] };
  const host = hostOf('host', { free, grades });
  assert.deepEqual(placed([host], vmOf(disk('sata', 20), disk('ssd', 500))), [['host', 20, ['ssd']]]);
  assert.deepEqual(placed([host], vmOf(disk('sata', 21), disk('ssd', 1))), []);
  assert.deepEqual(placed([{ ...host, grades: { ...grades, apart: [] } }], vmOf(disk('sata', 20), disk('ssd', 1))), []);
});

test('a VM without a disc goes anywhere, and one for a datacenter goes there', () => {
  const full = hostOf('full', { free: { vcpus: 1, memoryMib: 1024, diskGib: 0 } });
  const polish = hostOf('polish', { datacenter: datacenterOf('PL') });
  assert.deepEqual(placed([full], vmOf()), [['full', 0, []]]);
  assert.deepEqual(placed([full, polish], vmOf(disk('sata', 1)), 'pl-abc-1'), [['polish', 1, []]]);
  assert.deepEqual(placed([polish], vmOf(disk('sata', 1)), 'de-abc-1'), []);
});

test('VMs of a configuration’s size find as many places under constraints, at the same prices, as the configuration does', () => {
  let found = 0;
  fc.assert(
    fc.property(
      anyHosts,
      anyConstraints,
      fc.constantFrom(...configurations),
      fc.integer({ min: 1, max: 10 }),
      (...given) => {
        const [hosts, asked, configuration, count] = given;
        const market = marketOf(hosts);
        const constraints = { ...asked, configuration: configuration.slug, vcpusMin: null, memoryMibMin: null };
        const { vcpus, memoryMib, diskGib } = configuration.size;
        const vm = { vcpus, memoryMib, addresses: 1, disks: [disk('sata', diskGib + additionalGibOf(constraints))] };
        const [one, other] = [
          placeVm(market, { vm, datacenter: null, constraints, count }),
          place(market, { constraints, count }),
        ];
        const totalOf = ({ placements }: typeof one) =>
          placements.reduce((sum, share) => sum + share.price * BigInt(share.count), 0n);
        assert.deepEqual([one.placed, totalOf(one)], [other.placed, totalOf(other)]);
        found += one.placed;
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(found > 100, `only ${found} places were found`);
});

test('of several VMs that are alike each host takes what its default pool has room for', () => {
  const free = { vcpus: 8, memoryMib: 16 * 1024, diskGib: 25 };
  const apart = hostOf('apart', { free, grades: { own: ['sata'], apart: ['ssd'] } });
  const own = hostOf('own', { free, grades: { own: ['sata', 'ssd'], apart: [] } });
  const vm = vmOf(disk('sata', 10), disk('ssd', 5));
  const { placements, placed: count } = placeVm(marketOf([apart, own]), { vm, datacenter: null, count: 5 });
  const counts = Object.fromEntries(placements.map((share) => [share.host.id, share.count]));
  assert.deepEqual([count, counts], [3, { apart: 2, own: 1 }]);
});
