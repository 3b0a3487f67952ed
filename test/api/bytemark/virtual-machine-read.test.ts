// Reading VMs, their discs and network interfaces: every field, every way to name one, and only what the caller may see.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { macAddressOf } from '../../../src/model/mac-address.ts';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import { deployBody, deployed, openStore, untilStatus } from '../support.ts';
import { callerWith, type Send, sender } from './reading.ts';
import { createBody, created, group, machines, untilPower, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;
let send: Send;
let web: Vm;
const both = '?include_deleted=true&view=overview';

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.1.0/24' });
  database = await openStore(berth);
  send = sender(berth, `apikey.${berth.apiKey}`);
  const discs = [
    { label: 'root disc', storage_grade: 'sata', size: 25_600 },
    { label: 'data', storage_grade: 'sata', size: 1_000 },
  ];
  await created(berth, createBody({ name: 'web', cores: 2, memory: 2048 }, { discs }));
  await send('POST', '/accounts/default/groups', { name: 'other' });
  await created(berth, createBody({ name: 'web' }), '/accounts/default/groups/other');
  web = await untilPower(berth, 'web', true);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

async function shown<Body = Vm>(path: string, as: Send = send): Promise<Body> {
  const answer = await as<Body>('GET', path);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}
const idsOf = (things: { id: number }[]) => things.map(({ id }) => id);

test('an overview of a VM has every field that clients know, and no other', async () => {
  const row = await database
    .selectFrom('instance')
    .innerJoin('host', 'host.id', 'host_id')
    .innerJoin('main_address', 'main_address.instance_id', 'instance.id')
    .leftJoin('management_address', 'management_address.instance_id', 'instance.id')
    .innerJoin('group', 'group.id', 'group_id')
    .where('instance.number', '=', BigInt(web.id))
    .select(['instance.id', 'host.name as head', 'main_address.ip', 'management_address.ip as console', 'vlan_num'])
    .executeTakeFirstOrThrow();
  const [root, data] = web.discs ?? [];
  assert.ok(root && data && root.id !== data.id);
  const { type, virtual_machine_id, storage_grade } = { ...root } as Record<string, unknown>;
  assert.deepEqual([type, virtual_machine_id, storage_grade], ['application/vnd.bigv.disc', web.id, 'sata']);
  assert.deepEqual(
    (web.discs ?? []).map(({ label, size }) => [label, size]),
    [
      ['root disc', 25_600],
      ['data', 1_000],
    ],
  );
  const { discs: _discs, ...rest } = web;
  assert.deepEqual(rest, {
    ...{ autoreboot_on: true, cdrom_url: null, cores: 2, deleted: false, group_id: web.group_id },
    ...{ hardware_profile: 'virtio2013', hardware_profile_locked: false, head: row.head, id: web.id, keymap: null },
    ...{ hostname: 'web.default.default.berth.local', last_imaged_with: 'micro', management_address: row.console },
    ...{ memory: 2048, name: 'web', power_on: true, type: 'application/vnd.bigv.virtual-machine', zone_name: null },
    network_interfaces: [
      {
        ...{ extra_ips: {}, id: web.id, ips: [row.ip], label: null, mac: macAddressOf(row.id) },
        ...{ type: 'application/vnd.bigv.network-interface', virtual_machine_id: web.id, vlan_num: row.vlan_num },
      },
    ],
  });
});

test('without an overview a VM is shown without its parts', async () => {
  const { discs: _discs, network_interfaces: _nics, ...alone } = web;
  assert.deepEqual(await shown(`${machines}/web`), alone);
});

test('accounts, groups and VMs are named by number or name, and a name may be written in a form’s way', async () => {
  const { id: account } = await shown<{ id: number }>('/accounts/default');
  const whole = await shown(`${machines}/web${both}`);
  for (const path of [
    `/accounts/${account}/groups/default/virtual_machines/web`,
    `/accounts/default/groups/${web.group_id}/virtual_machines/web`,
    `/accounts/${account}/groups/${web.group_id}/virtual_machines/${web.id}`,
    `/virtual_machines/${web.id}`,
    '/accounts/%64efault/groups/default/virtual_machines/%77eb',
  ]) {
    assert.deepEqual(await shown(path + both), whole, path);
  }
  for (const label of ['root+disc', 'root%20disc', String(web.discs?.[0]?.id)]) {
    assert.deepEqual(await shown(`${machines}/web/discs/${label}`), web.discs?.[0], label);
  }
  assert.equal((await send('GET', `${machines}/web/discs/root%2Bdisc`)).status, 404);
});

test('discs and network interfaces are read below their VM and by number', async () => {
  const [disc] = web.discs ?? [];
  const [nic] = web.network_interfaces ?? [];
  assert.ok(disc && nic);
  assert.deepEqual(await shown(`${machines}/web/discs`), web.discs);
  assert.deepEqual(await shown(`/discs/${disc.id}`), disc);
  assert.deepEqual(await shown(`${machines}/web/nics`), [nic]);
  assert.deepEqual(await shown(`${machines}/web/nics/${nic.id}`), nic);
  assert.deepEqual(await shown(`/nics/${nic.id}`), nic);
  const [other] = await shown<Vm[]>('/virtual_machines?group_name=other&view=overview');
  for (const path of [
    `${machines}/web/discs/${other?.discs?.[0]?.id}`,
    `${machines}/web/nics/${other?.id}`,
    ...['/discs/data', '/nics/web', '/discs/999999', `/nics/${'9'.repeat(30)}`],
  ]) {
    assert.equal((await send('GET', path)).status, 404, path);
  }
});

test('flat lists are narrowed by numbers and names, and pass over what they don’t know', async () => {
  const all = await shown<Vm[]>('/virtual_machines?view=overview&frobnicate=1&page=2');
  assert.equal(all.length, 2);
  assert.deepEqual(await shown(`${machines}${both}`), [web]);
  for (const query of [
    ...[`group_id=${web.group_id}`, `vm_id=${web.id}`, 'group_name=default', 'group_id=default&vm_name=web'],
    'account_name=default&group_name=default',
  ]) {
    assert.deepEqual(idsOf(await shown<Vm[]>(`/virtual_machines?${query}`)), [web.id], query);
    assert.deepEqual(idsOf(await shown<Vm[]>(`/nics?${query}`)), [web.id], query);
    assert.deepEqual(idsOf(await shown<Vm[]>(`/discs?${query}`)), idsOf(web.discs ?? []), query);
  }
  for (const query of ['account_id=999', 'group_name=none', 'vm_name=nobody', `vm_id=${'9'.repeat(40)}`]) {
    assert.deepEqual(await shown(`/virtual_machines?${query}`), [], query);
  }
});

test('a name without a group is found where only one VM in sight has it', async () => {
  assert.equal((await send('GET', '/virtual_machines/web')).status, 404);
  const of = await callerWith(berth, database, 'vm_console', { account: 'default', group: 'other', vm: 'web' });
  assert.equal((await shown('/virtual_machines/web?view=overview', of)).hostname, 'web.other.default.berth.local');
});

test('a caller is shown what he has a privilege on, and for him there is nothing else', async () => {
  const vmOnly = await callerWith(berth, database, 'vm_admin', { account: 'default', group: 'default', vm: 'web' });
  const groupOnly = await callerWith(berth, database, 'group_admin', { account: 'default', group: 'other' });
  const whole = await callerWith(berth, database, 'account_admin', { account: 'default' });
  const cluster = await callerWith(berth, database, 'cluster_admin');
  const names = async (of: Send) =>
    (await shown<Vm[]>('/virtual_machines', of)).map(({ hostname }) => hostname.split('.').slice(0, 2).join('.'));
  assert.deepEqual(await names(vmOnly), ['web.default']);
  assert.deepEqual(await names(groupOnly), ['web.other']);
  assert.deepEqual(await names(whole), ['web.default', 'web.other']);
  assert.deepEqual(await names(cluster), ['web.default', 'web.other']);
  const groups = async (of: Send) => (await shown<{ name: string }[]>('/groups', of)).map(({ name }) => name);
  assert.deepEqual(await groups(vmOnly), ['default']);
  assert.deepEqual(await groups(groupOnly), ['other']);
  for (const path of ['/accounts/default/groups/other', '/accounts/default/groups/other/virtual_machines/web']) {
    assert.equal((await vmOnly('GET', path)).status, 404, path);
  }
  for (const path of [`${machines}/web`, `/virtual_machines/${web.id}`, `/discs/${web.discs?.[0]?.id}`, group]) {
    assert.equal((await groupOnly('GET', path)).status, 404, path);
  }
  const overview = await shown<{ groups: { name: string; virtual_machines: Vm[] }[] }>(
    '/accounts/default?view=overview',
    vmOnly,
  );
  assert.deepEqual(
    overview.groups.map(({ name, virtual_machines: vms }) => [name, idsOf(vms)]),
    [['default', [web.id]]],
  );
});

test('a deleted VM is shown to whoever asks for deleted ones', async () => {
  const { virtual_machine: gone } = await created(berth, createBody({ name: 'going' }));
  await database
    .updateTable('instance')
    .set({ status: 'soft-deleted' })
    .where('number', '=', BigInt(gone.id))
    .execute();
  assert.equal((await send('GET', `${machines}/going`)).status, 404);
  assert.equal((await send('GET', `/virtual_machines/${gone.id}?view=overview`)).status, 404);
  const found = await shown(`${machines}/going${both}`);
  assert.deepEqual([found.deleted, found.power_on, found.discs?.length], [true, false, 1]);
  const names = async (query: string) => (await shown<Vm[]>(`${machines}${query}`)).map(({ name }) => name);
  assert.deepEqual(await names(''), ['web']);
  assert.deepEqual(await names(both), ['web', 'going']);
  assert.equal((await shown<unknown[]>(`${machines}/going/discs`)).length, 1);
});

test('a VM that was deployed by another API is in the group default, with its disk and address', async () => {
  const [id = ''] = await deployed(berth, deployBody({ name: 'fluent' }));
  await untilStatus(berth, id, 'Active');
  const vm = await shown(`${machines}/fluent${both}`);
  assert.deepEqual([vm.power_on, vm.autoreboot_on, vm.deleted], [true, false, false]);
  assert.deepEqual(
    vm.discs?.map(({ label, storage_grade: grade }) => [label, grade]),
    [['disc-1', 'sata']],
  );
  assert.equal(vm.network_interfaces?.[0]?.mac, macAddressOf(id));
  assert.match(vm.network_interfaces?.[0]?.ips[0] ?? '', /^127\.62\.1\.\d+$/);
});

test('who bears no token, or a wrong one, is told so before anything else', async () => {
  for (const token of ['', 'nonsense', 'apikey.berth_nonsense']) {
    const answer = await sender(berth, token)('GET', `${machines}/web`);
    assert.equal(answer.status, 401, token);
  }
});
