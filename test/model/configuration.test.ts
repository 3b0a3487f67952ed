// Configurations: the slug says the size, and nothing else is a slug.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareSizes, parseConfiguration } from '../../src/model/configuration.ts';

const size = fc.record({
  vcpus: fc.integer({ min: 1, max: 9_999 }),
  memoryGib: fc.integer({ min: 1, max: 99_999 }),
  diskGib: fc.integer({ min: 1, max: 999_999 }),
});

test('a slug says its size', () => {
  fc.assert(
    fc.property(size, ({ vcpus, memoryGib, diskGib }) => {
      const slug = `cpu-${vcpus}-ram-${memoryGib}gb-storage-${diskGib}gb`;
      assert.deepEqual(parseConfiguration(slug), { vcpus, memoryMib: memoryGib * 1024, diskGib });
    }),
  );
});

test('what is no slug is none', () => {
  const texts = [
    '',
    'cpu-0-ram-1gb-storage-1gb',
    'cpu-01-ram-1gb-storage-1gb',
    'cpu-1-ram-1gb-storage-1gb\n',
    'cpu-1-ram-1GB-storage-1gb',
    'cpu-1-ram-1.5gb-storage-1gb',
    'cpu--1-ram-1gb-storage-1gb',
    'xcpu-1-ram-1gb-storage-1gb',
    'cpu-99999-ram-1gb-storage-1gb',
  ];
  for (const text of texts) assert.equal(parseConfiguration(text), null, text);
});

test('sizes are ordered by cores, then memory, then storage', () => {
  const sizes = [
    'cpu-1-ram-1gb-storage-5gb',
    'cpu-1-ram-1gb-storage-25gb',
    'cpu-1-ram-2gb-storage-5gb',
    'cpu-2-ram-1gb-storage-5gb',
  ].flatMap((slug) => parseConfiguration(slug) ?? []);
  fc.assert(
    fc.property(fc.shuffledSubarray(sizes, { minLength: sizes.length }), (shuffled) => {
      assert.deepEqual(shuffled.toSorted(compareSizes), sizes);
    }),
  );
});
