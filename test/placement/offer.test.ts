import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { noConstraints } from '../../src/model/constraints.ts';
import { searchOffers, serversMax } from '../../src/placement/offer.ts';
import { placesOn, priceOn } from './brute-force.ts';
import { anyConstraints, anyHosts, configurations, hostOf, marketOf } from './support.ts';

const all = 1_000;

test('a search finds exactly the configurations and prices at which some host has room', () => {
  fc.assert(
    fc.property(anyHosts, anyConstraints, (hosts, constraints) => {
      const offers = searchOffers(marketOf(hosts), constraints, 0, all);
      const found = new Set(offers.map(({ configuration, price }) => `${configuration} ${price}`));
      const base = { ...constraints, additionalStorage: [] };
      const expected = new Set(
        hosts.flatMap((host) =>
          configurations
            .filter(({ slug }) => placesOn(host, slug, constraints) > 0)
            .map(({ slug }) => `${slug} ${priceOn(host, slug, base)}`),
        ),
      );
      assert.deepEqual(found, expected);
    }),
    { numRuns: 1_000 },
  );
});

test('the prices of an offer’s resources add up to its price', () => {
  fc.assert(
    fc.property(anyHosts, (hosts) => {
      for (const { price, resources } of searchOffers(marketOf(hosts), noConstraints, 0, all)) {
        assert.equal(resources.vcpu + resources.memory + resources.storage + resources.publicIp, price);
      }
    }),
  );
});

test('the servers of all offers of a configuration have as many places as there are hosts and room', () => {
  fc.assert(
    fc.property(anyHosts, (hosts) => {
      const offers = searchOffers(marketOf(hosts), noConstraints, 0, all);
      for (const { slug } of configurations) {
        const offered = offers
          .filter(({ configuration }) => configuration === slug)
          .flatMap(({ servers }) => servers.map(({ available }) => available));
        const places = hosts.map((host) => placesOn(host, slug, noConstraints)).filter((count) => count > 0);
        assert.deepEqual(offered.sort(), places.sort());
      }
    }),
  );
});

test('offers come cheapest first, and pages follow each other without a gap', () => {
  fc.assert(
    fc.property(anyHosts, fc.integer({ min: 1, max: 5 }), (hosts, perPage) => {
      const market = marketOf(hosts);
      const offers = searchOffers(market, noConstraints, 0, all);
      assert.ok(offers.every((offer, index) => index === 0 || (offers[index - 1]?.price ?? 0n) <= offer.price));
      const pages = [];
      for (let offset = 0; offset < offers.length; offset += perPage) {
        pages.push(...searchOffers(market, noConstraints, offset, perPage));
      }
      assert.deepEqual(pages, offers);
    }),
  );
});

test('an offer lists a bounded number of servers, and says how much more storage one instance could have', () => {
  const hosts = Array.from({ length: serversMax + 5 }, (_, index) => hostOf(`host-${index}`));
  hosts.push(hostOf('larger', { free: { vcpus: 9, memoryMib: 16_384, diskGib: 500 } }));
  const constraints = { ...noConstraints, configuration: 'cpu-1-ram-1gb-storage-5gb' };
  const [offer] = searchOffers(marketOf(hosts), constraints, 0, all);
  assert.equal(offer?.servers.length, serversMax);
  assert.equal(offer?.additionalGib, 495);
  const [limited] = searchOffers(marketOf([hostOf('limited', { additionalGibMax: 30 })]), constraints, 0, all);
  assert.equal(limited?.additionalGib, 30);
});
