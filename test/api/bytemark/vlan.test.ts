// Groups' networks and IP ranges by Bytemark's calls, and the addresses that VMs get in them, chosen or not.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hardwareSuffix } from '../../../src/model/ip-range.ts';
import type { Database } from '../../../src/store/database.ts';
import { type Answer, callApi, startTestBerth, type TestBerth } from '../../support/berth.ts';
import { driftOf, openStore } from '../support.ts';
import { addUser, grant, tokenOf } from './identity.ts';
import { call, createBody, created, type Faults, overview, type Vm } from './vms.ts';

const account = '/accounts/default';
let berth: TestBerth;
let database: Database;
/** A session's token of who runs the cluster. */
let operator: string;

interface Range {
  id: number;
  spec: string;
  vlan_num: number | null;
  zones: string[];
  available: number;
}
interface Vlan {
  id: number;
  num: number;
  usage_type: string;
  ip_ranges: Range[];
}

before(async () => {
  berth = await startTestBerth({ addressPool: '127.67.1.0/24', up: { network: { mode: 'bridge', translates: true } } });
  database = await openStore(berth);
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  operator = await tokenOf(berth, user);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

/** A call of who runs the cluster. */
function admin<Body = Faults>(method: string, path: string, body?: unknown): Promise<Answer<Body>> {
  return callApi<Body>(berth.url, null, method, path, body, {
    authorization: `Bearer ${operator}`,
    'content-type': 'application/json',
  });
}

async function addRange(spec: string, vlan: number): Promise<Range> {
  const answer = await admin<Range>('POST', '/admin/ip_ranges', { ip_range: spec, vlan_num: vlan });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** A group with a network of this number. */
async function addGroup(name: string, vlan: number): Promise<string> {
  const answer = await admin('POST', '/admin/groups', { account_spec: 'default', group_name: name, vlan_num: vlan });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return `${account}/groups/${name}`;
}

const inGroup = (path: string) => `${path}/virtual_machines`;
const nicOf = (vm: Vm) => vm.network_interfaces?.[0] ?? assert.fail('it has no network interface');

/** Makes a VM with these addresses. */
async function createAt(path: string, ips?: Record<string, unknown>): Promise<Vm> {
  const { virtual_machine: vm } = await created(berth, createBody({}, ips ? { ips } : {}), path);
  return await overview(berth, vm.name, inGroup(path));
}

async function assertRefused(path: string, ips: unknown, faults: Faults): Promise<void> {
  // Others may just be coming up.
  const here = async () =>
    (await call<Vm[]>(berth, 'GET', `${inGroup(path)}?include_deleted=true`)).body.map(({ id, name }) => [id, name]);
  const before = await here();
  const answer = await call(berth, 'POST', `${path}/vm_create`, createBody({}, { ips }));
  assert.deepEqual([answer.status, answer.body], [400, faults]);
  assert.deepEqual(await here(), before);
}

test('every group has a network of its own number, also one that nobody numbered', async () => {
  const made = await call(berth, 'POST', `${account}/groups`, { name: 'numbered' });
  assert.equal(made.status, 200);
  const vlans = (await admin<Vlan[]>('GET', '/admin/vlans')).body;
  const groups = await database.selectFrom('group').select('vlan_num').execute();
  assert.deepEqual(new Set(vlans.map(({ num }) => num)), new Set(groups.map((group) => group.vlan_num)));
  assert.ok(vlans.every((vlan) => vlan.usage_type === 'public' && vlan.ip_ranges.length === 0));
  const vm = await createAt(`${account}/groups/numbered`);
  const number = await database
    .selectFrom('group')
    .where('name', '=', 'numbered')
    .select('vlan_num')
    .executeTakeFirst();
  assert.equal((nicOf(vm) as { vlan_num?: number }).vlan_num, number?.vlan_num);
});

test('who does not run the cluster may not see networks nor change them', async () => {
  for (const [method, path] of [
    ['GET', '/admin/vlans'],
    ['GET', '/admin/vlans/1'],
    ['DELETE', '/admin/vlans/1'],
    ['GET', '/admin/ip_ranges'],
    ['GET', '/admin/ip_ranges/1'],
    ['POST', '/admin/ip_ranges'],
  ] as const) {
    assert.equal(
      (await call(berth, method, path, method === 'POST' ? {} : undefined)).status,
      403,
      `${method} ${path}`,
    );
    assert.equal((await callApi(berth.url, null, method, path)).status, 401, `${method} ${path}`);
  }
});

test('a range is shown by its id, by itself and in its network, with how much of it is free', async () => {
  const range = await addRange('10.71.0.1/29', 710);
  assert.deepEqual({ ...range, id: 0 }, { id: 0, spec: '10.71.0.0/29', vlan_num: 710, zones: [], available: 5 });
  assert.deepEqual((await admin<Range>('GET', `/admin/ip_ranges/${range.id}`)).body, range);
  assert.deepEqual((await admin<Range[]>('GET', '/admin/ip_ranges?cidr=10.71.0.0/29')).body, [range]);
  assert.deepEqual((await admin<Range[]>('GET', '/admin/ip_ranges?cidr=10.72.0.0/29')).body, []);
  const { body: vlan } = await admin<Vlan>('GET', '/admin/vlans/710');
  assert.deepEqual([vlan.usage_type, vlan.ip_ranges], ['private', [range]]);
  await createAt(await addGroup('shown', 710));
  assert.equal((await admin<Range>('GET', `/admin/ip_ranges/${range.id}`)).body.available, 4);
  const wide = await addRange('2001:db8:71::/64', 710);
  assert.equal(wide.available, 2 ** 64);
});

test('what is no range, or overlaps one or a host’s pool, is refused', async () => {
  const add = async (body: unknown) => {
    const answer = await admin('POST', '/admin/ip_ranges', body);
    return [answer.status, Object.keys(answer.body)];
  };
  await addRange('10.73.0.0/24', 730);
  assert.deepEqual(await add({}), [400, ['ip_range']]);
  assert.deepEqual(await add({ ip_range: 'here', vlan_num: 730 }), [400, ['ip_range']]);
  assert.deepEqual(await add({ ip_range: '10.73.0.128/25', vlan_num: 731 }), [400, ['ip_range']]);
  assert.deepEqual(await add({ ip_range: '127.67.1.0/25', vlan_num: 731 }), [400, ['ip_range']]);
  assert.deepEqual(await add({ ip_range: '10.74.0.0/24', vlan_num: 0 }), [400, ['vlan_num']]);
  assert.deepEqual(await add({ ip_range: '10.74.0.0/24', vlan_num: 1.5 }), [400, ['vlan_num']]);
  assert.deepEqual(await add({ ip_range: '10.74.0.0/24', vlan_num: 2 ** 24 }), [400, ['vlan_num']]);
  assert.deepEqual(await add({ ip_range: '10.74.0.0/24', vlan_num: 'x' }), [400, ['vlan_num']]);
  assert.deepEqual(await add({ ip_range: '10.74.0.0/24' }), [400, ['vlan_num']]);
  for (const path of [
    '/admin/ip_ranges/999999',
    '/admin/ip_ranges/x',
    '/admin/vlans/999',
    '/admin/vlans/99999999999',
  ]) {
    assert.equal((await admin('GET', path)).status, 404, path);
  }
});

test('in a network with ranges addresses come from these, and IPv6 ones are what guests make themselves', async () => {
  await addRange('10.75.0.0/29', 750);
  await addRange('2001:db8:75::/64', 750);
  const path = await addGroup('ranged', 750);
  const vms = [await createAt(path), await createAt(path)];
  assert.deepEqual(
    vms.map((vm) => nicOf(vm).ips[0]),
    ['10.75.0.2', '10.75.0.3'],
  );
  for (const vm of vms) {
    const { ips, mac } = nicOf(vm);
    const groups = hardwareSuffix(mac)
      .toString(16)
      .padStart(16, '0')
      .match(/.{4}/g)
      ?.map((group) => group.replace(/^0+/, ''));
    assert.equal(ips[1], `2001:db8:75:0:${groups?.join(':')}`);
  }
  const elsewhere = await createAt(`${account}/groups/default`);
  assert.match(nicOf(elsewhere).ips.join(), /^127\.67\.1\.\d+$/);

  for (let number = 3; number <= 5; number += 1) await createAt(path);
  const full = await call(berth, 'POST', `${path}/vm_create`, createBody());
  assert.deepEqual([full.status, full.body], [400, { ips: ["The group's network has no IPv4 address left."] }]);
  assert.deepEqual(await driftOf(database), []);
});

test('addresses can be chosen there, of either family alone or of both, in any notation', async () => {
  await addRange('10.76.0.0/24', 760);
  await addRange('2001:db8:76::/64', 760);
  const path = await addGroup('chosen', 760);
  const both = await createAt(path, { ipv4: '10.76.0.77', ipv6: '2001:0DB8:76:0::0077' });
  assert.deepEqual(nicOf(both).ips, ['10.76.0.77', '2001:db8:76::77']);
  const ipv4 = await createAt(path, { ipv4: '10.76.0.78', ipv6: '' });
  assert.equal(nicOf(ipv4).ips[0], '10.76.0.78');
  assert.match(nicOf(ipv4).ips[1] ?? '', /^2001:db8:76:0:5054:ff:fe/);
  const ipv6 = await createAt(path, { ipv4: null, ipv6: '2001:db8:76::79' });
  assert.match(nicOf(ipv6).ips[0] ?? '', /^10\.76\.0\.\d+$/);
  assert.equal(nicOf(ipv6).ips[1], '2001:db8:76::79');

  const taken = 'is in use by another virtual machine';
  await assertRefused(path, { ipv4: '10.76.0.77' }, { ipv4: [taken] });
  await assertRefused(path, { ipv4: '10.76.0.77', ipv6: '2001:db8:76::77' }, { ipv4: [taken], ipv6: [taken] });
  await call(berth, 'DELETE', `${inGroup(path)}/${both.name}`);
  await assertRefused(path, { ipv4: '10.76.0.77' }, { ipv4: ['is kept by a deleted virtual machine'] });
  const outside = "is not in an IP range of the group's network";
  await assertRefused(path, { ipv4: '10.77.0.1', ipv6: '2001:db8:77::1' }, { ipv4: [outside], ipv6: [outside] });
  await assertRefused(path, { ipv4: '2001:db8:76::5' }, { ipv4: ['is not an IPv4 address'] });
  await assertRefused(path, { ipv6: '10.76.0.5' }, { ipv6: ['is not an IPv6 address'] });
  await assertRefused(path, { ipv4: '10.76.0' }, { ipv4: ['is not an IPv4 address'] });
  await assertRefused(path, { ipv4: '10.76.0.0' }, { ipv4: ['is the address of the network itself'] });
  await assertRefused(path, { ipv4: '10.76.0.1' }, { ipv4: ['is the address of the gateway'] });
  await assertRefused(path, { ipv4: '10.76.0.255' }, { ipv4: ['is the broadcast address'] });
  await assertRefused(
    path,
    { ipv6: '2001:db8:76::5054:ff:fe00:1' },
    { ipv6: ['is kept for what a guest makes of its hardware address'] },
  );
  assert.deepEqual(await driftOf(database), []);
});

test('in a group without ranges no address can be chosen', async () => {
  await assertRefused(
    `${account}/groups/default`,
    { ipv4: '127.67.1.9' },
    { ips: ['can only be chosen in a group whose network has IP ranges of its own'] },
  );
});

test('of twenty who want one address at once, one gets it', async () => {
  await addRange('10.78.0.0/24', 780);
  const path = await addGroup('raced', 780);
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      call(berth, 'POST', `${path}/vm_create`, createBody({}, { ips: { ipv4: '10.78.0.50' } })),
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [202, ...Array<number>(19).fill(400)]);
  for (const { status, body } of answers) {
    if (status === 400) assert.deepEqual(body, { ipv4: ['is in use by another virtual machine'] });
  }
});

test('a network is deleted by its id when no group has it and no address of it is held', async () => {
  await addRange('10.79.0.0/24', 790);
  const { body: vlan } = await admin<Vlan>('GET', '/admin/vlans/790');
  const path = await addGroup('passing', 790);
  const remove = () => admin('DELETE', `/admin/vlans/${vlan.id}`);
  assert.equal((await remove()).status, 400);
  assert.equal((await call(berth, 'DELETE', path)).status, 204);
  assert.equal((await admin('GET', '/admin/vlans/790')).status, 200, 'it has a range');
  assert.equal((await remove()).status, 204);
  assert.equal((await remove()).status, 404);
  assert.equal((await admin('GET', '/admin/vlans/790')).status, 404);
  assert.deepEqual((await admin<Range[]>('GET', '/admin/ip_ranges?cidr=10.79.0.0/24')).body, []);
});

test('a VM that moves to a group with another network gets addresses of that, when it is off', async () => {
  await addRange('10.80.0.0/24', 800);
  await addRange('2001:db8:80::/64', 800);
  const [from, to] = [`${account}/groups/default`, await addGroup('target', 800)];
  const { body: target } = await call<{ id: number }>(berth, 'GET', to);
  const vm = await createAt(from);
  const path = `${inGroup(from)}/${vm.name}`;
  const move = () => call(berth, 'PUT', path, { group_id: target.id });
  await call(berth, 'PUT', path, { power_on: true, autoreboot_on: false });
  const refused = await move();
  assert.equal(refused.status, 400);
  assert.match(JSON.stringify(refused.body), /it has to be off/);
  assert.deepEqual(nicOf(await overview(berth, vm.name, inGroup(from))).ips, nicOf(vm).ips);
  await call(berth, 'PUT', path, { power_on: false, autoreboot_on: false });
  assert.equal((await move()).status, 200);
  const moved = await overview(berth, vm.name, inGroup(to));
  assert.match(nicOf(moved).ips.join(), /^10\.80\.0\.\d+,2001:db8:80:0:5054:ff:fe[0-9a-f:]+$/);
  const rules = await database
    .selectFrom('port_rule')
    .where('ip', '=', nicOf(moved).ips[0] ?? '')
    .select('port')
    .execute();
  assert.ok(rules.length > 0, 'its open ports came along');
  assert.deepEqual(await driftOf(database), []);
});
