// Discs that come, grow, move and go by Bytemark's calls: what is answered, what is refused with which words, and what is held
// for them on their host until it has erased them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { driftOf, openStore } from '../support.ts';
import { callerWith } from './reading.ts';
import {
  call,
  changed,
  createBody,
  created,
  type Faults,
  group,
  machines,
  overview,
  untilPower,
  type Vm,
} from './vms.ts';

type Disc = NonNullable<Vm['discs']>[number] & { storage_pool: string; iops_limit: number | null };

const hostDiskGib = 1_000;
let berth: TestBerth;
let database: Database;

before(async () => {
  const pool = { storageType: 'SSD' as const, freeGib: 100 };
  const capacity = { cores: 64, memoryMib: 256 * 1024, diskGib: hostDiskGib };
  berth = await startTestBerth({
    addressPool: '127.64.1.0/24',
    up: {
      simulated: {
        behaviour: { bootMs: 5, eraseMs: 5, startFailureChance: 0, imageFailureChance: 0 },
        capacity,
        storagePools: [
          { ...pool, label: 'default', grades: ['sata'], sizeGib: hostDiskGib },
          { ...pool, label: 'fast', grades: ['ssd'], sizeGib: 100 },
        ],
      },
    },
  });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

/** A VM with one disc, `root`, that is on or off. */
async function server({ on }: { on: boolean }): Promise<Vm> {
  const { virtual_machine: vm } = await created(berth, createBody());
  await untilPower(berth, vm.name, true);
  if (!on) await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  return overview(berth, vm.name);
}

const discsOf = ({ name }: Vm) => `${machines}/${name}/discs`;

async function added(vm: Vm, body: unknown): Promise<Disc> {
  const answer = await call<Disc>(berth, 'POST', discsOf(vm), body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

async function refused(method: string, path: string, body: unknown, faults: Faults): Promise<void> {
  const answer = await call(berth, method, path, body);
  assert.deepEqual([answer.status, answer.body], [400, faults]);
}

/** What is sold of the host: of its default pool and of the other one, in GiB. */
async function sold(): Promise<[number, number]> {
  const host = await database.selectFrom('host').select('disk_gib_used').executeTakeFirstOrThrow();
  const pool = await database
    .selectFrom('storage_pool')
    .where('label', '=', 'fast')
    .selectAll()
    .executeTakeFirstOrThrow();
  return [host.disk_gib_used, pool.gib_used];
}

test('a disc is added to a VM that runs, answered as the documentation shows one, and is the last of its discs', async () => {
  const vm = await server({ on: true });
  const [gib] = await sold();
  const disc = await added(vm, { label: 'extra', storage_grade: 'sata', size: 10_240 });
  assert.deepEqual(
    { ...disc, id: 0, storage_pool: '' },
    {
      ...{ id: 0, label: 'extra', size: 10_240, storage_grade: 'sata', storage_pool: '', iops_limit: null },
      ...{ backup_count: 0, backup_schedules: [], backups_enabled: false },
      ...{ type: 'application/vnd.bigv.disc', virtual_machine_id: vm.id },
    },
  );
  assert.deepEqual(
    (await overview(berth, vm.name)).discs?.map(({ label }) => label),
    ['root', 'extra'],
  );
  assert.deepEqual((await call(berth, 'GET', `${discsOf(vm)}/extra`)).body, disc);
  assert.deepEqual((await call(berth, 'GET', `/discs/${disc.id}`)).body, disc);
  assert.equal((await sold())[0], gib + 10);
  assert.equal((await overview(berth, vm.name)).power_on, true, 'it runs on');
});

test('a path that leaves the account empty means the default one, as the client sends it where none is chosen', async () => {
  const { name } = await server({ on: false });
  const path = `/accounts//groups/default/virtual_machines/${name}/discs`;
  const answer = await call<Disc>(berth, 'POST', path, { size: 1_024, storage_grade: 'sata' });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal((await overview(berth, name)).discs?.length, 2);
  const nobody = await callApi(berth.url, 'apikey.wrong', 'GET', '/accounts//groups');
  assert.equal(nobody.status, 401);
});

test('a disc without a label or a grade gets those that clients would choose', async () => {
  const vm = await server({ on: true });
  const { label, storage_grade: grade } = await added(vm, { size: '2048', label: null });
  assert.deepEqual([label, grade], ['disc-2', 'sata']);
  assert.equal((await added(vm, { size: 2048, unknown: 'attribute' })).label, 'disc-3');
});

test('each disc lies in a pool that is for its grade, whose room it takes', async () => {
  const vm = await server({ on: true });
  const [gib, fastGib] = await sold();
  const fast = await added(vm, { label: 'fast', storage_grade: 'ssd', size: 10 * 1024 });
  assert.match(fast.storage_pool, /-fast$/);
  assert.deepEqual(await sold(), [gib, fastGib + 10]);
  await refused(
    'POST',
    discsOf(vm),
    { label: 'old', storage_grade: 'archive', size: 1024 },
    {
      storage_grade: ['is not to be had where this virtual machine is: "archive"'],
    },
  );
  const room = 100 - fastGib - 10;
  await refused(
    'POST',
    discsOf(vm),
    { label: 'huge', storage_grade: 'ssd', size: 101 * 1024 },
    {
      size: [`is more than the virtual machine's head has room for: ${room} GiB`],
    },
  );
  assert.deepEqual(await sold(), [gib, fastGib + 10]);
});

test('a VM is made with each of its discs in a pool for its grade, or not at all', async () => {
  const [gib, fastGib] = await sold();
  const discs = [
    { label: 'root', storage_grade: 'sata', size: 10 * 1024 },
    { label: 'fast', storage_grade: 'ssd', size: 20 * 1024 },
  ];
  const vm = await created(berth, createBody({}, { discs }));
  const pools = (await overview(berth, vm.virtual_machine.name)).discs?.map((disc) => (disc as Disc).storage_pool);
  assert.match(pools?.join(' ') ?? '', /^(\S+) \1-fast$/);
  assert.deepEqual(await sold(), [gib + 10, fastGib + 20]);
  const tooMuch = createBody({}, { discs: [{ label: 'fast', storage_grade: 'ssd', size: 90 * 1024 }] });
  assert.equal((await call(berth, 'POST', `${group}/vm_create`, tooMuch)).status, 400);
  const unsold = createBody({}, { discs: [{ label: 'old', storage_grade: 'archive', size: 1024 }] });
  assert.equal((await call(berth, 'POST', `${group}/vm_create`, unsold)).status, 400);
  assert.deepEqual(await sold(), [gib + 10, fastGib + 20]);
  const purged = await call(berth, 'DELETE', `${machines}/${vm.virtual_machine.name}?purge=true`);
  assert.equal(purged.status, 204, JSON.stringify(purged.body));
  await until('its room is free', async () => (await sold()).join() === [gib, fastGib].join());
});

test('discs that can not be are refused in the words that clients know', async () => {
  const vm = await server({ on: true });
  const path = discsOf(vm);
  const small = { label: 'a', storage_grade: 'sata', size: 49 };
  await refused('POST', path, small, { size: ['must be greater than or equal to 50'] });
  await refused('POST', path, { ...small, size: 2 ** 31 }, { size: [`must be less than or equal to ${2 ** 21}`] });
  await refused('POST', path, { ...small, size: 1024.5 }, { size: ['must be an integer'] });
  await refused('POST', path, { ...small, size: 'large' }, { size: ['is not a number'] });
  await refused('POST', path, { label: 'a' }, { size: ["can't be blank", 'is not a number'] });
  await refused(
    'POST',
    path,
    { ...small, size: 1024, storage_grade: 'tape' },
    {
      storage_grade: ['is not included in the list'],
    },
  );
  await refused('POST', path, { ...small, size: 1024, label: 'a/b' }, { label: ['is invalid'] });
  await refused('POST', path, { ...small, size: 1024, label: 'root' }, { label: ['has already been taken'] });
  await refused(
    'POST',
    path,
    { ...small, label: 'x'.repeat(256) },
    {
      label: ['is too long (maximum is 255 characters)'],
      size: ['must be greater than or equal to 50'],
    },
  );
  for (let number = 2; number <= 8; number += 1) await added(vm, { size: 50 });
  await refused('POST', path, { size: 50 }, { base: ['a virtual machine has up to 8 discs'] });
  assert.equal((await overview(berth, vm.name)).discs?.length, 8);
});

test('of many who want the eighth disc at once one gets it', async () => {
  const vm = await server({ on: true });
  for (let number = 2; number <= 7; number += 1) await added(vm, { size: 50 });
  const answers = await Promise.all(Array.from({ length: 8 }, () => call(berth, 'POST', discsOf(vm), { size: 50 })));
  assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, ...Array(7).fill(400)]);
});

test('a disc grows, and does not shrink', async () => {
  const vm = await server({ on: true });
  const [gib] = await sold();
  const grown = await call<Disc>(berth, 'PUT', `${discsOf(vm)}/root`, { size: 30_720, storage_grade: 'archive' });
  assert.deepEqual([grown.status, grown.body.size, grown.body.storage_grade], [200, 30_720, 'sata']);
  assert.equal((await sold())[0], gib + 5);
  await refused('PUT', `${discsOf(vm)}/root`, { size: 30_719 }, { size: ['must be greater than or equal to 30720'] });
  await refused('PUT', `/discs/${grown.body.id}`, { size: 10 }, { size: ['must be greater than or equal to 50'] });
  const most = await call<Faults>(berth, 'PUT', `/discs/${grown.body.id}`, { size: 2 ** 21 });
  assert.equal(most.status, 400);
  assert.match(String(most.body.size), /^is more than the virtual machine's head has room for: \d+ GiB$/);
  const same = await call<Disc>(berth, 'PUT', `/discs/${grown.body.id}`, {});
  assert.deepEqual([same.status, same.body], [200, grown.body]);
  assert.equal((await sold())[0], gib + 5);
});

test('a disc moves between VMs that are off, with its room; the one that a VM starts from does not', async () => {
  const [from, to] = [await server({ on: true }), await server({ on: false })];
  const disc = await added(from, { label: 'data', size: 2048 });
  const path = `/discs/${disc.id}`;
  const [gib] = await sold();
  const move = { virtual_machine_id: to.id };
  assert.equal((await call(berth, 'PUT', path, move)).status, 400, 'while one is on');
  await changed(berth, from.name, { autoreboot_on: false, power_on: false });
  await refused('PUT', `${discsOf(from)}/root`, move, {
    virtual_machine_id: [`can't be changed: ${from.name} starts from this disc`],
  });
  await refused(
    'PUT',
    path,
    { virtual_machine_id: 999_999 },
    {
      virtual_machine_id: ['is not a virtual machine that you have'],
    },
  );
  const moved = await call<Disc>(berth, 'PUT', `${discsOf(from)}/data`, move);
  assert.deepEqual([moved.status, moved.body], [200, { ...disc, virtual_machine_id: to.id }]);
  assert.deepEqual(
    (await overview(berth, from.name)).discs?.map(({ label }) => label),
    ['root'],
  );
  assert.deepEqual(
    (await overview(berth, to.name)).discs?.map(({ label }) => label),
    ['root', 'data'],
  );
  assert.equal((await sold())[0], gib);
  await added(from, { label: 'data', size: 50 });
  await refused('PUT', `${discsOf(from)}/data`, move, {
    virtual_machine_id: ['is of a virtual machine that has a disc called data'],
  });
  assert.equal((await call(berth, 'PUT', path, { virtual_machine_id: String(to.id) })).status, 200, 'where it is');
});

test('a disc is erased only with purge=true, of a VM that is off; its room is free when its host has erased it', async () => {
  const vm = await server({ on: true });
  const disc = await added(vm, { label: 'extra', size: 5 * 1024 });
  const path = `${discsOf(vm)}/extra`;
  const [gib] = await sold();
  const without = await call<{ error: string }>(berth, 'DELETE', path);
  assert.deepEqual(
    [without.status, without.body],
    [500, { error: 'A disc is erased for good or not at all: add purge=true.' }],
  );
  await refused('DELETE', `${path}?purge=true`, undefined, {
    base: [`The discs of ${vm.name} can't be changed like this now: it is not off.`],
  });
  await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  assert.deepEqual((await call(berth, 'DELETE', `/discs/${disc.id}?purge=true`)).status, 204);
  assert.equal((await call(berth, 'GET', path)).status, 404);
  assert.equal((await call(berth, 'DELETE', `${path}?purge=true`)).status, 404);
  await until('its room is free', async () => (await sold())[0] === gib - 5);
  const left = await database.selectFrom('erasing_disk').selectAll().execute();
  assert.deepEqual(left, []);
});

test('a VM whose disc to start from was erased keeps the others as they are', async () => {
  const vm = await server({ on: false });
  const data = await added(vm, { label: 'data', size: 1024 });
  assert.equal((await call(berth, 'DELETE', `${discsOf(vm)}/root?purge=true`)).status, 204);
  const row = await database.selectFrom('disk').where('number', '=', BigInt(data.id)).selectAll().executeTakeFirst();
  assert.equal(row?.imaging, 0, 'nobody asked for another content');
  assert.deepEqual(
    (await overview(berth, vm.name)).discs?.map(({ label }) => label),
    ['data'],
  );
});

test('how busy a disc may be is not for its owner to say', async () => {
  const vm = await server({ on: false });
  const path = `${discsOf(vm)}/root`;
  assert.equal((await call(berth, 'PUT', path, { iops_limit: 500 })).status, 403);
  await refused('PUT', path, { iops_limit: 0 }, { iops_limit: ['must be a whole number from 1 to 10000000'] });
  const other = await call(berth, 'PUT', path, { size: 51_200 }, `${berth.apiKey}x`);
  assert.equal(other.status, 401);
});

test('who runs the cluster bounds how busy a disc may be, and takes the bound away; its owner sends back what it was shown', async () => {
  const vm = await server({ on: false });
  const path = `${discsOf(vm)}/root`;
  const operator = await callerWith(berth, database, 'cluster_admin');
  const bound = async (limit: number | null) =>
    (await operator<Disc>('PUT', path, { iops_limit: limit })).body.iops_limit;
  assert.equal(await bound(500), 500);
  const grown = await call<Disc>(berth, 'PUT', path, { iops_limit: 500, size: 30_720 });
  assert.deepEqual([grown.status, grown.body.size, grown.body.iops_limit], [200, 30_720, 500]);
  for (const limit of [null, 501]) assert.equal((await call(berth, 'PUT', path, { iops_limit: limit })).status, 403);
  assert.equal(await bound(null), null);
  assert.equal((await call(berth, 'PUT', path, { iops_limit: null })).status, 200);
});

test('the discs of a deleted VM stay as they are, and are there again when it is restored', async () => {
  const vm = await server({ on: false });
  const extra = await added(vm, { label: 'extra', size: 1024 });
  assert.equal((await call(berth, 'DELETE', `${machines}/${vm.name}`)).status, 204);
  const frozen = { base: [`The discs of ${vm.name} can't be changed like this now: it is deleted; restore it first.`] };
  await refused('POST', discsOf(vm), { size: 50 }, frozen);
  await refused('PUT', `${discsOf(vm)}/extra`, { size: 2048 }, frozen);
  await refused('DELETE', `/discs/${extra.id}?purge=true`, undefined, frozen);
  await changed(berth, vm.name, { deleted: false });
  assert.deepEqual(
    (await overview(berth, vm.name)).discs?.map(({ label }) => label),
    ['root', 'extra'],
  );
});

test('after all of this everything agrees', async () => {
  await until('nothing drifts', async () => (await driftOf(database)).length === 0).catch(() => {});
  assert.deepEqual(await driftOf(database), []);
});
