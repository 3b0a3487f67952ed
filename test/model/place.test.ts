// Placement, on many small worlds: never more than is free, as many as fit, the cheapest first, and a reason for every no.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pricePerEpoch } from '../../src/model/price.ts';
import { type Candidate, place, type Wanted } from '../../src/placement/place.ts';

const now = new Date('2026-01-01T00:00:00Z');
const recently = new Date(now.getTime() - 1_000);
const longAgo = new Date(now.getTime() - 3_600_000);

const plain = { noNullPrototype: true };
const rates = fc.record(
  {
    vcpuMicroUsd: fc.bigInt({ min: 0n, max: 5n }),
    memoryGibMicroUsd: fc.bigInt({ min: 0n, max: 5n }),
    storageGibMicroUsd: fc.bigInt({ min: 0n, max: 5n }),
    publicIpMicroUsd: fc.bigInt({ min: 0n, max: 5n }),
  },
  plain,
);
const free = fc.record(
  {
    vcpus: fc.integer({ min: 0, max: 20 }),
    memoryMib: fc.integer({ min: 0, max: 20 }).map((gib) => gib * 1024),
    diskGib: fc.integer({ min: 0, max: 300 }),
  },
  plain,
);
const candidates = fc
  .array(
    fc.record(
      {
        rates,
        free,
        storageType: fc.constantFrom('SSD', 'NVMe'),
        lastSeenAt: fc.constantFrom(recently, recently, longAgo),
      },
      plain,
    ),
    { maxLength: 6 },
  )
  .map((hosts): Candidate[] => hosts.map((host, index) => ({ ...host, id: `h${index}` })));
const wanteds: fc.Arbitrary<Wanted> = fc.record({
  size: fc.record({
    vcpus: fc.integer({ min: 1, max: 8 }),
    memoryMib: fc.integer({ min: 1, max: 8 }).map((gib) => gib * 1024),
    diskGib: fc.integer({ min: 1, max: 100 }),
  }),
  count: fc.integer({ min: 1, max: 10 }),
  storageType: fc.constantFrom(null, 'NVMe', 'HDD'),
  maxPricePerEpoch: fc.option(fc.bigInt({ min: 0n, max: 200n })),
  seenSince: fc.constant(new Date(now.getTime() - 30_000)),
});

/** Told anew, and not by the code's own words: how many of the wanted size fit a host, 0 where it is out. */
function roomOf(host: Candidate, { size, storageType, maxPricePerEpoch, seenSince }: Wanted): number {
  if (host.lastSeenAt <= seenSince || (storageType !== null && host.storageType !== storageType)) return 0;
  if (maxPricePerEpoch !== null && pricePerEpoch(host.rates, size) > maxPricePerEpoch) return 0;
  let count = 0;
  while (
    (count + 1) * size.vcpus <= host.free.vcpus &&
    (count + 1) * size.memoryMib <= host.free.memoryMib &&
    (count + 1) * size.diskGib <= host.free.diskGib
  ) {
    count += 1;
  }
  return count;
}

test('as many are placed as are wanted or fit, and never more on a host than it has room for', () => {
  fc.assert(
    fc.property(candidates, wanteds, (hosts, wanted) => {
      const { placements, placed } = place(hosts, wanted);
      const rooms = new Map(hosts.map((host) => [host.id, roomOf(host, wanted)]));
      const room = [...rooms.values()].reduce((sum, count) => sum + count, 0);
      assert.equal(placed, Math.min(wanted.count, room));
      assert.equal(
        placements.reduce((sum, { count }) => sum + count, 0),
        placed,
      );
      assert.equal(new Set(placements.map(({ hostId }) => hostId)).size, placements.length);
      for (const { hostId, count } of placements) assert.ok(count > 0 && count <= (rooms.get(hostId) ?? 0));
    }),
    { numRuns: 2_000 },
  );
});

test('no dearer host is used while a cheaper one has room', () => {
  fc.assert(
    fc.property(candidates, wanteds, (hosts, wanted) => {
      const { placements } = place(hosts, wanted);
      const used = new Map(placements.map(({ hostId, count }) => [hostId, count]));
      const dearest = Math.max(-1, ...placements.map(({ price }) => Number(price)));
      for (const host of hosts) {
        const price = pricePerEpoch(host.rates, wanted.size);
        if (price < dearest) assert.equal(used.get(host.id) ?? 0, roomOf(host, wanted), host.id);
      }
      for (const { hostId, price } of placements) {
        const host = hosts.find(({ id }) => id === hostId);
        assert.ok(host && price === pricePerEpoch(host.rates, wanted.size));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('every host is either fit or rejected with a reason', () => {
  fc.assert(
    fc.property(candidates, wanteds, (hosts, wanted) => {
      const { rejected } = place(hosts, wanted);
      const out = hosts.filter((host) => roomOf(host, wanted) === 0).map(({ id }) => id);
      assert.deepEqual(rejected.map(({ hostId }) => hostId).toSorted(), out.toSorted());
      for (const { reason } of rejected) assert.ok(reason.length > 0);
    }),
  );
});

test('the outcome does not depend on the order of the candidates, and they are left as they were', () => {
  fc.assert(
    fc.property(candidates, wanteds, (hosts, wanted) => {
      const copy = structuredClone(hosts);
      const forward = place(hosts, wanted);
      const backward = place(hosts.toReversed(), wanted);
      assert.deepEqual(backward.placements, forward.placements);
      assert.deepEqual(hosts, copy);
    }),
  );
});

test('of hosts of one price the fullest that fits is taken, so that room for large ones stays', () => {
  const host = (id: string, vcpus: number): Candidate => ({
    id,
    rates: { vcpuMicroUsd: 1n, memoryGibMicroUsd: 1n, storageGibMicroUsd: 1n, publicIpMicroUsd: 1n },
    storageType: 'SSD',
    free: { vcpus, memoryMib: 1 << 20, diskGib: 10_000 },
    lastSeenAt: recently,
  });
  const wanted: Wanted = {
    size: { vcpus: 2, memoryMib: 1024, diskGib: 5 },
    count: 3,
    storageType: null,
    maxPricePerEpoch: null,
    seenSince: longAgo,
  };
  const { placements } = place([host('large', 16), host('small', 5), host('tiny', 1)], wanted);
  assert.deepEqual(
    placements.map(({ hostId, count }) => [hostId, count]),
    [
      ['small', 2],
      ['large', 1],
    ],
  );
});
