// Instances of Berth's own API: how they are listed and shown, VMs and containers alike, and what of them is changed at once.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { sha256 } from '../../../src/app/authenticate.ts';
import { callApi, startTestBerth } from '../../support/berth.ts';
import { driftOf, holdings, openStore } from '../support.ts';
import { assertProblem, call, type Instance, makeContainer, makeVm, over, type Page } from './instances.ts';

const berth = await startTestBerth();
const database = await openStore(berth);
after(async () => {
  assert.deepEqual(await driftOf(database), []);
  await database.destroy();
  await berth.close();
});

const list = async (query = '') => {
  const answer = await call<Page<Instance>>(berth, 'GET', `/instances${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};
const idsOf = async (query = '') => (await list(query)).items.map(({ id }) => id);

test('a VM and a container are shown alike, each with what only it has', async () => {
  const vm = (await call(berth, 'GET', `/instances/${await makeVm(berth, { name: 'shown' })}`)).body;
  assert.deepEqual([vm.kind, vm.name, vm.status, vm.container], ['vm', 'shown', 'active', null]);
  assert.ok(vm.address);
  assert.match(vm.deployment, /^dep_[0-9a-f]{32}$/);
  assert.deepEqual([vm.vm?.autoreboot, vm.vm?.restorableDays], [false, 21]);
  assert.equal(vm.allowed.start, null);
  assert.match(vm.allowed.reimage ?? '', /not off/);
  assert.match(vm.allowed.undelete ?? '', /not deleted/);
  assert.ok(Number(vm.pricePerEpoch) > 0);
  assert.ok(vm.nextBillingAt);
  const external = `job-${randomUUID()}`;
  const id = await makeContainer(berth, {}, { external_deployment_id: external });
  const container = (await call(berth, 'GET', `/instances/${id}`)).body;
  assert.deepEqual([container.kind, container.status, container.vm], ['container', 'active', null]);
  assert.equal(container.container?.externalId, external);
  assert.match(container.container?.slot ?? '', /^slt_/);
  assert.match(container.allowed.setPorts ?? '', /container/);
  assert.equal(container.allowed.delete, null);
  assert.deepEqual(await idsOf('?kind=container'), [id]);
  assert.ok(!(await idsOf('?kind=vm')).includes(id));
  assert.equal((await call(berth, 'GET', `/instances/0x${vm.id.slice(4).toUpperCase()}`)).body.id, vm.id);
});

test('a list is narrowed by each of its filters, and by several at once', async () => {
  const group = (await call<{ id: string }>(berth, 'POST', '/groups', { name: 'narrow' })).body.id;
  const id = await makeVm(berth, { name: 'narrowed' });
  assert.equal((await call(berth, 'PATCH', `/instances/${id}`, { group })).status, 200);
  const off = await makeVm(berth);
  assert.equal((await over(berth, 'POST', `/instances/${off}/power`, { action: 'stop' })).status, 'succeeded');
  assert.deepEqual(await idsOf(`?group=${group}`), [id]);
  assert.deepEqual(await idsOf('?name=narrowed'), [id]);
  const { deployment } = (await call(berth, 'GET', `/instances/${id}`)).body;
  assert.deepEqual(await idsOf(`?deployment=${deployment}`), [id]);
  assert.deepEqual(await idsOf('?name=narrowed&kind=container'), []);
  assert.deepEqual(await idsOf('?status=stopped'), [off]);
  assert.ok((await idsOf('?status=stopped,active')).includes(id));
  assert.deepEqual(await idsOf('?datacenter=nowhere'), []);
  for (const field of ['name', 'datacenter']) {
    assertProblem(await call(berth, 'GET', `/instances?${field}=%00`), 400, 'malformed', field);
  }
  assert.ok((await idsOf('?account=default')).includes(off));
  assertProblem(await call(berth, 'GET', '/instances?status=broken'), 422, 'invalid_value', 'status');
  assertProblem(await call(berth, 'GET', '/instances?status=deleted'), 422, 'invalid_value', 'status');
  assertProblem(await call(berth, 'GET', '/instances?group=7'), 422, 'invalid_value', 'group');
  assertProblem(await call(berth, 'GET', '/instances?account=nobody'), 404, 'not_found');
  assertProblem(await call(berth, 'GET', '/instances?kind=house'), 400, 'malformed');
  assertProblem(await call(berth, 'GET', '/instances?deleted=perhaps'), 400, 'malformed');
});

test('instances are counted by kind and status, as far as the caller sees them', async () => {
  interface Counts {
    items: { kind: string; status: string; count: number }[];
  }
  const counts = async (query = '') => (await call<Counts>(berth, 'GET', `/instance-counts${query}`)).body.items;
  const active = async (query = '') =>
    (await counts(query)).find(({ kind, status }) => kind === 'vm' && status === 'active')?.count ?? 0;
  const before = await active();
  const id = await makeVm(berth);
  assert.equal(await active(), before + 1);
  assert.equal(await active('?account=default'), before + 1);
  await over(berth, 'POST', `/instances/${id}/power`, { action: 'stop' });
  assert.equal(await active(), before);
  assert.ok((await counts()).some(({ kind, status, count }) => kind === 'vm' && status === 'stopped' && count > 0));
  assertProblem(await call(berth, 'GET', '/instance-counts?account=nobody'), 404, 'not_found');
});

test('a list is searched by a part of a name, a host name or an address', async () => {
  const id = await makeVm(berth, { name: 'Needle-in-hay', hostname: 'pin' });
  const other = await makeVm(berth, { name: 'straw' });
  const { address } = (await call(berth, 'GET', `/instances/${id}`)).body;
  assert.deepEqual(await idsOf('?search=needle'), [id]);
  assert.deepEqual(await idsOf('?search=IN-HAY&kind=vm'), [id]);
  assert.deepEqual(await idsOf('?search=in-hay&kind=container'), []);
  assert.deepEqual(await idsOf(`?search=${address}`), [id]);
  assert.ok((await idsOf('?search=127.')).includes(other));
  for (const nothing of ['%25', '_', "'", 'needle%25']) assert.deepEqual(await idsOf(`?search=${nothing}`), []);
  assertProblem(await call(berth, 'GET', '/instances?search=%00'), 400, 'malformed', 'search');
  assertProblem(await call(berth, 'GET', `/instances?search=${'x'.repeat(101)}`), 400, 'malformed');
});

test('pages miss and repeat nothing, and a cursor of another list is refused', async () => {
  for (let count = 0; count < 3; count += 1) await makeVm(berth);
  const all = (await list('?limit=200')).items.map(({ id }) => id);
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Instance> = await list(`?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`);
    seen.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  } while (cursor !== null);
  assert.deepEqual(seen, all);
  const { id } = (await list('?limit=1')).items[0] as Instance;
  const keys = [
    ['x', id],
    ['2026-01-01T00:00:00.000Z', 'x'],
    ['0000-01-01T00:00:00.000Z', id],
    ['2026-13-01T00:00:00.000Z', id],
  ];
  for (const key of [...keys, ['2026-02-30T00:00:00.000Z', `0x${id.slice(4)}`], [id]]) {
    const wrong = Buffer.from(JSON.stringify(key)).toString('base64url');
    assertProblem(await call(berth, 'GET', `/instances?cursor=${wrong}`), 422, 'invalid_value', 'cursor');
  }
});

test('what is not there is not found, and what is another’s neither', async () => {
  const id = await makeVm(berth);
  for (const wrong of ['ins_1', `ins_${'0'.repeat(40)}`, 'grp_1', '0x1']) {
    assertProblem(await call(berth, 'GET', `/instances/${wrong}`), 404, 'not_found');
    assertProblem(await call(berth, 'PATCH', `/instances/${wrong}`, { name: 'x' }), 404, 'not_found');
  }
  const account = randomUUID();
  await database.insertInto('account').values({ id: account, name: 'elsewhere', created_at: new Date() }).execute();
  const secret = `berth_${randomUUID()}`;
  const key = { id: randomUUID(), account_id: account, name: 'k', created_at: new Date(), revoked_at: null };
  await database
    .insertInto('api_key')
    .values({ ...key, secret_sha256: sha256(secret) })
    .execute();
  const theirs = await callApi<Page<Instance>>(berth.url, secret, 'GET', '/berth/v1/instances?deleted=true');
  assert.deepEqual(theirs.body.items, []);
  for (const [method, path, body] of [
    ['GET', '', undefined],
    ['PATCH', '', { name: 'mine' }],
    ['PUT', '/ports', { ports: [] }],
    ['DELETE', '', undefined],
    ['POST', '/power', { action: 'stop' }],
  ] as const) {
    const answer = await callApi(berth.url, secret, method, `/berth/v1/instances/${id}${path}`, body);
    assertProblem(answer, 404, 'not_found');
  }
});

test('a VM’s name, size and machine are changed together, and shown as they are then', async () => {
  const id = await makeVm(berth);
  const wanted = { name: 'changed', vcpus: 3, memoryMib: 5120, autoreboot: true, keymap: 'en-gb' };
  const changed = await call(berth, 'PATCH', `/instances/${id}`, wanted);
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  const { name, vcpus, memoryMib, vm } = changed.body;
  assert.deepEqual({ name, vcpus, memoryMib, autoreboot: vm?.autoreboot, keymap: vm?.keymap }, wanted);
  assert.deepEqual((await call(berth, 'GET', `/instances/${id}`)).body, changed.body);
  const back = await call(berth, 'PATCH', `/instances/${id}`, { keymap: null, hardwareProfileLocked: true });
  assert.deepEqual([back.body.vm?.keymap, back.body.vm?.hardwareProfileLocked], [null, true]);
  const same = await call(berth, 'PATCH', `/instances/${id}`, {});
  assert.deepEqual([same.status, same.body], [200, back.body]);
  const stale = await call(
    berth,
    'PATCH',
    `/instances/${id}`,
    { vcpus: 1 },
    { 'if-match': changed.headers.get('etag') ?? '' },
  );
  assertProblem(stale, 412, 'precondition_failed');
});

test('what is wrong with a change is told by the names of its fields, all at once, and nothing is changed', async () => {
  const id = await makeVm(berth);
  const taken = (await call(berth, 'GET', `/instances/${await makeVm(berth)}`)).body.name;
  const held = await holdings(database);
  const path = `/instances/${id}`;
  const before = (await call(berth, 'GET', path)).body;
  const wrong = { vcpus: 0, memoryMib: 1000, hardwareProfile: 'steam', keymap: 'zz', name: 'Ä' };
  const problem = assertProblem(await call(berth, 'PATCH', path, wrong), 422, 'invalid_value');
  const pointers = problem.errors?.map(({ pointer }) => pointer) ?? [];
  assert.deepEqual(new Set(pointers), new Set(['#/vcpus', '#/memoryMib', '#/hardwareProfile', '#/keymap', '#/name']));
  for (const [change, place] of [
    [{ name: taken }, '#/name'],
    [{ vcpus: 1_000 }, '#/vcpus'],
    [{ group: 'grp_999999' }, '#/group'],
    [{ group: 'default' }, '#/group'],
    [{ cdromUrl: 'ftp://example.com/x.iso' }, '#/cdromUrl'],
    [{ cdromUrl: 'http://127.0.0.1:1/x.iso' }, '#/cdromUrl'],
    [{ cdromUrl: '' }, '#/cdromUrl'],
  ] as const) {
    assertProblem(await call(berth, 'PATCH', path, change), 422, 'invalid_value', place);
  }
  for (const change of [{ vcpus: 'two' }, { vcpus: 1.5 }, { colour: 'red' }, { name: null }, []]) {
    assertProblem(await call(berth, 'PATCH', path, change), 400, 'malformed');
  }
  assert.deepEqual((await call(berth, 'GET', path)).body, before);
  assert.deepEqual(await holdings(database), held);
});

test('a VM’s open ports are replaced as a whole', async () => {
  const id = await makeVm(berth);
  const ports = [
    { port: 53, protocol: 'udp' },
    { port: 443, protocol: 'tcp' },
  ];
  const set = await call(berth, 'PUT', `/instances/${id}/ports`, { ports });
  assert.deepEqual([set.status, set.body.ports], [200, ports], JSON.stringify(set.body));
  assert.deepEqual((await call(berth, 'PUT', `/instances/${id}/ports`, { ports: [] })).body.ports, []);
  for (const [wrong, place] of [
    [[{ port: 0, protocol: 'tcp' }], '#/ports/0'],
    [
      [
        { port: 80, protocol: 'tcp' },
        { port: 10250, protocol: 'tcp' },
      ],
      '#/ports/1',
    ],
    [
      [
        { port: 80, protocol: 'tcp' },
        { port: 80, protocol: 'tcp' },
      ],
      '#/ports/1',
    ],
    [Array.from({ length: 51 }, (_, port) => ({ port: port + 1, protocol: 'tcp' })), '#/ports'],
  ] as const) {
    assertProblem(await call(berth, 'PUT', `/instances/${id}/ports`, { ports: wrong }), 422, 'invalid_value', place);
  }
  assertProblem(
    await call(berth, 'PUT', `/instances/${id}/ports`, { ports: [{ port: 80, protocol: 'icmp' }] }),
    400,
    'malformed',
  );
  assertProblem(await call(berth, 'PUT', `/instances/${id}/ports`, {}), 400, 'malformed', '#/ports');
});

test('of a container only the name and the group change', async () => {
  const id = await makeContainer(berth);
  const renamed = await call(berth, 'PATCH', `/instances/${id}`, { name: 'job' });
  assert.deepEqual([renamed.status, renamed.body.name], [200, 'job']);
  assertProblem(await call(berth, 'PATCH', `/instances/${id}`, { vcpus: 2 }), 422, 'unsupported', '#/vcpus');
  const group = (await call<{ id: string }>(berth, 'POST', '/groups', { name: 'jobs' })).body.id;
  const moved = await call(berth, 'PATCH', `/instances/${id}`, { group });
  assert.deepEqual([moved.status, moved.body.group, moved.body.name], [200, group, 'job']);
  const other = await makeContainer(berth);
  assertProblem(await call(berth, 'PATCH', `/instances/${other}`, { group, name: 'job' }), 409, 'name_taken', '#/name');
  const both = await call(berth, 'PATCH', `/instances/${other}`, { group, name: 'job-2' });
  assert.deepEqual([both.status, both.body.group, both.body.name], [200, group, 'job-2']);
  assertProblem(
    await call(berth, 'PATCH', `/instances/${id}`, { group: 'grp_999999' }),
    422,
    'invalid_value',
    '#/group',
  );
  assertProblem(await call(berth, 'PUT', `/instances/${id}/ports`, { ports: [] }), 422, 'unsupported');
  for (const [path, body] of [
    ['/power', { action: 'stop' }],
    ['/reimage', { image: 'micro' }],
    ['/undelete', undefined],
  ] as const) {
    assertProblem(await call(berth, 'POST', `/instances/${id}${path}`, body), 422, 'unsupported');
  }
  assert.equal((await over(berth, 'DELETE', `/instances/${id}`)).status, 'succeeded');
  assertProblem(await call(berth, 'GET', `/instances/${id}`), 404, 'not_found');
});
