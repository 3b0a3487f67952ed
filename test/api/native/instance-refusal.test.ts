// Making VMs in Berth's own API: what can't be is refused with the field at fault, and leaves nothing.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { callApi, until } from '../../support/berth.ts';
import { addHost } from '../fluence/market.ts';
import { driftOf, holdings } from '../support.ts';
import { type Estimate, type Problem, startMaker } from './maker.ts';

const maker = await startMaker();
const { berth, database, bodyOf, made, refused } = maker;
after(() => maker.close());

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
  await refused({ kind: 'container', image: 'nginx', hostname: 'web' }, 422, 'unsupported', '#/hostname');
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

test('at the end everything agrees', async () => {
  assert.deepEqual(await driftOf(database), []);
});
