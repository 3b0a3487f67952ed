// Changes of VMs by Bytemark's calls: size, machine, name, group and account, alone and together; what is refused, and what two
// do at once.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccount } from '../../../src/app/account.ts';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { credit, driftOf, openStore, untilHeartbeat } from '../support.ts';
import { addUser, asOperator, grant, tokenOf } from './identity.ts';
import { type IsoServer, startIsoServer } from './iso-server.ts';
import { call, changed, createBody, created, type Faults, machines, overview, running, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;
let isos: IsoServer;

before(async () => {
  isos = await startIsoServer();
  berth = await startTestBerth({
    allowImageHosts: [isos.host],
    addressPool: '127.63.5.0/24',
    agent: { capacity: { cores: 8, memoryMib: 64 * 1024 } },
  });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
  await isos?.close();
});

async function assertRefused(vm: Vm, body: unknown, faults: Faults): Promise<void> {
  const before = await overview(berth, vm.name);
  const answer = await call(berth, 'PUT', `${machines}/${vm.name}`, body);
  assert.deepEqual([answer.status, answer.body], [400, faults]);
  assert.deepEqual(await overview(berth, vm.name), before);
}

/** What is taken of the host for a VM. */
const takenFor = ({ id }: Vm) =>
  database
    .selectFrom('assignment')
    .innerJoin('instance', 'instance.id', 'instance_id')
    .where('number', '=', BigInt(id))
    .select(['assignment.vcpus', 'assignment.memory_mib'])
    .executeTakeFirstOrThrow();

test('more is taken of the host at once, less is given back when the VM has started with less', async () => {
  const vm = await running(berth, { cores: 2, memory: 4096 });
  const less = await changed(berth, vm.name, { cores: 1, memory: 2048 });
  assert.deepEqual([less.cores, less.memory, less.power_on], [1, 2048, true]);
  assert.deepEqual(await takenFor(vm), { vcpus: 2, memory_mib: 4096 });
  await changed(berth, vm.name, { power_on: false, autoreboot_on: true });
  await until('it was given back', async () => (await takenFor(vm)).vcpus === 1);
  assert.deepEqual(await takenFor(vm), { vcpus: 1, memory_mib: 2048 });
  await changed(berth, vm.name, { cores: 3 });
  assert.deepEqual(await takenFor(vm), { vcpus: 3, memory_mib: 2048 });
  await changed(berth, vm.name, { power_on: false, autoreboot_on: false });
  await changed(berth, vm.name, { cores: 1 });
  assert.deepEqual(await takenFor(vm), { vcpus: 1, memory_mib: 2048 });
  assert.deepEqual(await driftOf(database), []);
});

test('Terraform’s change of cores and memory with a restart is one request', async () => {
  const vm = await running(berth);
  const now = await changed(berth, vm.name, { power_on: false, autoreboot_on: true, cores: 2, memory: 4096 });
  assert.deepEqual([now.power_on, now.cores, now.memory], [true, 2, 4096]);
  await call(berth, 'DELETE', `${machines}/${vm.name}?purge=true`);
});

test('more than the host has left is refused, and so is memory that is not sold', async () => {
  const vm = await running(berth);
  await assertRefused(vm, { cores: 100 }, { cores: ['is more than its host has left'] });
  await assertRefused(vm, { memory: 1024 * 1024, cores: 1 }, { memory: ['is more than its host has left'] });
  await assertRefused(
    vm,
    { memory: 1500, cores: 0 },
    {
      memory: ['is not included in the list'],
      cores: ['must be greater than or equal to 1'],
    },
  );
  await assertRefused(
    vm,
    { memory: 'lots', autoreboot_on: 'maybe' },
    {
      memory: ['is not a number'],
      autoreboot_on: ['is not included in the list'],
    },
  );
});

test('an empty change, and what nobody knows, change nothing', async () => {
  const vm = await running(berth);
  const before = await overview(berth, vm.name);
  await changed(berth, vm.name, {});
  await changed(berth, vm.name, {
    head: 'elsewhere',
    id: 7,
    whatever: null,
    zone_name: 'mars',
    type: 'x',
    cores: null,
  });
  assert.deepEqual(await overview(berth, vm.name), before);
});

test('hardware profile, lock, keyboard and CD are kept; a lock refuses until it is taken away', async () => {
  const vm = await running(berth);
  const url = isos.url('/good.iso');
  const now = await changed(berth, vm.name, {
    hardware_profile: 'compatibility2013',
    hardware_profile_locked: true,
    keymap: 'de',
    cdrom_url: url,
  });
  assert.deepEqual(
    [now.hardware_profile, now.hardware_profile_locked, now.keymap, now.cdrom_url],
    ['compatibility2013', true, 'de', url],
  );
  await assertRefused(vm, { hardware_profile: 'virtio2013' }, { hardware_profile: ['is locked'] });
  await changed(berth, vm.name, { hardware_profile: 'compatibility2013' });
  const after = await changed(berth, vm.name, {
    hardware_profile: 'virtio2013',
    hardware_profile_locked: false,
    keymap: null,
    cdrom_url: null,
  });
  assert.deepEqual(
    [after.hardware_profile, after.hardware_profile_locked, after.keymap, after.cdrom_url],
    ['virtio2013', false, null, null],
  );
  await assertRefused(
    vm,
    { hardware_profile: 'virtio1999', keymap: 'klingon', cdrom_url: 'http://localhost/a.iso' },
    {
      hardware_profile: ['is not included in the list'],
      keymap: ['is not included in the list'],
      cdrom_url: ['must be on a public server'],
    },
  );
});

test('an appliance is for the next start alone, or for all from then on, until it is taken away', async () => {
  const vm = await running(berth);
  const row = () =>
    database
      .selectFrom('vm')
      .innerJoin('instance', 'instance.id', 'instance_id')
      .innerJoin('assignment', 'assignment.instance_id', 'instance.id')
      .where('number', '=', BigInt(vm.id))
      .select(['appliance', 'appliance_boot_number', 'boot_number'])
      .executeTakeFirstOrThrow();
  await changed(berth, vm.name, { power_on: false, autoreboot_on: false });
  const rescue = { appliance: { name: 'rescue', permanent: false }, autoreboot_on: true, power_on: true };
  await changed(berth, vm.name, rescue);
  assert.deepEqual(await row(), { appliance: 'rescue', appliance_boot_number: 2, boot_number: 2 });
  await changed(berth, vm.name, { appliance: { name: 'rescue', permanent: true } });
  assert.deepEqual(await row(), { appliance: 'rescue', appliance_boot_number: null, boot_number: 2 });
  await changed(berth, vm.name, { appliance: { name: '' } });
  assert.deepEqual(await row(), { appliance: null, appliance_boot_number: null, boot_number: 2 });
  await assertRefused(vm, { appliance: { name: 'tetris' } }, { appliance: ['is not included in the list'] });
  await changed(berth, vm.name, { appliance: { name: 'rescue', permanent: true } });
  for (const appliance of ['rescue', 5, true, ['rescue'], { name: {} }, { name: 'rescue', permanent: 'for now' }]) {
    await assertRefused(vm, { appliance, autoreboot_on: false }, { appliance: ['is invalid'] });
  }
  assert.equal((await row()).appliance, 'rescue', 'what can not be read takes nothing away');
});

test('a VM is renamed and moved to another group, where the name has to be free', async () => {
  const vm = await running(berth);
  const other = (await call<{ id: number }>(berth, 'POST', '/accounts/default/groups', { name: 'attic' })).body.id;
  const renamed = await changed(berth, vm.name, { name: 'mover', group_id: vm.group_id });
  assert.deepEqual([renamed.name, renamed.hostname], ['mover', 'mover.default.default.berth.local']);
  assert.equal((await call(berth, 'GET', `${machines}/${vm.name}`)).status, 404);
  await created(berth, createBody({ name: vm.name }, { discs: [{ size: 50 }], reimage: undefined }));
  await assertRefused(renamed, { name: vm.name }, { name: ['has already been taken'] });
  await created(
    berth,
    createBody({ name: 'mover' }, { discs: [{ size: 50 }], reimage: undefined }),
    '/accounts/default/groups/attic',
  );
  await assertRefused(renamed, { group_id: other }, { name: ['has already been taken'] });
  const moved = await changed(berth, 'mover', { name: 'moved', group_id: other });
  assert.deepEqual([moved.group_id, moved.hostname], [other, 'moved.attic.default.berth.local']);
  assert.equal((await call(berth, 'GET', `${machines}/mover`)).status, 404);
  assert.equal((await overview(berth, 'moved', '/accounts/default/groups/attic/virtual_machines')).id, vm.id);
  await assertRefused(await running(berth), { group_id: 4_000_000 }, { group_id: ['is not included in the list'] });
  assert.deepEqual(await driftOf(database), []);
});

test('names and groups that two want at once are one’s', async () => {
  const [one, two] = [await running(berth), await running(berth)];
  const answers = await Promise.all(
    [one, two].map(({ name }) => call<Vm>(berth, 'PUT', `${machines}/${name}`, { name: 'coveted', cores: 2 })),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 400]);
  const same = await Promise.all(
    ['first-name', 'other-name'].map((name) => call<Vm>(berth, 'PUT', `${machines}/coveted`, { name })),
  );
  assert.ok(same.every(({ status }) => [200, 404, 503].includes(status)) && same.some(({ status }) => status === 200));
  const names = await database.selectFrom('instance_name').select('name').execute();
  const lived = await database
    .selectFrom('instance')
    .where('status', 'in', ['active', 'stopped', 'launching', 'soft-deleted'])
    .select('name')
    .execute();
  assert.deepEqual(names.map(({ name }) => name).sort(), lived.map(({ name }) => name).sort());
});

test('a VM goes to another account with its bill and name, moved by who is in charge of both, and by nobody else', async () => {
  const vm = await running(berth, { name: 'emigrant' });
  const other = await asOperator(berth, (context) => createAccount(context, 'other', 'name'));
  const { id, account_id } = await database
    .selectFrom('group')
    .where('account_id', '=', other.id)
    .select(['id', 'account_id'])
    .executeTakeFirstOrThrow();
  const move = { group_id: Number(id) };
  // Who does not see the other account's group is told no more than that.
  await assertRefused(vm, move, { group_id: ['is not included in the list'] });
  const path = `${machines}/${vm.name}`;
  const guest = await addUser(berth, 'other');
  await grant(berth, guest.username, 'vm_admin', { account: 'default', group: 'default', vm: vm.name });
  const guestToken = await tokenOf(berth, guest);
  assert.equal((await callApi(berth.url, guestToken, 'PUT', path, { keymap: 'de' })).status, 200);
  assert.equal((await callApi(berth.url, guestToken, 'PUT', path, move)).status, 403);
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'group_admin', { account: 'other', group: 'default' });
  const token = await tokenOf(berth, user);
  const poor = await callApi<Faults>(berth.url, token, 'PUT', path, move);
  assert.equal(poor.status, 400);
  assert.match(JSON.stringify(poor.body), /balance is too low/);
  await credit(database, account_id);
  // As it is while it comes up for the first time; its host says with each heartbeat that it runs.
  await untilHeartbeat(database);
  const setRun = (status: 'launching' | 'active', at: Date | null) =>
    database.updateTable('instance').where('name', '=', vm.name).set({ status, activated_at: at }).execute();
  await setRun('launching', null);
  const early = await callApi<Faults>(berth.url, token, 'PUT', path, move);
  await setRun('active', new Date());
  assert.equal(early.status, 400);
  assert.match(JSON.stringify(early.body), /still being brought up/);
  const moved = await callApi<Vm>(berth.url, token, 'PUT', path, move);
  assert.deepEqual([moved.status, moved.body.hostname], [200, 'emigrant.default.other.berth.local']);
  const bill = await database.selectFrom('bill').where('account_id', '=', other.id).select('closed_at').execute();
  assert.deepEqual(bill, [{ closed_at: null }]);
  await created(berth, createBody({ name: 'emigrant' }));
  assert.deepEqual(await driftOf(database), []);
});
