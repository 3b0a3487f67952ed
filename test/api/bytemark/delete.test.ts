// The end of VMs by Bytemark's calls: deleted and brought back, purged at once or after a while, reimaged; in every state and
// while something else goes on.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { purgeExpired } from '../../../src/app/vm-delete.ts';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { deployed, driftOf, openStore, untilGone, vmOf } from '../support.ts';
import { asOperator } from './identity.ts';
import { call, changed, createBody, created, machines, overview, running, untilPower, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.63.6.0/24' });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

const idOf = async ({ id }: { id: number }) =>
  (await database.selectFrom('instance').where('number', '=', BigInt(id)).select('id').executeTakeFirstOrThrow()).id;

const remove = async ({ name }: { name: string }, query = '') =>
  (await call(berth, 'DELETE', `${machines}/${name}${query}`)).status;

const listed = async (query = '') =>
  (await call<Vm[]>(berth, 'GET', `${machines}${query}`)).body.map(({ name }) => name);

test('a deleted VM is off and hidden, keeps its name, address and discs, and comes back as it was', async () => {
  const vm = await running(berth, { name: 'phoenix' });
  const before = await overview(berth, vm.name);
  assert.equal(await remove(vm), 204);
  const deleted = await overview(berth, vm.name);
  assert.deepEqual({ ...deleted, deleted: false, power_on: true }, before);
  assert.deepEqual([deleted.deleted, deleted.power_on], [true, false]);
  assert.ok(!(await listed()).includes('phoenix') && (await listed('?include_deleted=true')).includes('phoenix'));
  assert.equal(await vmOf(berth, await idOf(vm)), undefined);
  assert.equal(await remove(vm), 204);
  const back = await changed(berth, vm.name, { deleted: false });
  assert.deepEqual([back.deleted, back.power_on], [false, false]);
  assert.equal((await changed(berth, vm.name, { power_on: true })).power_on, true);
  assert.deepEqual(await overview(berth, vm.name), before);
  assert.deepEqual(await driftOf(database), []);
});

test('while it is deleted nothing of a VM can be changed', async () => {
  const vm = await running(berth);
  await remove(vm);
  for (const body of [{ power_on: true }, { cores: 2 }, { name: 'other' }, { autoreboot_on: false }]) {
    const answer = await call(berth, 'PUT', `${machines}/${vm.name}`, body);
    assert.equal(answer.status, 400);
    assert.match(JSON.stringify(answer.body), /restore it first/);
  }
  const reimage = { distribution: 'micro', root_password: 'x' };
  assert.equal((await call(berth, 'POST', `${machines}/${vm.name}/reimage`, reimage)).status, 400);
  assert.equal((await call(berth, 'PUT', `${machines}/${vm.name}`, {})).status, 200);
  const both = await changed(berth, vm.name, { deleted: false, name: 'revived', power_on: true });
  assert.deepEqual([both.deleted, both.name, both.power_on], [false, 'revived', true]);
});

test('purge erases a VM in any state and frees its name and address', async () => {
  for (const prepare of [
    async (_: Vm) => {},
    async (vm: Vm) => void (await remove(vm)),
    async ({ name }: Vm) => void (await changed(berth, name, { power_on: false, autoreboot_on: false })),
  ]) {
    const vm = await running(berth, { name: 'mortal' });
    const id = await idOf(vm);
    await prepare(vm);
    assert.equal(await remove(vm, '?purge=true'), 204);
    assert.equal((await call(berth, 'GET', `${machines}/mortal?include_deleted=true`)).status, 404);
    assert.equal(await remove(vm, '?purge=true'), 404);
    await untilGone(database, [id]);
    assert.deepEqual(await database.selectFrom('address').where('instance_id', '=', id).select('ip').execute(), []);
  }
  assert.deepEqual(await driftOf(database), []);
});

test('what was deleted longer ago than it is kept is purged, and nothing else', async () => {
  const [old, young] = [await running(berth), await running(berth)];
  await remove(old);
  await remove(young);
  const dayMs = 24 * 60 * 60 * 1000;
  const ago = (days: number) => new Date(Date.now() - days * dayMs);
  const deletedAt = async (vm: Vm, when: Date) =>
    database
      .updateTable('instance')
      .set({ status_changed_at: when })
      .where('id', '=', await idOf(vm))
      .execute();
  await deletedAt(old, ago(21.1));
  await deletedAt(young, ago(20.9));
  await asOperator(berth, (context) => Promise.all([purgeExpired(context), purgeExpired(context)]));
  await untilGone(database, [await idOf(old)]);
  assert.equal((await overview(berth, young.name)).deleted, true);
});

test('a VM that is deleted while it is made or started ends deleted; one purged then is gone', async () => {
  for (const query of ['', '?purge=true']) {
    const body = createBody();
    const { virtual_machine: vm } = await created(berth, body);
    assert.equal(await remove(vm, query), 204);
    if (query === '') {
      const shown = await overview(berth, vm.name);
      assert.deepEqual([shown.deleted, shown.power_on], [true, false]);
      await changed(berth, vm.name, { deleted: false, power_on: true });
    }
    if (query !== '') await untilGone(database, [await idOf(vm)]);
  }
  const vm = await running(berth);
  await changed(berth, vm.name, { power_on: false, autoreboot_on: false });
  const [start, purge] = await Promise.all([
    call(berth, 'PUT', `${machines}/${vm.name}`, { power_on: true }),
    remove(vm, '?purge=true'),
  ]);
  assert.ok([200, 400, 404].includes(start.status), JSON.stringify(start));
  assert.equal(purge, 204);
  await untilGone(database, [await idOf(vm)]);
  assert.deepEqual(await driftOf(database), []);
});

test('deleted in one dialect, a VM is gone in the other', async () => {
  const [id = ''] = await deployed(berth);
  const { vmName: name } = (await vmOf(berth, id)) ?? { vmName: '' };
  await untilPower(berth, name, true);
  assert.equal(await remove({ name }), 204);
  assert.equal(await vmOf(berth, id), undefined);
  await changed(berth, name, { deleted: false });
  assert.equal((await vmOf(berth, id))?.id, id);
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: [id] })).status, 200);
  assert.equal((await call(berth, 'GET', `${machines}/${name}?include_deleted=true`)).status, 404);
});

test('reimage wants the VM off, echoes what was asked, and leaves it on with autoreboot_on as it was', async () => {
  const vm = await running(berth);
  const path = `${machines}/${vm.name}/reimage`;
  const body = {
    distribution: 'debian-12-local',
    root_password: 'geheim-geheim',
    ssh_public_key: '',
    firstboot_script: '',
  };
  const early = await call(berth, 'POST', path, body);
  assert.equal(early.status, 400);
  assert.match(JSON.stringify(early.body), /must be off/);
  await changed(berth, vm.name, { power_on: false, autoreboot_on: false });
  const bad = await call(berth, 'POST', path, { distribution: 'os/2', root_password: 'a\nb' });
  assert.deepEqual(
    [bad.status, bad.body],
    [400, { distribution: ['is not included in the list'], root_password: ['is invalid'] }],
  );
  assert.deepEqual((await call(berth, 'POST', path, {})).body, { distribution: ["can't be blank"] });
  const answer = await call(berth, 'POST', path, body);
  assert.deepEqual(
    [answer.status, answer.body],
    [200, { distribution: 'debian-12-local', root_password: 'geheim-geheim' }],
  );
  const shown = await untilPower(berth, vm.name, true);
  assert.deepEqual([shown.autoreboot_on, shown.last_imaged_with], [false, 'debian-12-local']);
  const row = await database
    .selectFrom('vm')
    .where('instance_id', '=', await idOf(vm))
    .select('imaging')
    .executeTakeFirst();
  assert.equal(row?.imaging, 2);
  await until('its password is forgotten', async () => {
    return (await database.selectFrom('imaging_secret').select('instance_id').execute()).length === 0;
  });
  assert.ok(!berth.log().includes('geheim-geheim'));
});

test('what its host has yet to say of a VM that was ordered off is waited for before it is imaged', async () => {
  const vm = await running(berth);
  await changed(berth, vm.name, { power_on: false, autoreboot_on: false });
  const id = await idOf(vm);
  // As it is while its host has yet to pull the plug, or to hear of its new size.
  const observed = (state: string) =>
    database.updateTable('assignment').set({ observed_state: state }).where('instance_id', '=', id).execute();
  await observed('running');
  const imaged = call(berth, 'POST', `${machines}/${vm.name}/reimage`, { distribution: 'debian-12-local' });
  await sleep(300);
  await observed('off');
  const { status, body } = await imaged;
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal((await untilPower(berth, vm.name, true)).power_on, true);
});

test('a password is forgotten also where the host was told more before it said that the VM runs', async () => {
  const slow = await startTestBerth({ addressPool: '127.63.17.0/24', agent: { behaviour: { bootMs: 5_000 } } });
  const store = await openStore(slow);
  try {
    const { virtual_machine: vm } = await created(slow, createBody());
    await until('its host has begun', async () => {
      const row = await store.selectFrom('assignment').select('observed_state').executeTakeFirst();
      return row?.observed_state === 'preparing';
    });
    // As when what it says first is of the order before the newest.
    await store.updateTable('instance').set({ status: 'active' }).execute();
    await untilPower(slow, vm.name, true);
    await until('its password is forgotten', async () => {
      return (await store.selectFrom('imaging_secret').select('instance_id').execute()).length === 0;
    });
  } finally {
    await store.destroy();
    await slow.close();
  }
});

test('a VM without a disc can’t be reimaged', async () => {
  await created(berth, createBody({ name: 'discless' }, { discs: [], reimage: undefined }));
  const answer = await call(berth, 'POST', `${machines}/discless/reimage`, { distribution: 'micro' });
  assert.equal(answer.status, 400);
  assert.match(JSON.stringify(answer.body), /no disc/);
});
