// The agent's memory under simultaneous changes: an order that arrives while the worker notes how far it came.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type InstanceRecord, Records } from '../../src/agent/record.ts';

const id = `0x${'7'.repeat(40)}`;

function recordOf(generation: number, sshKeys: string[]): InstanceRecord {
  const vm = {
    hostname: 'a',
    vcpus: 1,
    memoryMib: 1024,
    image: { url: 'https://example.com/a.qcow2', imaging: 1 },
    disks: [{ id: 'd', sizeMib: 5120 }],
    bootNumber: 1,
    autoreboot: false,
    sshKeys,
  };
  const assignment = {
    instanceId: id,
    generation,
    desired: 'running' as const,
    vm: { ...vm, address: '127.44.0.1', portRules: [] },
  };
  return { assignment, ran: false, failure: null, restarts: 0, goneAt: null };
}

test('changes of one record that come at once are all kept, also across a restart', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-records-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const records = new Records(directory);
  await records.open(new Date());
  const first = recordOf(1, []);
  await records.update(id, () => first);
  // A longer and a shorter file at the same time, as two writers would leave the end of one behind the other.
  const { assignment } = recordOf(2, ['x'.repeat(20_000)]);
  await Promise.all([
    records.update(id, (newest = first) => ({ ...newest, assignment })),
    records.update(id, (newest = first) => ({ ...newest, ran: true })),
    records.update(id, (newest = first) => ({ ...newest, restarts: newest.restarts + 1 })),
    records.update(id, (newest = first) => ({ ...newest, restarts: newest.restarts + 1 })),
  ]);
  const again = new Records(directory);
  assert.deepEqual(await again.open(new Date()), []);
  assert.deepEqual(again.get(id), { ...first, assignment, ran: true, restarts: 2 });
  assert.deepEqual(await readdir(directory), [`${id}.json`]);
});

test('a record of an older agent is read: its order names no disks until the server gives it anew', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-records-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const now = recordOf(1, []);
  const { image: _image, disks: _disks, ...rest } = now.assignment.vm ?? assert.fail();
  const older = { ...now, assignment: { ...now.assignment, vm: { ...rest, imageUrl: 'https://a/b', diskGib: 5 } } };
  await writeFile(join(directory, `${id}.json`), JSON.stringify(older));
  const records = new Records(directory);
  assert.deepEqual(await records.open(new Date()), []);
  assert.deepEqual(records.get(id)?.assignment.vm?.disks, []);
  assert.deepEqual(records.get(id)?.assignment.generation, 1);
});
