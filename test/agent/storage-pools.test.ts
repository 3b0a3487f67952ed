import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { StoragePools } from '../../src/agent/disk/pools.ts';
import { defaultPoolLabel } from '../../src/model/storage-pool.ts';

test('a new pool gets one mark, also when many want it at once, and is the same pool for the next agent', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-test-pools-'));
  try {
    const fast = { label: 'fast', directory: join(directory, 'elsewhere') };
    const first = new StoragePools(directory, [fast]);
    const wanted = Array.from({ length: 20 }, (_, index) => first.directoryOf(index % 2 ? 'fast' : defaultPoolLabel));
    assert.equal(new Set(await Promise.all(wanted)).size, 2);
    const next = new StoragePools(directory, [fast]);
    assert.equal(await next.directoryOf('fast'), await wanted[1]);
    assert.equal(await next.directoryOf(defaultPoolLabel), await wanted[0]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
