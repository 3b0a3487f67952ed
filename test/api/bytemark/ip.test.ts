// Additional addresses, names in the other direction, and exchanged addresses by Bytemark's calls.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAccount } from '../../../src/app/account.ts';
import type { Database } from '../../../src/store/database.ts';
import { callApi, startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { driftOf, openStore } from '../support.ts';
import { addUser, asOperator, grant, tokenOf } from './identity.ts';
import { call, changed, createBody, created, type Faults, group, machines, overview, running, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.67.2.0/24' });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

interface IpCreate {
  addresses: number;
  family: string;
  reason: string;
  contiguous: boolean;
  ips: string[];
}
interface Nic {
  id: number;
  ips: string[];
  extra_ips: Record<string, string>;
}

const nicOf = (vm: Vm): Nic => (vm.network_interfaces as unknown as Nic[])[0] ?? assert.fail('it has none');
const nicAt = async (name: string) => nicOf(await overview(berth, name));

/** The client's own body. */
const ipCreate = (addresses: number) => ({ addresses, family: 'ipv4', reason: 'for a test', contiguous: false });

async function add(name: string, addresses: number): Promise<string[]> {
  const { id } = await nicAt(name);
  const answer = await call<IpCreate>(berth, 'POST', `${machines}/${name}/nics/${id}/ip_create`, ipCreate(addresses));
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal(answer.body.ips.length, addresses);
  return answer.body.ips;
}

async function stopped(): Promise<Vm> {
  const vm = await running(berth);
  return await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
}

const priceOf = async (name: string) =>
  (
    await database
      .selectFrom('bill')
      .innerJoin('instance', 'instance.id', 'instance_id')
      .where('name', '=', name)
      .select('bill.price_micro_usd')
      .executeTakeFirstOrThrow()
  ).price_micro_usd;

test('additional addresses lead to the main one, cost what addresses cost, and the host is told', async () => {
  const vm = await running(berth);
  const before = await priceOf(vm.name);
  const ips = await add(vm.name, 2);
  const nic = await nicAt(vm.name);
  const [main = ''] = nic.ips;
  assert.deepEqual(nic.ips.length, 1);
  assert.deepEqual(nic.extra_ips, Object.fromEntries(ips.map((ip) => [ip, main])));
  assert.equal((await priceOf(vm.name)) - before, 20_000n, 'two addresses at the rate of the settings');

  const assigned = await database
    .selectFrom('assignment')
    .innerJoin('instance', 'instance.id', 'instance_id')
    .where('name', '=', vm.name)
    .select(['generation', 'observed_generation', 'desired'])
    .executeTakeFirstOrThrow();
  assert.equal(assigned.desired, 'running');
  assert.ok(assigned.generation > 1);
  const kept = await database.selectFrom('address').where('ip', 'in', ips).select('reason').execute();
  assert.deepEqual(
    kept.map(({ reason }) => reason),
    ['for a test', 'for a test'],
  );

  const removed = await call(berth, 'DELETE', `/ips/${ips[0]}`);
  assert.equal(removed.status, 204);
  assert.deepEqual(Object.keys((await nicAt(vm.name)).extra_ips), [ips[1]]);
  assert.equal((await priceOf(vm.name)) - before, 10_000n);
  assert.equal((await call(berth, 'DELETE', `/ips/${ips[0]}`)).status, 404);
  assert.deepEqual(await driftOf(database), []);
});

test('a VM has up to four of them, also when many are asked for at once', async () => {
  const vm = await running(berth);
  const { id } = await nicAt(vm.name);
  const path = `${machines}/${vm.name}/nics/${id}/ip_create`;
  const answers = await Promise.all(Array.from({ length: 8 }, () => call(berth, 'POST', path, ipCreate(1))));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 400, 400, 400, 400]);
  assert.equal(Object.keys((await nicAt(vm.name)).extra_ips).length, 4);
  const more = await call(berth, 'POST', path, ipCreate(1));
  const message = 'is too many: a virtual machine has up to 4 additional ones, and this one has 4';
  assert.deepEqual([more.status, more.body], [400, { addresses: [message] }]);
});

test('what can not be had is told by its field, and nothing is given', async () => {
  const vm = await stopped();
  const { id } = await nicAt(vm.name);
  const path = `${machines}/${vm.name}/nics/${id}/ip_create`;
  const whole = { addresses: ['must be a whole number from 1 to 4'] };
  const cases: [unknown, Faults][] = [
    [{ ...ipCreate(5) }, whole],
    [{ ...ipCreate(0) }, whole],
    [{ ...ipCreate(1.5) }, whole],
    [{ ...ipCreate(1), addresses: 'x' }, { addresses: ['is not a number'] }],
    [{ ...ipCreate(1), family: 'ipv6' }, { family: ['must be ipv4: IPv6 is not supported for additional addresses'] }],
    [
      { ...ipCreate(1), contiguous: true },
      { contiguous: ['must be false: addresses one after the other are not to be had'] },
    ],
    [{ ...ipCreate(1), reason: 'x'.repeat(1001) }, { reason: ['is too long (maximum is 1000 characters)'] }],
  ];
  for (const [body, faults] of cases) {
    const answer = await call(berth, 'POST', path, body);
    assert.deepEqual([answer.status, answer.body], [400, faults], JSON.stringify(body));
  }
  assert.equal(
    (await call(berth, 'POST', `${machines}/${vm.name}/nics/${id + 1000}/ip_create`, ipCreate(1))).status,
    404,
  );
  assert.deepEqual((await nicAt(vm.name)).extra_ips, {});
  const forgiven = await call<IpCreate>(berth, 'POST', path, { addresses: '1', unknown: true });
  assert.deepEqual([forgiven.status, forgiven.body.ips.length, forgiven.body.family], [200, 1, 'ipv4']);
});

test('an address is named in the other direction, and the name is taken away again', async () => {
  const vm = await running(berth);
  const [ip = ''] = (await nicAt(vm.name)).ips;
  const bare = { address: ip, ip, rdns: null };
  const named = { ...bare, rdns: 'web.example.com' };
  assert.deepEqual((await call(berth, 'GET', `/ips/${ip}`)).body, bare);
  const put = await call(berth, 'PUT', `/ips/${ip}`, { rdns: 'web.example.com.' });
  assert.deepEqual([put.status, put.body], [200, named]);
  assert.deepEqual((await call(berth, 'PUT', `/ips/${ip}`, {})).body, named, 'nothing was said of it');
  assert.deepEqual((await call(berth, 'GET', `/ips/${ip}`)).body, named);
  for (const rdns of ['no name', 'a..b', '-.example', '127.0.0.1', `${'x'.repeat(64)}.example`]) {
    const refused = await call(berth, 'PUT', `/ips/${ip}`, { rdns });
    const faults = { rdns: ['must be a host name of up to 253 characters'] };
    assert.deepEqual([refused.status, refused.body], [400, faults], rdns);
  }
  assert.deepEqual((await call(berth, 'PUT', `/ips/${ip}`, { rdns: '' })).body, bare);
  const main = await call(berth, 'DELETE', `/ips/${ip}`);
  assert.equal(main.status, 400);
  assert.match(JSON.stringify(main.body), /only additional ones can be deleted/);
});

test('two VMs that are off exchange their addresses, with the additional ones where that is asked for', async () => {
  const [one, other] = [await stopped(), await stopped()];
  const extra = await add(one.name, 1);
  const before = [await nicAt(one.name), await nicAt(other.name)] as const;
  await call(berth, 'PUT', `/ips/${before[0].ips[0]}`, { rdns: 'one.example.com' });
  const body = { virtual_machine_1_id: one.id, virtual_machine_2_id: other.id };
  const swap = (move_additional_ips: boolean) =>
    call(berth, 'POST', '/ips/swap_virtual_machine_ips', { ...body, move_additional_ips });
  assert.equal((await swap(false)).status, 200);
  const after = [await nicAt(one.name), await nicAt(other.name)] as const;
  assert.deepEqual([after[0].ips, after[1].ips], [before[1].ips, before[0].ips]);
  assert.deepEqual(after[0].extra_ips, { [extra[0] ?? '']: before[1].ips[0] }, 'it leads to the new main one');
  assert.deepEqual((await call(berth, 'GET', `/ips/${before[0].ips[0]}`)).body.rdns, 'one.example.com');

  assert.equal((await swap(true)).status, 200);
  const last = [await nicAt(one.name), await nicAt(other.name)] as const;
  assert.deepEqual([last[0].ips, last[1].ips], [before[0].ips, before[1].ips]);
  assert.deepEqual([last[0].extra_ips, last[1].extra_ips], [{}, { [extra[0] ?? '']: before[1].ips[0] }]);
  assert.deepEqual(await driftOf(database), []);
  // They come up at their new addresses.
  for (const { name } of [one, other]) await changed(berth, name, { autoreboot_on: true, power_on: true });
});

test('what is on keeps its addresses, and so does what is deleted', async () => {
  const [on, off] = [await running(berth), await stopped()];
  const swap = (first: unknown, second: unknown) =>
    call(berth, 'POST', '/ips/swap_virtual_machine_ips', {
      virtual_machine_1_id: first,
      virtual_machine_2_id: second,
      move_additional_ips: true,
    });
  const refused = await swap(on.id, off.id);
  assert.equal(refused.status, 400);
  assert.deepEqual(refused.body, {
    base: [`The addresses of ${on.name} can't be changed like this now: it is not off.`],
  });
  assert.equal((await swap(off.id, off.id)).status, 400);
  assert.equal((await swap(off.id, undefined)).status, 400);
  assert.equal((await swap(off.id, 'x')).status, 400);
  assert.equal((await swap(off.id, 999_999)).status, 404);
  await call(berth, 'DELETE', `${machines}/${on.name}`);
  assert.equal((await swap(on.id, off.id)).status, 400);
  const { id } = await nicAt(on.name);
  const more = await call(berth, 'POST', `${machines}/${on.name}/nics/${id}/ip_create`, ipCreate(1));
  const frozen = `The addresses of ${on.name} can't be changed like this now: it is deleted; restore it first.`;
  assert.deepEqual([more.status, more.body], [400, { base: [frozen] }]);
  const [ip = ''] = (await nicAt(on.name)).ips;
  const named = await call(berth, 'PUT', `/ips/${ip}`, { rdns: 'web.example.com' });
  assert.deepEqual([named.status, named.body], [400, { base: [frozen] }]);
});

test('what is somebody else’s is not there, and who may only look changes nothing', async () => {
  const vm = await running(berth);
  const [ip = ''] = (await nicAt(vm.name)).ips;
  await asOperator(berth, (context) => createAccount(context, 'stranger', 'name'));
  const [stranger, viewer] = [await addUser(berth, 'stranger'), await addUser(berth, 'stranger')];
  await grant(berth, viewer.username, 'vm_console', { account: 'default', group: 'default', vm: vm.name });
  const as = async (user: typeof stranger, method: string, path: string, body?: unknown) => {
    const headers = { authorization: `Bearer ${await tokenOf(berth, user)}`, 'content-type': 'application/json' };
    return (await callApi(berth.url, null, method, path, body, headers)).status;
  };
  const swap = { virtual_machine_1_id: vm.id, virtual_machine_2_id: vm.id, move_additional_ips: false };
  const cases = [
    ['PUT', `/ips/${ip}`, { rdns: 'x.example' }],
    ['DELETE', `/ips/${ip}`, undefined],
    ['POST', `${machines}/${vm.name}/nics/${vm.id}/ip_create`, ipCreate(1)],
    ['POST', '/ips/swap_virtual_machine_ips', swap],
  ] as const;
  for (const [method, path, body] of cases) {
    assert.equal(await as(stranger, method, path, body), 404, `${method} ${path}`);
    assert.equal(await as(viewer, method, path, body), 403, `${method} ${path}`);
    assert.equal((await callApi(berth.url, null, method, path, body)).status, 401, `${method} ${path}`);
  }
  assert.equal(await as(stranger, 'GET', `/ips/${ip}`), 404);
  assert.equal(await as(viewer, 'GET', `/ips/${ip}`), 200);
  for (const path of ['/ips/127.67.2.250', '/ips/here', '/ips/::1']) {
    assert.equal((await call(berth, 'GET', path)).status, 404, path);
  }
});

test('who says which ports are open leaves no others open, in whatever dialect the VM was made', async () => {
  const vm = await running(berth);
  const [ip = ''] = (await nicAt(vm.name)).ips;
  const [extra = ''] = await add(vm.name, 1);
  const found = () =>
    database
      .selectFrom('instance')
      .innerJoin('vm', 'vm.instance_id', 'instance.id')
      .where('name', '=', vm.name)
      .select(['instance.id', 'all_ports_open'])
      .executeTakeFirstOrThrow();
  const { id, all_ports_open: before } = await found();
  assert.equal(before, true);
  const openPorts = [{ port: 2222, protocol: 'tcp' }];
  assert.equal((await berth.call('PATCH', '/vms/v3', { updates: [{ id, openPorts }] })).status, 204);
  assert.equal((await found()).all_ports_open, false);
  const rules = await database.selectFrom('port_rule').where('ip', 'in', [ip, extra]).select(['ip', 'port']).execute();
  assert.deepEqual(new Set(rules.map((rule) => `${rule.ip} ${rule.port}`)), new Set([`${ip} 2222`, `${extra} 2222`]));
});

test('purging gives additional addresses back with all the rest', async () => {
  const { virtual_machine: vm } = await created(berth, createBody(), group);
  const ips = await add(vm.name, 3);
  assert.equal((await call(berth, 'DELETE', `${machines}/${vm.name}?purge=true`)).status, 204);
  await until('they are free', async () => {
    const held = await database.selectFrom('address').where('ip', 'in', ips).select('ip').execute();
    return held.length === 0;
  });
  assert.deepEqual(await driftOf(database), []);
});
