// What who runs the cluster sees of hosts, storage pools and the VMs on them, and how he drains them, in Bytemark's dialect.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { openStore } from '../support.ts';
import { callerWith, openAccount, type Send, sender } from './reading.ts';
import { createBody, created, untilPower, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;
let send: Send;
let operator: Send;
let vm: Vm;
let host: { id: string; number: bigint; name: string };

interface Head {
  id: number;
  label: string;
  usage_strategy: string | null;
  total_memory: number;
  free_memory: number;
  used_cores: number;
  virtual_machines: string[];
}
interface Pool {
  id: number;
  label: string;
  discs: number;
  backups: number;
  alloc: number;
  overcommit_ratio: number;
  usage_strategy: string | null;
}

before(async () => {
  berth = await startTestBerth({ addressPool: '127.62.4.0/24' });
  database = await openStore(berth);
  send = sender(berth, `apikey.${berth.apiKey}`);
  operator = await callerWith(berth, database, 'cluster_admin');
  host = await database.selectFrom('host').select(['id', 'number', 'name']).executeTakeFirstOrThrow();
  const discs = [
    { label: 'root', size: 25_600 },
    { label: 'data', size: 10_240 },
  ];
  await created(berth, createBody({ name: 'onhost', cores: 2, memory: 2048 }, { discs }));
  vm = await untilPower(berth, 'onhost', true);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

async function shown<Body>(path: string): Promise<Body> {
  const answer = await operator<Body>('GET', path);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

test('a host is a head with its VMs and a tail with its storage pools', async () => {
  const [head] = await shown<Head[]>('/admin/heads');
  const [row] = await database
    .selectFrom('host')
    .select(['memory_mib_limit', 'memory_mib_used', 'vcpus_used'])
    .execute();
  const shared = { id: Number(host.number), uuid: host.id, label: host.name, zone: null, cnc_address: null };
  const use = { online: true, usage_strategy: null };
  const { models: _models, ...rest } = head as Head & { models: string[] };
  assert.deepEqual(rest, {
    ...{ ...shared, ...use, arch: 'x86_64', total_memory: row?.memory_mib_limit },
    ...{ free_memory: (row?.memory_mib_limit ?? 0) - (row?.memory_mib_used ?? 0), used_cores: row?.vcpus_used },
    ...{ virtual_machines_count: 1, virtual_machines: ['onhost'] },
  });
  assert.deepEqual([head?.used_cores, (head?.total_memory ?? 0) - (head?.free_memory ?? 0)], [2, 2048]);
  for (const ref of [host.number, host.name, host.id]) assert.deepEqual(await shown(`/admin/heads/${ref}`), head);
  const [tail] = await shown<{ pools: string[] }[]>('/admin/tails');
  assert.deepEqual(tail, { ...shared, ...use, pools: [host.name] });
  assert.deepEqual(await shown(`/admin/tails/${host.name}`), tail);
});

test('a storage pool is shown with what is in it', async () => {
  const [pool] = await shown<Pool[]>('/admin/storage_pools');
  assert.ok(pool);
  assert.deepEqual([pool.label, pool.discs, pool.backups, pool.overcommit_ratio], [host.name, 2, 0, 100]);
  assert.equal(pool.alloc, 35 * 1024);
  assert.deepEqual(await shown(`/admin/storage_pools/${pool.id}`), pool);
  assert.deepEqual(await shown(`/admin/storage_pools/${host.name}`), pool);
  assert.equal(vm.discs?.length, 2);
});

test('VMs and discs are shown by where they are', async () => {
  for (const path of ['heads', 'tails', 'storage_pools']) {
    assert.deepEqual(await shown(`/admin/${path}/${host.name}/virtual_machines`), [vm], path);
  }
  for (const path of ['tails', 'storage_pools']) {
    assert.deepEqual(await shown(`/admin/${path}/${host.name}/discs`), vm.discs, path);
  }
  const past = await operator<object>('GET', `/admin/heads/${host.name}/virtual_machines?at=2020-01-01`);
  assert.deepEqual([past.status, past.body], [400, { at: ['is not kept: only what is there now can be shown'] }]);
});

test('the newest VMs come first, those that should be on and are not are listed, and nothing migrates', async () => {
  await created(berth, createBody({ name: 'newest', power_on: false }, { discs: [], reimage: null }));
  const names = async (path: string) => (await shown<Vm[]>(path)).map(({ name }) => name);
  assert.deepEqual(await names('/admin/recent_vms'), ['newest', 'onhost']);
  for (const path of ['migrating_vms', 'migrating_discs', 'migration_jobs?unfinished=1', 'stopped_eligible_vms']) {
    assert.deepEqual(await shown(`/admin/${path}`), [], path);
  }
  const only = (status: 'active' | 'launching') =>
    database.updateTable('instance').set({ status }).where('number', '=', BigInt(vm.id)).execute();
  // Its host may say at any moment that it runs.
  await until('it should be on and is not', async () => {
    await only('launching');
    const listed = await names('/admin/stopped_eligible_vms');
    assert.ok(listed.every((name) => name === 'onhost'));
    return listed.length === 1;
  });
  await only('active');
  for (const path of [`heads/${host.name}/empty`, `discs/${vm.discs?.[0]?.id}/migrate`, 'migration_jobs']) {
    const answer = await operator<{ base: string[] }>('POST', `/admin/${path}`, {});
    assert.equal(answer.status, 400, path);
    assert.match(answer.body.base[0] ?? '', /stay on their host/);
  }
});

test('a drained host takes nothing new until it is open again, by whichever of its names', async () => {
  const strategies = async () => [
    (await shown<Head>(`/admin/heads/${host.name}`)).usage_strategy,
    (await shown<Pool>(`/admin/storage_pools/${host.name}`)).usage_strategy,
  ];
  for (const path of ['heads', 'tails', 'storage_pools']) {
    const put = (body: object) => operator<Head>('PUT', `/admin/${path}/${host.name}`, body);
    assert.equal((await put({ usage_strategy: 'drain' })).body.usage_strategy, 'drain');
    assert.deepEqual(await strategies(), ['drain', 'drain']);
    const refused = await send('POST', '/accounts/default/groups/default/vm_create', createBody());
    assert.equal(refused.status, 400, path);
    assert.equal((await put({})).body.usage_strategy, 'drain');
    assert.equal((await put({ usage_strategy: null })).body.usage_strategy, null);
    assert.deepEqual(await strategies(), [null, null]);
  }
  const memory = async () => (await shown<Head>(`/admin/heads/${host.name}`)).total_memory;
  const before = await memory();
  assert.equal((await operator('PUT', `/admin/heads/${host.name}`, { overcommit_ratio: '200' })).status, 200);
  assert.equal(await memory(), 2 * before);
  for (const [body, field] of [
    [{ usage_strategy: 'fill' }, 'usage_strategy'],
    [{ overcommit_ratio: 5 }, 'overcommit_ratio'],
    [{ overcommit_ratio: 'much' }, 'overcommit_ratio'],
    [{ label: 'other' }, 'label'],
  ] as const) {
    const answer = await operator<object>('PUT', `/admin/heads/${host.name}`, body);
    assert.deepEqual([answer.status, Object.keys(answer.body)], [400, [field]]);
  }
});

test('a group can be given the network of a number, which no other group has', async () => {
  await openAccount(berth, 'networked');
  const body = { account_spec: 'networked', group_name: 'private', vlan_num: 4321 };
  const { status, body: group } = await operator<{ id: number; name: string }>('POST', '/admin/groups', body);
  assert.deepEqual([status, group.name], [200, 'private']);
  const row = await database.selectFrom('group').where('id', '=', BigInt(group.id)).select('vlan_num').execute();
  assert.deepEqual(row, [{ vlan_num: 4321 }]);
  for (const [change, status, faults] of [
    [{ group_name: 'second' }, 400, { vlan_num: ['has already been taken'] }],
    [{ vlan_num: 4322 }, 400, { group_name: ['has already been taken'] }],
    [{ group_name: '' }, 400, { group_name: ["can't be blank"] }],
    [{ account_spec: null }, 400, { account_spec: ["can't be blank"] }],
  ] as const) {
    const answer = await operator('POST', '/admin/groups', { ...body, ...change });
    assert.deepEqual([answer.status, answer.body], [status, faults]);
  }
  assert.equal((await operator('POST', '/admin/groups', { ...body, account_spec: 'nobody' })).status, 404);
  const wide = await operator<object>('POST', '/admin/groups', { ...body, group_name: 'wide', vlan_num: 2 ** 24 });
  assert.deepEqual([wide.status, Object.keys(wide.body)], [400, ['vlan_num']]);
});

test('all of this is for who runs the cluster', async () => {
  for (const [method, path] of [
    ['GET', '/admin/heads'],
    ['GET', `/admin/tails/${host.name}`],
    ['PUT', `/admin/storage_pools/${host.name}`],
    ['GET', `/admin/heads/${host.name}/virtual_machines`],
    ['GET', '/admin/recent_vms'],
    ['POST', '/admin/groups'],
    ['POST', '/admin/migration_jobs'],
  ] as const) {
    const answer = await send(method, path, method === 'GET' ? undefined : { usage_strategy: 'drain' });
    assert.equal(answer.status, 403, path);
  }
  for (const ref of ['nobody', '999999', `${'9'.repeat(40)}`]) {
    for (const kind of ['heads', 'tails', 'storage_pools']) {
      assert.equal((await operator('GET', `/admin/${kind}/${ref}`)).status, 404, `${kind}/${ref}`);
    }
  }
});
