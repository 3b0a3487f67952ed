import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noConstraints } from '../../src/model/constraints.ts';
import { compareFree, type MarketHost, room } from '../../src/placement/market.ts';
import { type Placed, place } from '../../src/placement/place.ts';
import { cheapest, placesOn } from './brute-force.ts';
import { anyConstraints, anyHosts, configurations, hostOf, marketOf } from './support.ts';

const counts = fc.integer({ min: 1, max: 10 });
const smallest = { ...noConstraints, configuration: 'cpu-1-ram-1gb-storage-5gb' };
const sharesOf = ({ placements }: Placed) =>
  Object.fromEntries(placements.map(({ host, count }) => [host.id, count]).sort());

test('a request is placed exactly when the brute force finds room for it, at the lowest prices there are', () => {
  fc.assert(
    fc.property(anyHosts, anyConstraints, counts, (hosts, constraints, count) => {
      const outcome = place(marketOf(hosts), { constraints, count });
      const fitting = configurations.find(({ slug }) => cheapest(hosts, slug, constraints, count));
      if (!fitting) return assert.ok(outcome.placed < count);
      assert.equal(outcome.placed, count);
      assert.equal(outcome.configuration, fitting.slug);
      const prices = outcome.placements.flatMap((one) => Array.from({ length: one.count }, () => one.price));
      const lowest = cheapest(hosts, fitting.slug, constraints, count);
      assert.deepEqual(
        prices.toSorted((a, b) => Number(a - b)),
        lowest,
      );
    }),
    { numRuns: 2_000 },
  );
});

test('no host gets more than it has room for, whatever is picked among equals', () => {
  fc.assert(
    fc.property(anyHosts, anyConstraints, counts, fc.nat(), (hosts, constraints, count, chance) => {
      const pick = (among: number) => chance % among;
      const outcome = place(marketOf(hosts), { constraints, count, pick });
      assert.equal(new Set(outcome.placements.map(({ host }) => host.id)).size, outcome.placements.length);
      for (const { host, count: taken } of outcome.placements) {
        assert.ok(taken >= 1 && taken <= placesOn(host, outcome.configuration ?? '', constraints));
      }
      assert.equal(
        outcome.placements.reduce((sum, one) => sum + one.count, 0),
        outcome.placed,
      );
    }),
    { numRuns: 1_000 },
  );
});

test('of hosts at one price the fullest that fits is taken, so that the largest gap stays', () => {
  const hosts = [
    hostOf('empty', { free: { vcpus: 8, memoryMib: 8192, diskGib: 100 } }),
    hostOf('nearly-full', { free: { vcpus: 1, memoryMib: 2048, diskGib: 10 } }),
    hostOf('full', { free: { vcpus: 0, memoryMib: 2048, diskGib: 10 } }),
  ];
  assert.deepEqual(sharesOf(place(marketOf(hosts), { constraints: smallest, count: 1 })), { 'nearly-full': 1 });
});

test('a cheaper host is taken before a fuller one', () => {
  const cheap = {
    vcpuMicroUsd: 1n,
    memoryGibMicroUsd: 1n,
    storageGibMicroUsd: 1n,
    gradeGibMicroUsd: {},
    publicIpMicroUsd: 1n,
  };
  const hosts = [
    hostOf('full', { free: { vcpus: 1, memoryMib: 1024, diskGib: 5 } }),
    hostOf('cheap', { rates: cheap }),
  ];
  const outcome = place(marketOf(hosts), { constraints: smallest, count: 1 });
  assert.deepEqual(sharesOf(outcome), { cheap: 1 });
  assert.equal(outcome.placements[0]?.price, 8n);
});

test('the instances of one request are spread over equal hosts, and only over as many as are needed', () => {
  const equals = ['a', 'b', 'c'].map((id) => hostOf(id));
  assert.deepEqual(sharesOf(place(marketOf(equals), { constraints: smallest, count: 7 })), { a: 3, b: 2, c: 2 });
  assert.deepEqual(sharesOf(place(marketOf(equals), { constraints: smallest, count: 2 })), { a: 1, b: 1 });
});

test('equal hosts in different datacenters are spread over too', () => {
  const hosts = [hostOf('a'), hostOf('b', { datacenter: null })];
  assert.deepEqual(sharesOf(place(marketOf(hosts), { constraints: smallest, count: 4 })), { a: 2, b: 2 });
});

test('a host with a limit takes no more than that, and none at zero', () => {
  const market = marketOf([hostOf('a'), hostOf('b')]);
  const limits = new Map([['a', 1]]);
  assert.deepEqual(sharesOf(place(market, { constraints: smallest, count: 4, limits })), { a: 1, b: 3 });
  assert.equal(place(market, { constraints: smallest, count: 9, limits: new Map([['b', 0]]) }).placed, 8);
});

test('without a configuration the smallest is taken that has enough places, not the smallest that has any', () => {
  const hosts = [hostOf('only-large', { free: { vcpus: 8, memoryMib: 16_384, diskGib: 60 } })];
  const outcome = place(marketOf(hosts), { constraints: noConstraints, count: 2 });
  assert.equal(outcome.configuration, 'cpu-1-ram-1gb-storage-5gb');
  const short: MarketHost[] = [hostOf('a', { free: { vcpus: 0, memoryMib: 0, diskGib: 0 } })];
  assert.equal(place(marketOf(short), { constraints: noConstraints, count: 1 }).placed, 0);
});

test('a market that was changed step by step is the same as one made anew', () => {
  const changes = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.option(anyHosts, { freq: 5 })), { maxLength: 40 });
  fc.assert(
    fc.property(changes, anyConstraints, counts, (steps, constraints, count) => {
      const market = marketOf([]);
      const known = new Map<string, MarketHost>();
      for (const [index, hosts] of steps) {
        const id = `host-${index}`;
        const host = hosts?.[index];
        if (host) {
          market.set(host);
          known.set(host.id, host);
        } else {
          market.delete(id);
          known.delete(id);
        }
      }
      const anew = marketOf([...known.values()]);
      assert.deepEqual(summary(market), summary(anew));
      assert.equal(place(market, { constraints, count }).placed, place(anew, { constraints, count }).placed);
      for (const hostClass of market.classes()) {
        for (const { slug, size } of configurations) {
          const sum = hostClass.groups.reduce((total, one) => total + room(one.free, size) * one.hosts.size, 0);
          assert.equal(hostClass.available.get(slug) ?? 0, sum);
        }
        const free = hostClass.groups.map((one) => one.free);
        assert.ok(free.every((one, index) => index === 0 || compareFree(free[index - 1] ?? one, one) < 0));
      }
    }),
    { numRuns: 500 },
  );
});

const summary = (market: ReturnType<typeof marketOf>) =>
  [...market.classes()]
    .map(({ hosts, groups }) => `${hosts}: ${groups.map((one) => [...one.hosts.keys()].sort().join(',')).join(' ')}`)
    .sort();
