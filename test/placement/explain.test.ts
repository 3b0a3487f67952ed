import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { additionalGibOf, type Constraints, noConstraints } from '../../src/model/constraints.ts';
import { explain, type Relaxable, type Relaxation } from '../../src/placement/explain.ts';
import { place } from '../../src/placement/place.ts';
import { turnedDownAlone } from '../../src/placement/turned-down.ts';
import { anyConstraints, anyHosts, configurations, datacenterOf, hostOf, marketOf } from './support.ts';

test('every suggestion, asked for again, is placed at exactly the price it named', () => {
  let suggestions = 0;
  fc.assert(
    fc.property(anyHosts, anyConstraints, fc.integer({ min: 1, max: 10 }), (hosts, constraints, count) => {
      const market = marketOf(hosts);
      if (place(market, { constraints, count }).placed === count) return;
      const { relaxations, removed, fitting, hosts: known } = explain(market, { constraints, count });
      assert.equal(
        removed.reduce((sum, one) => sum + one.hosts, fitting),
        known,
      );
      for (const one of relaxations) {
        suggestions += 1;
        const outcome = place(market, { constraints: one.constraints, count: one.instances });
        assert.equal(outcome.placed, one.instances);
        const prices = outcome.placements.flatMap((share) => Array.from({ length: share.count }, () => share.price));
        assert.equal(
          prices.reduce((sum, price) => sum + price, 0n),
          one.totalPrice,
        );
        assert.ok(prices.includes(one.maxPrice) && prices.every((price) => price <= one.maxPrice));
        assert.ok(one.changed.length > 0);
      }
    }),
    { numRuns: 2_000 },
  );
  assert.ok(suggestions > 500, `only ${suggestions} suggestions were tried`);
});

/** A request with one more step back towards what was asked for, of each part that gave way by more than was left out. */
function* lessRelaxed(asked: Constraints, count: number, { constraints: given, changed, instances }: Relaxation) {
  if (changed.includes('instances')) yield { part: 'instances', constraints: given, count: instances + 1 };
  const max = given.maxPricePerEpoch;
  if (changed.includes('maxPricePerEpoch') && max !== null) {
    yield { part: 'maxPricePerEpoch', constraints: { ...given, maxPricePerEpoch: max - 1n }, count: instances };
  }
  for (const part of ['vcpusMin', 'memoryMibMin'] as const) {
    const [least, before] = [given[part] ?? 0, asked[part] ?? 0];
    assert.ok(!changed.includes(part) || least < before);
    if (changed.includes(part)) yield { part, constraints: { ...given, [part]: least + 1 }, count: instances };
  }
  if (changed.includes('additionalStorage')) {
    const gib = additionalGibOf(given) + 1;
    const more = [{ type: asked.additionalStorage[0]?.type ?? null, gib }];
    assert.ok(gib <= additionalGibOf(asked));
    yield { part: 'additionalStorage', constraints: { ...given, additionalStorage: more }, count: instances };
  }
  const { configuration } = given;
  if (changed.includes('configuration') && configuration !== null) {
    const slugs = configurations.map(({ slug }) => slug);
    const index = slugs.indexOf(asked.configuration ?? '');
    // The nearest below comes first, then the nearest above; the largest where none is sold by that name.
    const nearest = index === -1 ? slugs.toReversed() : [...slugs.slice(0, index).reverse(), ...slugs.slice(index + 1)];
    for (const slug of nearest.slice(0, nearest.indexOf(configuration))) {
      yield { part: 'configuration', constraints: { ...given, configuration: slug }, count: instances };
    }
  }
  assert.ok(instances <= count);
}

/** A request without any of some of its parts. */
function without({ constraints, count }: { constraints: Constraints; count: number }, parts: readonly Relaxable[]) {
  const open = { ...constraints } as Record<string, unknown>;
  for (const part of parts) open[part] = Array.isArray(open[part]) ? [] : null;
  return { constraints: open as unknown as Constraints, count: parts.includes('instances') ? 1 : count };
}

test('no suggestion gives way by more than it has to, and none with fewer changes would do', () => {
  const steps = new Map<string, number>();
  fc.assert(
    fc.property(anyHosts, anyConstraints, fc.integer({ min: 1, max: 10 }), (hosts, constraints, count) => {
      const market = marketOf(hosts);
      if (place(market, { constraints, count }).placed === count) return;
      const { relaxations } = explain(market, { constraints, count });
      for (const one of relaxations) {
        for (const step of lessRelaxed(constraints, count, one)) {
          steps.set(step.part, (steps.get(step.part) ?? 0) + 1);
          const { placed } = place(market, step);
          assert.ok(placed < step.count, `${step.part} need not give way so far: ${JSON.stringify(one.changed)}`);
        }
        // Whatever of its changes is left out, the others alone do not help however far they give way.
        for (const part of one.changed) {
          const others = one.changed.filter((other) => other !== part);
          const tried = without({ constraints, count }, others);
          assert.ok(place(market, tried).placed < tried.count, `${part} need not give way at all`);
        }
      }
    }),
    { numRuns: 4_000 },
  );
  for (const part of [
    'instances',
    'maxPricePerEpoch',
    'vcpusMin',
    'memoryMibMin',
    'additionalStorage',
    'configuration',
  ]) {
    assert.ok((steps.get(part) ?? 0) > 20, `${part} gave way ${steps.get(part)} times`);
  }
});

test('it says how many hosts each constraint was the first to turn down', () => {
  const hosts = [
    hostOf('drained', { state: 'drained' }),
    hostOf('silent', { reachable: false }),
    hostOf('abroad', { datacenter: datacenterOf('FR') }),
    hostOf('abroad-too', { datacenter: null }),
    hostOf('full', { free: { vcpus: 0, memoryMib: 0, diskGib: 0 } }),
  ];
  const constraints = { ...noConstraints, countries: ['DE'], configuration: 'cpu-1-ram-1gb-storage-5gb' };
  const { removed, fitting } = explain(marketOf(hosts), { constraints, count: 1 });
  assert.equal(fitting, 0);
  assert.deepEqual(Object.fromEntries(removed.map((one) => [one.constraint, one.hosts])), {
    countries: 2,
    state: 1,
    reachable: 1,
    'free vCPUs': 1,
  });
});

test('it says how many hosts each constraint turns down by itself', () => {
  const hosts = [
    hostOf('drained', { state: 'drained' }),
    hostOf('abroad', { datacenter: datacenterOf('FR') }),
    hostOf('abroad-and-full', { datacenter: null, free: { vcpus: 0, memoryMib: 0, diskGib: 0 } }),
  ];
  const constraints = { ...noConstraints, countries: ['DE'], cities: ['XYZ'], maxPricePerEpoch: 1n };
  assert.deepEqual(Object.fromEntries(turnedDownAlone(marketOf(hosts), constraints)), {
    state: 1,
    countries: 2,
    cities: 2,
    maxPricePerEpoch: 2,
    'free vCPUs': 1,
  });
});

test('a minimum that no configuration reaches is lessened to the largest that there is', () => {
  const market = marketOf([hostOf('only')]);
  const [first] = explain(market, { constraints: { ...noConstraints, vcpusMin: 64 }, count: 1 }).relaxations;
  assert.deepEqual([first?.changed, first?.constraints.vcpusMin], [['vcpusMin'], 4]);
});

test('the smallest changes are told: the price to pay, the storage that fits, the country, fewer instances', () => {
  const market = marketOf([hostOf('only')]);
  const one = (changes: Partial<typeof noConstraints>, count = 1) => {
    const configuration = 'cpu-1-ram-1gb-storage-5gb';
    return explain(market, { constraints: { ...noConstraints, configuration, ...changes }, count }).relaxations;
  };
  assert.equal(one({ maxPricePerEpoch: 134_999n })[0]?.constraints.maxPricePerEpoch, 135_000n);
  assert.deepEqual(one({ additionalStorage: [{ type: 'NVMe', gib: 900 }] })[0]?.constraints.additionalStorage, [
    { type: 'NVMe', gib: 195 },
  ]);
  assert.deepEqual(one({ countries: ['FR'] })[0]?.constraints.countries, ['DE']);
  assert.equal(one({}, 10)[0]?.instances, 8);
  const both = one({ countries: ['FR'], maxPricePerEpoch: 1n });
  assert.deepEqual(both[0]?.changed.toSorted(), ['countries', 'maxPricePerEpoch']);
});

test('where nothing would help, nothing is suggested', () => {
  assert.deepEqual(explain(marketOf([]), { constraints: noConstraints, count: 1 }).relaxations, []);
});
