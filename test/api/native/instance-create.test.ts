// Making VMs in Berth's own API: what is asked for is what comes, every refusal leaves nothing, and a dry run leaves nothing either.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { type Answer, callApi, startTestBerth, until } from '../../support/berth.ts';
import { addUser, grant, tokenOf } from '../bytemark/identity.ts';
import { addDatacenter, addHost, epyc, openMarket, xeon } from '../fluence/market.ts';
import { driftOf, holdings, imageUrl, keys } from '../support.ts';

interface Instance {
  id: string;
  kind: string;
  account: string;
  group: string;
  deployment: string;
  name: string;
  hostname: string;
  status: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  image: string;
  ports: { port: number; protocol: string }[];
  allPortsOpen: boolean;
  datacenter: { slug: string } | null;
  pricePerEpoch: string;
  vm: { hardwareProfile: string; autoreboot: boolean; keymap: string | null; lastImagedWith: string | null };
}
interface Problem {
  code: string;
  detail: string;
  pointer?: string;
  errors?: { pointer: string }[];
}
interface Estimate {
  count: number;
  configuration: string | null;
  vcpus: number;
  diskGib: number;
  unit: string;
  price: string;
  total: string;
  firstCharge: string;
  deposit: string;
  needed: string;
  sufficient: boolean;
}
interface Deployment {
  id: string;
  instances: { id: string; name: string; kind: string; group: string; status: string }[];
}

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});
const warsaw = await addDatacenter(database, 'PL', 'WAW');
const berlin = await addDatacenter(database, 'DE', 'BER');
const dear = { vcpu: 200_000, memoryGib: 40_000, storageGib: 2_000, publicIp: 20_000 };
await addHost(database, { datacenterId: warsaw, hardware: xeon, vcpus: 128, memoryGib: 512, diskGib: 4_000 });
await addHost(database, { datacenterId: berlin, hardware: epyc, rates: dear, additionalGibMax: 20 });

const call = <Body = Instance>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  berth.call<Body>(method, `/berth/v1${path}`, body, headers);
let names = 0;
const two = 'cpu-2-ram-4gb-storage-25gb';
const bodyOf = (more: Record<string, unknown> = {}) => {
  names += 1;
  return { name: `vm-${names}`, image: 'debian-13-x64', configuration: two, ...more };
};
const made = async (more: Record<string, unknown> = {}): Promise<Instance> => {
  const answer = await call('POST', '/instances', bodyOf(more));
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
};
const disksOf = (id: string) =>
  database
    .selectFrom('disk')
    .where('instance_id', '=', `0x${id.slice(4)}`)
    .orderBy('position')
    .select(['label', 'size_mib', 'grade'])
    .execute();

/** Holds a body to be refused by the create, the deployment and the estimate alike, and to leave nothing. */
async function refused(
  body: object,
  status: number,
  code: string,
  pointer?: string,
  path = '/instances',
): Promise<Problem> {
  const held = await holdings(database);
  const answer = await call<Problem>('POST', path, body);
  const shown = JSON.stringify(answer.body);
  assert.deepEqual([answer.status, answer.body.code], [status, code], shown);
  if (pointer !== undefined) assert.equal(answer.body.pointer, pointer, shown);
  assert.deepEqual(await holdings(database), held, shown);
  return answer.body;
}

test('a VM of a configuration comes with all that was asked for', async () => {
  const { body: group } = await call<{ id: string }>('POST', '/groups', { name: 'web' });
  const answer = await call('POST', '/instances', {
    ...{ name: 'shop', hostname: 'shop.example.com', group: group.id, image: 'debian-13-x64', configuration: two },
    ...{ additionalStorageGib: 10, constraints: { countries: ['pl'], cpuManufacturer: 'intel' } },
    ...{ sshKeys: [keys.ed25519], ports: [{ port: 443, protocol: 'tcp' }], allPortsOpen: true },
    ...{ rootPassword: 'a good one', firstBootScript: '#!/bin/sh\ntrue\n', hardwareProfile: 'compatibility2013' },
    ...{ autoreboot: true, keymap: 'de' },
  });
  const { body } = answer;
  assert.equal(answer.status, 201, JSON.stringify(body));
  assert.equal(answer.headers.get('location'), `/berth/v1/instances/${body.id}`);
  assert.deepEqual([body.kind, body.group, body.name, body.hostname], ['vm', group.id, 'shop', 'shop.example.com']);
  assert.deepEqual([body.vcpus, body.memoryMib, body.diskGib, body.pricePerEpoch], [2, 4096, 35, '0.325']);
  assert.deepEqual([body.status, body.datacenter?.slug, body.allPortsOpen], ['launching', 'pl-waw-1', true]);
  assert.deepEqual(new Set(body.ports.map(({ port }) => port)), new Set([22, 443]));
  assert.deepEqual(
    [body.vm.hardwareProfile, body.vm.autoreboot, body.vm.keymap, body.vm.lastImagedWith],
    ['compatibility2013', true, 'de', 'debian-13-x64'],
  );
  const id = `0x${body.id.slice(4)}`;
  const secret = await database.selectFrom('imaging_secret').where('instance_id', '=', id).selectAll().execute();
  assert.equal(secret.length, 1);
  assert.ok(!JSON.stringify(await call('GET', '/events?limit=1000')).includes('a good one'));
  const row = await database.selectFrom('instance').where('id', '=', id).selectAll().executeTakeFirstOrThrow();
  assert.deepEqual(row.ssh_keys, [keys.ed25519]);
  assert.deepEqual((await call('GET', `/instances/${body.id}`)).body, body);
});

test('a VM may have a size of its own and several disks of several grades', async () => {
  const own = await made({
    ...{ configuration: undefined, vcpus: 3, memoryMib: 3072, image: imageUrl },
    disks: [
      { label: 'root', sizeMib: 10_240 },
      { sizeMib: 2_048, grade: 'archive' },
    ],
  });
  assert.deepEqual([own.vcpus, own.memoryMib, own.diskGib, own.image], [3, 3072, 12, imageUrl]);
  assert.deepEqual(await disksOf(own.id), [
    { label: 'root', size_mib: 10_240, grade: 'sata' },
    { label: 'disc-2', size_mib: 2_048, grade: 'archive' },
  ]);
  const one = await made({ configuration: undefined, vcpus: 1, memoryMib: 1024, diskGib: 7, power: 'off' });
  assert.deepEqual([one.diskGib, one.status], [7, 'stopped']);
  const larger = await made({ disks: [{ sizeMib: 50 * 1024 }] });
  assert.deepEqual([larger.vcpus, larger.diskGib, larger.pricePerEpoch], [2, 50, '0.34']);
});

test('without a configuration the smallest that is asked for is taken', async () => {
  const any = await made({ configuration: undefined });
  const [smallest] = (await call<{ items: { vcpus: number }[] }>('GET', '/configurations')).body.items;
  assert.equal(any.vcpus, smallest?.vcpus);
  const large = await made({ configuration: undefined, constraints: { vcpusMin: 4, datacenters: ['de-ber-1'] } });
  assert.deepEqual([large.vcpus >= 4, large.datacenter?.slug], [true, 'de-ber-1']);
});

test('a host’s limit of additional storage holds, whichever way it is asked for', async () => {
  const constraints = { datacenters: ['de-ber-1'] };
  await made({ additionalStorageGib: 20, constraints });
  await refused(bodyOf({ additionalStorageGib: 21, constraints }), 422, 'no_suitable_offer');
  await refused(bodyOf({ disks: [{ sizeMib: 46 * 1024 }], constraints }), 422, 'no_suitable_offer');
});

test('a name that is taken in its group is refused, and free in another', async () => {
  const { name } = await made();
  await refused(bodyOf({ name }), 409, 'name_taken', '#/name');
  await refused(bodyOf({ name }), 409, 'name_taken', '#/name', '/deployments');
  await call('POST', '/groups', { name: 'other' });
  await made({ name, account: 'default', group: 'other' });
});

test('where nothing fits, the refusal says where the reasons are, and an event tells them', async () => {
  const problem = await refused(bodyOf({ constraints: { countries: ['FR'] } }), 422, 'no_suitable_offer');
  assert.match(problem.detail, /GET \/berth\/v1\/offers\/explain/);
  const told = async () => {
    const events = await database.selectFrom('event').where('kind', '=', 'offer.not_found').select('message').execute();
    return events.some(({ message }) => message.includes('countries'));
  };
  await until('it is told', told);
  await refused(bodyOf({ constraints: { maxPricePerEpoch: '0.01' } }), 422, 'no_suitable_offer');
  await refused(
    bodyOf({ count: 10, configuration: undefined, vcpus: 24, memoryMib: 8192, diskGib: 10 }),
    422,
    'not_enough_offers',
    undefined,
    '/deployments',
  );
});

test('a request that can’t be is refused with the field at fault', async () => {
  const cases: [more: Record<string, unknown>, pointer: string][] = [
    [{ name: 'no spaces' }, '#/name'],
    [{ hostname: '-x' }, '#/hostname'],
    [{ image: 'no-such-image' }, '#/image'],
    [{ image: 'https://127.0.0.1/x.qcow2' }, '#/image'],
    [{ image: 'https://example.com/x.exe' }, '#/image'],
    [{ configuration: 'cpu-77-ram-1gb-storage-1gb' }, '#/configuration'],
    [{ vcpus: 2, memoryMib: 2048, diskGib: 10 }, '#/vcpus'],
    [{ configuration: undefined, vcpus: 2 }, '#/memoryMib'],
    [{ configuration: undefined, vcpus: 0, memoryMib: 1024, diskGib: 1 }, '#/vcpus'],
    [{ configuration: undefined, vcpus: 1, memoryMib: 1000, diskGib: 1 }, '#/memoryMib'],
    [{ configuration: undefined, vcpus: 1, memoryMib: 1024 }, '#/disks'],
    [{ configuration: undefined, vcpus: 1, memoryMib: 1024, diskGib: 1, disks: [{ sizeMib: 1024 }] }, '#/disks'],
    [{ disks: [] }, '#/disks'],
    [{ disks: [{ sizeMib: 1024 }, { sizeMib: 1 }] }, '#/disks/1/sizeMib'],
    [{ disks: [{ sizeMib: 1024, label: 'a/b' }] }, '#/disks/0/label'],
    [{ disks: [{ sizeMib: 30_000 }], additionalStorageGib: 1 }, '#/additionalStorageGib'],
    [{ constraints: { countries: ['XX'] } }, '#/constraints/countries/0'],
    [{ constraints: { datacenters: ['nowhere'] } }, '#/constraints/datacenters/0'],
    [{ sshKeys: ['nobody'] }, '#/sshKeys/0'],
    [{ ports: [{ port: 10250, protocol: 'tcp' }] }, '#/ports/0'],
    [{ ports: [{ port: 443, protocol: 'https' }] }, '#/ports/0'],
    [{ rootPassword: 'two\nlines' }, '#/rootPassword'],
    [{ firstBootScript: 'x'.repeat(70_000) }, '#/firstBootScript'],
    [{ keymap: 'klingon' }, '#/keymap'],
  ];
  for (const [more, pointer] of cases) {
    for (const path of ['/instances', '/deployments', '/estimates']) {
      await refused(bodyOf(more), 422, 'invalid_value', pointer, path);
    }
  }
  await refused(bodyOf({ ipv4: '10.0.0.9' }), 422, 'invalid_value', '#/ipv4');
  await refused({ image: 'micro' }, 422, 'invalid_value', '#/name');
  await refused(bodyOf({ slot: 'slt_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f' }), 422, 'unsupported', '#/slot');
  await refused({ kind: 'container', image: 'nginx', name: 'web' }, 422, 'unsupported', '#/name');
  for (const count of [0, 11]) await refused(bodyOf({ count }), 422, 'invalid_value', '#/count', '/deployments');
  await refused(bodyOf({ colour: 'red' }), 400, 'malformed');
  await refused(bodyOf({ image: 7 }), 400, 'malformed', '#/image');
  await refused(bodyOf({ disks: [{}] }), 400, 'malformed');
  await refused(bodyOf({ account: 'nobody' }), 404, 'not_found');
  await refused(bodyOf({ group: 'grp_999999' }), 404, 'not_found');
  await refused(bodyOf({ group: 'nothing' }), 404, 'not_found');
});

test('several faults are told at once', async () => {
  const problem = await refused(
    bodyOf({ name: 'x', rootPassword: 'a\nb', disks: [{ sizeMib: 1, grade: 'sata' }] }),
    422,
    'invalid_value',
  );
  assert.deepEqual(
    new Set(problem.errors?.map(({ pointer }) => pointer)),
    new Set(['#/name', '#/rootPassword', '#/disks/0/sizeMib']),
  );
});

test('twenty creates at once under one key make one instance', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const body = bodyOf();
  const answers = await Promise.all(Array.from({ length: 20 }, () => call('POST', '/instances', body, headers)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
  const named = await database.selectFrom('instance').where('name', '=', body.name).select('id').execute();
  assert.equal(named.length, 1);
});

test('creates at once of different names are all made, each once', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', '/instances', bodyOf())));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 8);
});

test('a dry run tells price and place, and leaves nothing', async () => {
  const held = await holdings(database);
  const answer = await call('POST', '/instances?dryRun=true', bodyOf({ constraints: { cities: ['ber'] } }));
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('dry-run'), 'true');
  assert.deepEqual([answer.body.pricePerEpoch, answer.body.datacenter?.slug], ['0.63', 'de-ber-1']);
  assert.deepEqual(await holdings(database), held);
  assert.equal((await call('GET', `/instances/${answer.body.id}`)).status, 404);
  await refused(
    bodyOf({ constraints: { countries: ['FR'] } }),
    422,
    'no_suitable_offer',
    undefined,
    '/instances?dryRun=true',
  );
});

test('an estimate names what a create then costs', async () => {
  const held = await holdings(database);
  const body = bodyOf({ additionalStorageGib: 5, constraints: { countries: ['PL'] } });
  const { status, body: estimate } = await call<Estimate>('POST', '/estimates', { ...body, count: 3 });
  assert.equal(status, 200, JSON.stringify(estimate));
  assert.deepEqual([estimate.count, estimate.configuration, estimate.vcpus, estimate.diskGib], [3, two, 2, 30]);
  assert.deepEqual([estimate.unit, estimate.price, estimate.total], ['epoch', '0.32', '0.96']);
  assert.deepEqual([estimate.deposit, estimate.firstCharge, estimate.needed], ['0.96', '0.96', '1.92']);
  assert.equal(estimate.sufficient, true);
  assert.deepEqual(await holdings(database), held);
  const answer = await call<Deployment>('POST', '/deployments', { ...body, count: 3 });
  const [first] = answer.body.instances;
  assert.equal((await call('GET', `/instances/${first?.id}`)).body.pricePerEpoch, estimate.price);
});

test('a deployment is made as a whole, found again, and listed', async () => {
  const body = bodyOf({ count: 3 });
  const answer = await call<Deployment>('POST', '/deployments', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.headers.get('location'), `/berth/v1/deployments/${answer.body.id}`);
  assert.deepEqual(
    answer.body.instances.map(({ name, kind, status }) => [name, kind, status]),
    Array(3).fill([body.name, 'vm', 'launching']),
  );
  assert.deepEqual((await call('GET', `/deployments/${answer.body.id}`)).body, answer.body);
  const one = (await call('GET', `/instances/${answer.body.instances[0]?.id}`)).body;
  assert.equal(one.deployment, answer.body.id);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const path: string = `/deployments?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
    const page: Answer<{ items: Deployment[]; nextCursor: string | null }> = await call('GET', path);
    seen.push(...page.body.items.map(({ id }) => id));
    cursor = page.body.nextCursor;
  } while (cursor !== null);
  const all = await database.selectFrom('deployment').select('id').execute();
  assert.deepEqual([seen.length, new Set(seen).size], [all.length, all.length]);
  assert.equal(seen.at(-1), answer.body.id);
  assert.equal((await call('GET', '/deployments?cursor=x')).status, 422);
  assert.equal((await call('GET', '/deployments/dep_5f0c6d0e9b7a4c1d8e2f3a4b5c6d7e8f')).status, 404);
  assert.equal((await call('GET', '/deployments/x')).status, 404);
});

test('whoever runs a group makes instances there and nowhere else, and sees those alone', async () => {
  const { body: group } = await call<{ id: string }>('POST', '/groups', { name: 'theirs' });
  await database
    .insertInto('account')
    .values({ id: randomUUID(), name: 'elsewhere', created_at: new Date() })
    .execute();
  const user = await addUser(berth, 'elsewhere');
  await grant(berth, user.username, 'group_admin', { account: 'default', group: 'theirs' });
  const token = await tokenOf(berth, user);
  const ask = <Body>(method: string, path: string, body?: object) =>
    callApi<Body>(berth.url, token, method, `/berth/v1${path}`, body);
  const mine = await ask<Deployment>('POST', '/deployments', bodyOf({ group: group.id }));
  assert.equal(mine.status, 201, JSON.stringify(mine.body));
  assert.equal((await ask('GET', `/deployments/${mine.body.id}`)).status, 200);
  const other = (await made()).deployment;
  assert.equal((await ask('GET', `/deployments/${other}`)).status, 404);
  assert.equal((await ask('POST', '/instances', bodyOf({ account: 'default' }))).status, 404);
});

test('an address may be chosen in a group whose network has ranges of its own, until it has none left', async () => {
  const { body: group } = await call<{ id: string }>('POST', '/groups', { name: 'ranged' });
  const id = BigInt(group.id.slice(4));
  const { vlan_num: vlan } = await database
    .selectFrom('group')
    .where('id', '=', id)
    .select('vlan_num')
    .executeTakeFirstOrThrow();
  const user = await addUser(berth, 'default');
  await grant(berth, user.username, 'cluster_admin');
  const range = { ip_range: '10.73.0.0/30', vlan_num: vlan };
  const added = await callApi(berth.url, await tokenOf(berth, user), 'POST', '/admin/ip_ranges', range);
  assert.equal(added.status, 200, JSON.stringify(added.body));
  await refused(bodyOf({ group: group.id, ipv4: '10.74.0.2' }), 422, 'invalid_value', '#/ipv4');
  const chosen = await made({ group: group.id, ipv4: '10.73.0.2' });
  const address = await database
    .selectFrom('address')
    .where('instance_id', '=', `0x${chosen.id.slice(4)}`)
    .select('ip')
    .execute();
  assert.deepEqual(address, [{ ip: '10.73.0.2' }]);
  await refused(bodyOf({ group: group.id, ipv4: '10.73.0.2' }), 422, 'invalid_value', '#/ipv4');
  const full = await refused(bodyOf({ group: group.id }), 422, 'no_suitable_offer');
  assert.ok(!full.detail.includes('explain'), full.detail);
});

test('who can’t pay is told what it needs, and nothing is left', async () => {
  const stranger = randomUUID();
  const { sha256 } = await import('../../../src/app/authenticate.ts');
  const secret = `berth_${randomUUID()}`;
  const now = new Date();
  await database.insertInto('account').values({ id: stranger, name: 'poor', created_at: now }).execute();
  await database
    .insertInto('api_key')
    .values({
      ...{ id: randomUUID(), account_id: stranger, name: 'k', created_at: now, revoked_at: null },
      secret_sha256: sha256(secret),
    })
    .execute();
  const held = await holdings(database);
  for (const path of ['/instances', '/deployments', '/instances?dryRun=true']) {
    const { status, body } = await callApi<Problem>(berth.url, secret, 'POST', `/berth/v1${path}`, bodyOf());
    assert.deepEqual([status, body.code], [402, 'insufficient_balance'], JSON.stringify(body));
    assert.match(body.detail, /0\.63 USD.*0 USD/);
  }
  const estimate = await callApi<Estimate>(berth.url, secret, 'POST', '/berth/v1/estimates', bodyOf());
  assert.deepEqual([estimate.status, estimate.body.sufficient], [200, false]);
  assert.deepEqual(await holdings(database), held);
});

test('a full market refuses a dry run as it does a create, and nothing of either stays', async () => {
  await database.updateTable('host').set({ state: 'drained' }).execute();
  await addHost(database, { vcpus: 2, memoryGib: 4, diskGib: 30 });
  await made();
  await refused(bodyOf(), 422, 'no_suitable_offer', undefined, '/instances?dryRun=true');
  await refused(bodyOf(), 422, 'no_suitable_offer');
  await refused(bodyOf(), 422, 'no_suitable_offer', undefined, '/estimates');
});

test('of more than fit at once as many are made as fit, and dry runs beside them take nothing from them', async () => {
  await database.updateTable('host').set({ state: 'drained' }).execute();
  await addHost(database, { vcpus: 6, memoryGib: 64, diskGib: 200 });
  const dry = Array.from({ length: 6 }, () => call<Problem>('POST', '/instances?dryRun=true', bodyOf()));
  const three = await Promise.all(Array.from({ length: 3 }, () => call('POST', '/instances', bodyOf())));
  assert.deepEqual(
    three.map(({ status }) => status),
    [201, 201, 201],
    JSON.stringify(three.map(({ body }) => body)),
  );
  for (const { status, body } of await Promise.all(dry)) {
    assert.ok(status === 201 || body.code === 'no_suitable_offer', JSON.stringify(body));
  }
  await addHost(database, { vcpus: 6, memoryGib: 64, diskGib: 200 });
  const ten = await Promise.all(Array.from({ length: 10 }, () => call<Problem>('POST', '/instances', bodyOf())));
  const codes = ten.map(({ status, body }) => (status === 201 ? 'made' : body.code));
  assert.deepEqual(codes.toSorted(), [...Array(3).fill('made'), ...Array(7).fill('no_suitable_offer')]);
});

test('at the end everything agrees', async () => {
  assert.deepEqual(await driftOf(database), []);
});
