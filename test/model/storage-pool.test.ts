// Storage pools: how an operator writes one, what each kind of storage may be sold as, and which pool takes a disk.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextLabel } from '../../src/model/disk.ts';
import { gradesOf, type Pool, parsePool, poolName, poolsFor, sells } from '../../src/model/storage-pool.ts';

test('a pool is written as its label, its directory and its grades', () => {
  assert.deepEqual(parsePool('fast=/mnt/nvme:ssd'), { label: 'fast', directory: '/mnt/nvme', grades: ['ssd'] });
  const odd = parsePool('a-1=/srv/x:y=z:sata,archive');
  assert.deepEqual(odd, { label: 'a-1', directory: '/srv/x:y=z', grades: ['sata', 'archive'] });
  for (const [text, why] of [
    ['', /has no label/],
    ['=/mnt:ssd', /has no label/],
    ['default=/mnt:ssd', /has no label/],
    ['Fast=/mnt:ssd', /has no label/],
    [`${'x'.repeat(33)}=/mnt:ssd`, /has no label/],
    ['fast=mnt:ssd', /has no directory/],
    ['fast=/mnt', /has no label/],
    ['fast=/mnt:', /has no grades: sata, ssd, archive/],
    ['fast=/mnt:ssd,tape', /has no grades/],
  ] as const) {
    assert.throws(() => parsePool(text), why, text);
  }
});

test('a disk that turns is not sold as one that does not', () => {
  assert.deepEqual(gradesOf('HDD'), ['sata', 'archive']);
  for (const type of ['SSD', 'NVMe'] as const) assert.deepEqual(gradesOf(type), ['sata', 'ssd', 'archive']);
});

test('what is set apart for a grade takes its disks, the pool with the most room first; all others go to the default pool', () => {
  const pool = (label: string, freeGib: number, grades: string[]): Pool => {
    return { id: 1n, label, grades, freeGib, storageType: 'SSD' };
  };
  const pools = [
    pool('default', 1_000, ['sata', 'ssd', 'archive']),
    pool('small', 10, ['ssd']),
    pool('big', 20, ['ssd', 'archive']),
  ];
  const labels = (grade: string) => poolsFor(pools, grade).map(({ label }) => label);
  assert.deepEqual(labels('ssd'), ['big', 'small']);
  assert.deepEqual(labels('archive'), ['big']);
  assert.deepEqual(labels('sata'), ['default']);
  assert.deepEqual(labels('tape'), []);
  assert.ok(sells({ own: ['sata'], apart: ['ssd'] }, ['sata', 'ssd']));
  assert.ok(!sells({ own: ['sata'], apart: ['ssd'] }, ['sata', 'archive']));
});

test('a pool is called after its host, and its disks are labelled on from those that are there', () => {
  assert.equal(poolName('head-1', 'default'), 'head-1');
  assert.equal(poolName('head-1', 'fast'), 'head-1-fast');
  assert.equal(nextLabel([]), 'disc-1');
  assert.equal(nextLabel(['root']), 'disc-2');
  assert.equal(nextLabel(['disc-1', 'disk-7', 'data']), 'disc-8');
});
