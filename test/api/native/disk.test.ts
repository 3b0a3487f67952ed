// Disks by Berth's own API: added, listed, grown, moved and erased, what is refused with which words, and that nothing is left of it.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import { addUser, grant, tokenOf } from '../bytemark/identity.ts';
import { driftOf, holdings, openStore } from '../support.ts';
import { allOf, type Call, callsOf, done, type Machine, machine, refused, watcherOf } from './calls.ts';

interface Disk {
  id: string;
  instance: string;
  label: string;
  grade: string;
  sizeMib: number;
  iopsLimit: number | null;
  storagePool: string;
  position: number;
  backups: number;
  restoredFrom: string | null;
  createdAt: string;
}

const hostDiskGib = 1_000;
let berth: TestBerth;
let database: Database;
let call: Call;

before(async () => {
  const pool = { storageType: 'SSD' as const, freeGib: 100 };
  berth = await startTestBerth({
    addressPool: '127.67.1.0/24',
    up: {
      simulated: {
        behaviour: { bootMs: 5, eraseMs: 5, startFailureChance: 0, imageFailureChance: 0 },
        capacity: { cores: 64, memoryMib: 256 * 1024, diskGib: hostDiskGib },
        storagePools: [
          { ...pool, label: 'default', grades: ['sata'], sizeGib: hostDiskGib },
          { ...pool, label: 'fast', grades: ['ssd'], sizeGib: 100 },
        ],
      },
    },
  });
  database = await openStore(berth);
  call = callsOf(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

const disksOf = ({ id }: Machine) => allOf<Disk>(call, `/disks?instance=${id}`);
const added = (vm: Machine, body: object) => done<Disk>(call, 201, 'POST', `/instances/${vm.id}/disks`, body);

/** Makes a call that is refused and changes nothing. */
async function refusedWhole(...request: Parameters<typeof refused>) {
  const before = await holdings(database);
  const problem = await refused(...request);
  assert.deepEqual(await holdings(database), before);
  return problem;
}

test('a disk is added to a VM that runs, and found by its id, its VM and its label', async () => {
  const vm = await machine(berth, { on: true });
  const [root] = await disksOf(vm);
  assert.deepEqual([root?.position, root?.backups, root?.grade], [1, 0, 'sata']);
  const body = { label: 'data', grade: 'ssd', sizeMib: 2_048 };
  const answer = await call<Disk>('POST', `/instances/${vm.id}/disks`, body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { body: disk, headers } = answer;
  assert.equal(headers.get('location'), `/berth/v1/disks/${disk.id}`);
  assert.match(disk.id, /^dsk_[0-9a-f]{32}$/);
  assert.match(disk.storagePool, /-fast$/);
  const { id, createdAt, storagePool, ...rest } = disk;
  const shown = { ...body, instance: vm.id, iopsLimit: null, position: 2, backups: 0, restoredFrom: null };
  assert.deepEqual(rest, shown);
  assert.deepEqual(await done(call, 200, 'GET', `/disks/${id}`), disk);
  assert.deepEqual(await disksOf(vm), [root, disk]);
  assert.deepEqual(await allOf(call, `/disks?label=data&instance=${vm.id}`), [disk]);
  assert.deepEqual(await allOf(call, '/disks?label=nothing-is-called-so'), []);
  assert.deepEqual((await added(vm, { sizeMib: 1_024 })).grade, 'sata', 'unless it is chosen');
});

test('a list has the disks of all VMs in the order in which they were made, of an account or one VM', async () => {
  const vm = await machine(berth, { on: true });
  for (let count = 0; count < 3; count += 1) await added(vm, { sizeMib: 1_024 });
  const all = await allOf<Disk>(call, '/disks');
  const times = all.map(({ createdAt }) => createdAt);
  assert.deepEqual(times, times.toSorted());
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  assert.deepEqual(
    (await disksOf(vm)).map(({ position }) => position),
    [1, 2, 3, 4],
  );
  assert.deepEqual(await allOf(call, '/disks?account=default'), all);
  await refused(call, 404, 'not_found', 'GET', '/disks?account=nobody');
  const wrong = await refused(call, 422, 'invalid_value', 'GET', '/disks?instance=vm-1');
  assert.equal(wrong.parameter, 'instance');
  for (const cursor of ['x', Buffer.from('["x"]').toString('base64url'), Buffer.from('["-1"]').toString('base64url')]) {
    assert.equal((await refused(call, 422, 'invalid_value', 'GET', `/disks?cursor=${cursor}`)).parameter, 'cursor');
  }
});

test('what can’t be made is told field by field, and leaves nothing behind', async () => {
  const vm = await machine(berth, { on: true });
  const path = `/instances/${vm.id}/disks`;
  await added(vm, { label: 'data', sizeMib: 1_024 });
  const wrong = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { label: 'a/b', sizeMib: 1 });
  assert.deepEqual(wrong.errors?.map(({ pointer }) => pointer).toSorted(), ['#/label', '#/sizeMib']);
  const taken = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { label: 'data', sizeMib: 1_024 });
  assert.deepEqual(taken.errors, [{ detail: 'label has already been taken', pointer: '#/label' }]);
  const large = await refusedWhole(call, 422, 'no_suitable_offer', 'POST', path, { sizeMib: 2_000_000 });
  assert.equal(large.pointer, '#/sizeMib');
  assert.match(large.detail, /^sizeMib is more than .* has room for: \d+ GiB\.$/);
  const grade = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { grade: 'archive', sizeMib: 1_024 });
  assert.equal(grade.pointer, '#/grade');
  for (const [body, pointer] of [
    [{}, '#/sizeMib'],
    [{ sizeMib: '1024' }, '#/sizeMib'],
    [{ sizeMib: 1_024, grade: 'tape' }, '#/grade'],
    [{ sizeMib: 1_024, label: 'a\0b' }, '#/label'],
    [{ sizeMib: 1_024, label: '\ud800' }, '#/label'],
  ] as const) {
    assert.equal((await refusedWhole(call, 400, 'malformed', 'POST', path, body)).pointer, pointer);
  }
  await refused(call, 400, 'malformed', 'GET', '/disks?label=%00');
  for (let count = 2; count < 8; count += 1) await added(vm, { sizeMib: 50 });
  const ninth = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { sizeMib: 50 });
  assert.deepEqual(
    ninth.errors?.map(({ pointer }) => pointer),
    ['#'],
  );
});

test('a disk is renamed and grows, and does not shrink', async () => {
  const vm = await machine(berth, { on: true });
  const disk = await added(vm, { label: 'data', sizeMib: 1_024 });
  const path = `/disks/${disk.id}`;
  const changed = await done<Disk>(call, 200, 'PATCH', path, { label: 'logs', sizeMib: 4_096 });
  assert.deepEqual(changed, { ...disk, label: 'logs', sizeMib: 4_096 });
  assert.deepEqual(await done(call, 200, 'PATCH', path, {}), changed);
  const less = await refusedWhole(call, 422, 'invalid_value', 'PATCH', path, { label: 'more', sizeMib: 2_048 });
  assert.deepEqual(less.errors, [{ detail: 'sizeMib must be greater than or equal to 4096', pointer: '#/sizeMib' }]);
  const most = await refusedWhole(call, 422, 'no_suitable_offer', 'PATCH', path, { sizeMib: 2_000_000 });
  assert.equal(most.pointer, '#/sizeMib');
  const [root] = await disksOf(vm);
  await refusedWhole(call, 422, 'invalid_value', 'PATCH', path, { label: root?.label });
  assert.deepEqual(await done(call, 200, 'GET', path), changed);
});

test('a change is held against what was seen, done once under its key, and not at all as a dry run', async () => {
  const vm = await machine(berth, { on: true });
  const before = await holdings(database);
  const body = { label: 'data', sizeMib: 1_024 };
  const path = `/instances/${vm.id}/disks`;
  assert.equal((await done<Disk>(call, 201, 'POST', `${path}?dryRun=true`, body)).label, 'data');
  assert.deepEqual(await holdings(database), before);
  const headers = { 'idempotency-key': randomUUID() };
  const [one, other] = [await call<Disk>('POST', path, body, headers), await call<Disk>('POST', path, body, headers)];
  assert.deepEqual([one.status, other.status, other.body], [201, 201, one.body]);
  assert.equal((await disksOf(vm)).length, 2);
  const seen = { 'if-match': one.headers.get('etag') ?? '' };
  await done(call, 200, 'PATCH', `/disks/${one.body.id}`, { sizeMib: 2_048 }, seen);
  await refused(call, 412, 'precondition_failed', 'PATCH', `/disks/${one.body.id}`, { sizeMib: 4_096 }, seen);
  await refused(call, 412, 'precondition_failed', 'DELETE', `/disks/${one.body.id}`, undefined, seen);
});

test('a disk moves between VMs that are off; the one that a VM is booted from does not', async () => {
  const [from, to, on] = [
    await machine(berth, { on: false }),
    await machine(berth, { on: false }),
    await machine(berth, { on: true }),
  ];
  const disk = await added(from, { label: 'data', grade: 'ssd', sizeMib: 2_048 });
  const move = `/disks/${disk.id}/move`;
  const [root] = await disksOf(from);
  for (const [path, instance] of [
    [`/disks/${root?.id}/move`, to.id],
    [move, 'ins_'.padEnd(44, '0')],
    [move, 'vm-1'],
  ] as const) {
    const problem = await refusedWhole(call, 422, 'invalid_value', 'POST', path, { instance });
    assert.equal(problem.pointer, '#/instance', JSON.stringify(problem));
  }
  await refusedWhole(call, 409, 'wrong_state', 'POST', move, { instance: on.id });
  const moved = await done<Disk>(call, 200, 'POST', move, { instance: to.id });
  assert.deepEqual(moved, { ...disk, instance: to.id });
  assert.equal((await disksOf(from)).length, 1);
  assert.deepEqual((await disksOf(to)).at(-1), disk.id === moved.id ? moved : undefined);
  assert.deepEqual(await done(call, 200, 'POST', move, { instance: to.id }), moved, 'where it is already');
});

test('a disk is erased where its VM is off', async () => {
  const vm = await machine(berth, { on: false });
  const disk = await added(vm, { sizeMib: 1_024 });
  assert.equal((await call('DELETE', `/disks/${disk.id}?dryRun=true`)).status, 204);
  assert.equal((await call('DELETE', `/disks/${disk.id}`)).status, 204);
  await refused(call, 404, 'not_found', 'GET', `/disks/${disk.id}`);
  await refused(call, 404, 'not_found', 'DELETE', `/disks/${disk.id}`);
  assert.equal((await disksOf(vm)).length, 1);
  const running = await machine(berth, { on: true });
  const other = await added(running, { sizeMib: 1_024 });
  const { detail } = await refusedWhole(call, 409, 'wrong_state', 'DELETE', `/disks/${other.id}`);
  assert.match(detail, /^The disks of /);
});

test('how busy a disk may be is for who runs the whole to say', async () => {
  const vm = await machine(berth, { on: true });
  const path = `/disks/${(await added(vm, { sizeMib: 1_024 })).id}`;
  await refusedWhole(call, 403, 'forbidden', 'PATCH', path, { iopsLimit: 500 });
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  const operator = callsOf(berth, await tokenOf(berth, user));
  assert.equal((await done<Disk>(operator, 200, 'PATCH', path, { iopsLimit: 500 })).iopsLimit, 500);
  assert.equal((await done<Disk>(call, 200, 'PATCH', path, { iopsLimit: 500 })).iopsLimit, 500, 'nothing new');
  for (const iopsLimit of [0, -1, 100_000_000]) {
    const wrong = await refusedWhole(operator, 422, 'invalid_value', 'PATCH', path, { iopsLimit });
    assert.equal(wrong.pointer, '#/iopsLimit');
  }
  assert.equal((await done<Disk>(operator, 200, 'PATCH', path, { iopsLimit: null })).iopsLimit, null);
});

test('who sees one VM sees its disks and no others, and changes none', async () => {
  const [vm, other] = [await machine(berth, { on: true }), await machine(berth, { on: true })];
  const watcher = await watcherOf(berth, database, vm);
  const own = await disksOf(vm);
  assert.deepEqual(await allOf(watcher, '/disks'), own);
  assert.deepEqual(await allOf(watcher, `/disks?instance=${other.id}`), []);
  const path = `/disks/${own[0]?.id}`;
  assert.deepEqual(await done(watcher, 200, 'GET', path), own[0]);
  await refusedWhole(watcher, 403, 'forbidden', 'PATCH', path, { label: 'mine' });
  await refusedWhole(watcher, 403, 'forbidden', 'DELETE', path);
  await refusedWhole(watcher, 403, 'forbidden', 'POST', `/instances/${vm.id}/disks`, { sizeMib: 1_024 });
  const [theirs] = await disksOf(other);
  await refused(watcher, 404, 'not_found', 'GET', `/disks/${theirs?.id}`);
  await refused(watcher, 404, 'not_found', 'PATCH', `/disks/${theirs?.id}`, { label: 'mine' });
  await refused(watcher, 404, 'not_found', 'POST', `/instances/${other.id}/disks`, { sizeMib: 1_024 });
});

test('nothing disagrees after all of this', async () => {
  assert.deepEqual(await driftOf(database), []);
});
