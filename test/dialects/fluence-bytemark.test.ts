// VMs made by Fluence's calls, seen and changed by Bytemark's, and the reverse. After each test everything adds up.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Database } from '../../src/store/database.ts';
import { createBody, created, group, machines, untilPower } from '../api/bytemark/vms.ts';
import {
  assertRefused,
  deployBody,
  deployed,
  openStore,
  removed,
  untilGone,
  untilStatus,
  vmOf,
} from '../api/support.ts';
import { startTestBerth, type TestBerth, until, withinOneEpoch } from '../support/berth.ts';
import { assertInOrder, bytemark, costOf, fluenceIdOf, serverOf, untilFluence } from './support.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.70.1.0/24' });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});
beforeEach(() => withinOneEpoch());
afterEach(() => assertInOrder(database));

/** A VM by Fluence's calls that runs. @returns its id there and its name */
async function fluenceVm(name: string): Promise<string> {
  const [id = ''] = await deployed(berth, deployBody({ name, openPorts: [{ port: 8080, protocol: 'tcp' }] }));
  await untilStatus(berth, id, 'Active');
  return id;
}

/** A VM by Bytemark's calls that runs. @returns its id in Fluence's dialect */
async function bytemarkVm(name: string, rest: Record<string, unknown> = {}): Promise<string> {
  await created(berth, createBody({ name }, rest));
  await untilPower(berth, name, true);
  return fluenceIdOf(berth, name);
}

/** A change by Bytemark's calls that is done. */
async function put(name: string, body: object): Promise<void> {
  const answer = await bytemark(berth, 'PUT', `${machines}/${name}`, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

test('a VM of Fluence’s is a server in the group default, with its disc, its address and its power', async () => {
  const id = await fluenceVm('from-fluence');
  const shown = await vmOf(berth, id);
  const server = await serverOf(berth, 'from-fluence');
  assert.ok(server && shown);
  assert.deepEqual(
    [server.cores, server.memory, server.power_on, server.autoreboot_on, server.deleted, server.hardware_profile],
    [1, 1024, true, false, false, 'virtio2013'],
  );
  assert.deepEqual(
    server.discs?.map(({ label, size, storage_grade }) => [label, size, storage_grade]),
    [['disc-1', 5 * 1024, 'sata']],
  );
  assert.equal(server.network_interfaces?.[0]?.ips[0], shown.publicIp);
  assert.equal(server.hostname, 'from-fluence.default.default.berth.local');
  assert.deepEqual((await serverOf(berth, server.id, '/virtual_machines'))?.name, 'from-fluence');
  await removed(berth, database, [id]);
  assert.equal(await serverOf(berth, 'from-fluence'), undefined);
});

test('a server of Bytemark’s stands in Fluence’s list, with what it has and what it costs', async () => {
  const discs = [
    { label: 'root', storage_grade: 'sata', size: 10_240 },
    { label: 'fast', storage_grade: 'ssd', size: 2_048 },
  ];
  const id = await bytemarkVm('from-bytemark', { discs });
  const shown = await vmOf(berth, id);
  const server = await serverOf(berth, 'from-bytemark');
  assert.equal(shown?.status, 'Active');
  assert.equal(shown.publicIp, server?.network_interfaces?.[0]?.ips[0]);
  const supply = (type: string) => shown.resources.find((resource) => resource.type === type)?.supply;
  assert.deepEqual(['VCPU', 'RAM', 'STORAGE', 'PUBLIC_IP'].map(supply), [1, 1, 12, 1]);
  assert.deepEqual(shown.ports.map(({ port }) => port).sort(), [22, 443, 80]);
  assert.deepEqual(await costOf(berth, id), { price: '0.144', held: '0.144', spent: '0.144' });
  await removed(berth, database, [id]);
  assert.equal(await serverOf(berth, 'from-bytemark'), undefined, 'deleted there, it is gone here for good');
});

test('the same size costs the same, whichever dialect it is asked for in', async () => {
  const fluence = await fluenceVm('same-fluence');
  const id = await bytemarkVm('same-bytemark', { discs: [{ label: 'root', storage_grade: 'sata', size: 5_120 }] });
  assert.deepEqual(await costOf(berth, id), await costOf(berth, fluence));
  await removed(berth, database, [fluence, id]);
});

test('a name is taken for both: by a VM, by a server, and by a server that is deleted', async () => {
  const id = await fluenceVm('taken');
  const refused = await bytemark(berth, 'POST', `${group}/vm_create`, createBody({ name: 'taken' }));
  assert.deepEqual([refused.status, refused.body], [400, { name: ['has already been taken'] }]);
  await removed(berth, database, [id]);
  const server = await bytemarkVm('taken');
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ name: 'taken' })), 409, 'taken');
  assert.equal((await bytemark(berth, 'DELETE', `${machines}/taken`)).status, 204);
  assertRefused(await berth.call('POST', '/vms/v3', deployBody({ name: 'taken' })), 409, 'taken');
  assert.equal((await bytemark(berth, 'DELETE', `${machines}/taken?purge=true`)).status, 204);
  await untilGone(database, [server]);
  await removed(berth, database, [await fluenceVm('taken')]);
});

test('another name from either side is its name on both', async () => {
  const id = await fluenceVm('name-1');
  const patch = { updates: [{ id, vmName: 'name-2' }] };
  assert.equal((await berth.call('PATCH', '/vms/v3', patch)).status, 204);
  assert.equal(await serverOf(berth, 'name-1'), undefined);
  assert.equal((await serverOf(berth, 'name-2'))?.name, 'name-2');
  await put('name-2', { name: 'name-3' });
  assert.equal(await fluenceIdOf(berth, 'name-3'), id);
  await removed(berth, database, [id]);
});

test('ports of a server are opened and closed by Fluence’s call', async () => {
  const id = await bytemarkVm('ports');
  const openPorts = [{ port: 8443, protocol: 'tcp' }];
  assert.equal((await berth.call('PATCH', '/vms/v3', { updates: [{ id, openPorts }] })).status, 204);
  assert.deepEqual((await vmOf(berth, id))?.ports, openPorts);
  await removed(berth, database, [id]);
});

test('stopped and started by Bytemark’s calls, it is Stopped and Active in Fluence’s list', async () => {
  const id = await fluenceVm('power');
  await put('power', { autoreboot_on: false, power_on: false });
  await untilFluence(berth, id, 'Stopped');
  assert.equal((await vmOf(berth, id))?.publicIp, null);
  await put('power', { autoreboot_on: true, power_on: true });
  await untilFluence(berth, id, 'Active');
  await removed(berth, database, [id]);
});

test('what it gets by Bytemark’s calls shows in Fluence’s list with its price, and the deposit follows', async () => {
  const id = await fluenceVm('grows');
  assert.equal((await costOf(berth, id)).price, '0.135');
  await put('grows', { cores: 2 });
  await put('grows', { memory: 2048 });
  assert.equal((await costOf(berth, id)).price, '0.255');
  const disc = { label: 'more', storage_grade: 'ssd', size: 10_240 };
  const added = await bytemark(berth, 'POST', `${machines}/grows/discs`, disc);
  assert.equal(added.status, 200, JSON.stringify(added.body));
  assert.equal((await costOf(berth, id)).price, '0.275');
  const server = await serverOf(berth, 'grows');
  const nic = server?.network_interfaces?.[0]?.id;
  const wanted = { addresses: 1, family: 'ipv4', reason: 'a test', contiguous: false };
  const given = await bytemark(berth, 'POST', `${machines}/grows/nics/${nic}/ip_create`, wanted);
  assert.equal(given.status, 200, JSON.stringify(given.body));
  const after = await vmOf(berth, id);
  assert.deepEqual([after?.pricePerEpoch, after?.reservedBalance], ['0.285', '0.285']);
  const supply = (type: string) => after?.resources.find((resource) => resource.type === type)?.supply;
  assert.deepEqual(['VCPU', 'RAM', 'STORAGE', 'PUBLIC_IP'].map(supply), [2, 2, 15, 2]);
  // What is less counts for the memory and the cores only once it runs with them.
  await put('grows', { memory: 1024 });
  assert.equal((await costOf(berth, id)).price, '0.285');
  await put('grows', { autoreboot_on: true, power_on: false });
  await until('it is cheaper', async () => (await costOf(berth, id)).price === '0.265');
  await removed(berth, database, [id]);
});

test('deleted by Bytemark’s call it is out of Fluence’s sight, costs what is kept, comes back as it was, and is purged for both', async () => {
  const id = await fluenceVm('bin');
  assert.equal((await bytemark(berth, 'DELETE', `${machines}/bin`)).status, 204);
  assert.equal(await vmOf(berth, id), undefined);
  assert.equal(await serverOf(berth, 'bin', machines, ''), undefined);
  assert.equal((await serverOf(berth, 'bin'))?.deleted, true);
  const { price_micro_usd, held_micro_usd } = await database
    .selectFrom('bill')
    .where('instance_id', '=', id)
    .select(['price_micro_usd', 'held_micro_usd'])
    .executeTakeFirstOrThrow();
  assert.deepEqual([price_micro_usd, held_micro_usd], [15_000n, 15_000n]);
  await put('bin', { deleted: false });
  assert.equal((await costOf(berth, id)).price, '0.135');
  assert.equal((await costOf(berth, id)).spent, '0.135', 'the day was paid already');
  await put('bin', { power_on: true });
  await untilFluence(berth, id, 'Active');
  assert.equal((await bytemark(berth, 'DELETE', `${machines}/bin?purge=true`)).status, 204);
  assert.equal(await vmOf(berth, id), undefined);
  assert.equal(await serverOf(berth, 'bin'), undefined);
  await untilGone(database, [id]);
});

test('what Bytemark’s call has deleted can be purged by Fluence’s', async () => {
  const id = await bytemarkVm('two-steps');
  assert.equal((await bytemark(berth, 'DELETE', `${machines}/two-steps`)).status, 204);
  await removed(berth, database, [id]);
  assert.equal(await serverOf(berth, 'two-steps'), undefined);
});

test('servers of one name in two groups are two VMs of that name, and each is changed by itself', async () => {
  assert.equal((await bytemark(berth, 'POST', '/accounts/default/groups', { name: 'second' })).status, 200);
  const second = '/accounts/default/groups/second';
  await created(berth, createBody({ name: 'twin' }));
  await created(berth, createBody({ name: 'twin' }), second);
  const { body } = await berth.call<{ id: string; vmName: string }[]>('GET', '/vms/v3');
  const ids = body.filter(({ vmName }) => vmName === 'twin').map(({ id }) => id);
  assert.equal(ids.length, 2);
  await removed(berth, database, ids.slice(0, 1));
  const left = [await serverOf(berth, 'twin'), await serverOf(berth, 'twin', `${second}/virtual_machines`)];
  assert.equal(left.filter(Boolean).length, 1);
  await removed(berth, database, ids.slice(1));
  assert.equal((await bytemark(berth, 'DELETE', second)).status, 204);
});
