// Making VMs in Berth's own API: what is asked for is what comes.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { type Answer, callApi } from '../../support/berth.ts';
import { addUser, grant, tokenOf } from '../bytemark/identity.ts';
import { driftOf, imageUrl, keys } from '../support.ts';
import { type Deployment, startMaker, two } from './maker.ts';

const maker = await startMaker();
const { berth, database, call, bodyOf, made, refused } = maker;
after(() => maker.close());

const disksOf = (id: string) =>
  database
    .selectFrom('disk')
    .where('instance_id', '=', `0x${id.slice(4)}`)
    .orderBy('position')
    .select(['label', 'size_mib', 'grade'])
    .execute();

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

test('at the end everything agrees', async () => {
  assert.deepEqual(await driftOf(database), []);
});
