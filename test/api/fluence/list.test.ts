// `GET /vms/v3`: every field of the contract, in every state of a VM's life, and paging.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nextEpochBoundary } from '../../../src/model/epoch.ts';
import { startTestBerth, until, withinOneEpoch } from '../../support/berth.ts';
import { assertRefused, deployBody, deployed, imageUrl, untilStatus, type Vm, vmOf } from '../support.ts';

const berth = await startTestBerth();
after(() => berth.close());

const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

test('without VMs the list is an empty array', async () => {
  const answer = await berth.call('GET', '/vms/v3');
  assert.deepEqual([answer.status, answer.body], [200, []]);
});

test('an active VM is shown with every field of the contract', async () => {
  const openPorts = [
    { port: 443, protocol: 'tcp' },
    { port: 53, protocol: 'udp' },
    { port: 22, protocol: 'tcp' },
  ];
  const constraints = {
    basicConfiguration: 'cpu-2-ram-4gb-storage-25gb',
    additionalResources: { storage: [{ type: 'NVMe', supply: 5, units: 'GiB' }] },
  };
  await withinOneEpoch();
  const asked = Date.now();
  const [id = ''] = await deployed(berth, deployBody({ name: 'shown', openPorts }, { constraints }));
  await untilStatus(berth, id, 'Active');
  const before = nextEpochBoundary(new Date()).toISOString();
  const vm = await vmOf(berth, id);
  const boundaries = [before, nextEpochBoundary(new Date()).toISOString()];
  assert.ok(vm);
  const { createdAt, statusChangedAt, nextBillingAt, publicIp, ...rest } = vm;
  assert.deepEqual(rest, {
    id,
    vmName: 'shown',
    status: 'Active',
    // 2 x 0.1 + 4 x 0.02 + 30 x 0.001 + 0.01
    pricePerEpoch: '0.32',
    resources: [
      { type: 'VCPU', supply: 2, quantity: 2, details: { model: 'simulated' }, metadata: {} },
      { type: 'RAM', supply: 4, quantity: 4, units: 'GiB', details: {}, metadata: {} },
      { type: 'STORAGE', supply: 30, quantity: 30, units: 'GiB', details: {}, metadata: { type: 'NVMe' } },
      { type: 'PUBLIC_IP', supply: 1, quantity: 1, details: {}, metadata: { version: '4' } },
    ],
    osImage: imageUrl,
    datacenter: null,
    ports: [
      { port: 22, protocol: 'tcp' },
      { port: 53, protocol: 'udp' },
      { port: 443, protocol: 'tcp' },
    ],
    // The epoch that runs is paid, and the next one held.
    reservedBalance: '0.32',
    totalSpent: '0.32',
  });
  assert.match(publicIp ?? '', /^127\.46\.\d+\.\d+$/);
  for (const time of [createdAt, statusChangedAt]) {
    assert.match(time, timestamp);
    assert.ok(Date.parse(time) >= asked && Date.parse(time) <= Date.now(), time);
  }
  assert.ok(Date.parse(statusChangedAt) >= Date.parse(createdAt));
  assert.ok(boundaries.includes(nextBillingAt ?? ''), `${nextBillingAt} is not the next 17:55 UTC`);
});

test('a VM that is coming up is Launching and tells no address yet', async () => {
  const slow = await startTestBerth({ agent: { behaviour: { bootMs: 600_000 } } });
  try {
    const [id = ''] = await deployed(slow, deployBody());
    const vm = await vmOf(slow, id);
    assert.deepEqual([vm?.status, vm?.publicIp], ['Launching', null]);
    assert.equal(typeof vm?.nextBillingAt, 'string');
    assert.deepEqual(vm?.ports, [{ port: 22, protocol: 'tcp' }]);
    const status = await slow.call('GET', `/vms/v3/status?ids=${id}`);
    assert.deepEqual(status.body, [{ id, status: 'Launching', statusChangedAt: vm?.statusChangedAt, publicIp: null }]);
    // A VM that is still coming up can be deleted: that interrupts its start.
    assert.equal((await slow.call('DELETE', '/vms/v3', { vmIds: [id] })).status, 200);
    assert.deepEqual((await slow.call('GET', '/vms/v3')).body, []);
  } finally {
    await slow.close();
  }
});

test('a VM that failed stays in the list: no address, no ports, nothing to be billed', async () => {
  const failing = await startTestBerth({ agent: { behaviour: { imageFailureChance: 1 } } });
  try {
    const [id = ''] = await deployed(failing, deployBody({ openPorts: [{ port: 80, protocol: 'tcp' }] }));
    await untilStatus(failing, id, 'Failed');
    const vm = await vmOf(failing, id);
    assert.equal(vm?.publicIp, null);
    assert.equal(vm?.osImage, imageUrl);
    assert.ok(vm && !('nextBillingAt' in vm));
    assert.deepEqual([vm?.reservedBalance, vm?.totalSpent], ['0', '0']);
    // An event is shown once no older transaction is under way.
    await until('the customer reads why', async () => {
      const { body } = await failing.call<{ items: { kind: string; message: string }[] }>(
        'GET',
        `/berth/v1/events?instance=${id}`,
      );
      const failed = body.items.find(({ kind }) => kind === 'instance.failed');
      if (failed) assert.match(failed.message, /404/);
      return failed !== undefined;
    });
    assert.match(failing.log(), /instance failed/);
  } finally {
    await failing.close();
  }
});

test('pages follow one another without gap or repeat; without paging everything comes', async () => {
  await deployed(berth, deployBody({}, { instances: 10 }));
  await deployed(berth, deployBody({}, { instances: 10 }));
  const list = async (query: string) => (await berth.call<Vm[]>('GET', `/vms/v3${query}`)).body.map(({ id }) => id);
  const all = await list('');
  assert.equal(all.length, 21);
  for (const perPage of [1, 4, 7, 21, 50]) {
    const pages: string[] = [];
    for (let page = 1; page <= Math.ceil(21 / perPage); page += 1) {
      const ids = await list(`?page=${page}&per_page=${perPage}`);
      assert.ok(ids.length <= perPage);
      pages.push(...ids);
    }
    assert.deepEqual(pages, all);
    assert.deepEqual(await list(`?page=${Math.ceil(21 / perPage) + 1}&per_page=${perPage}`), []);
  }
  assert.deepEqual(await list('?page=1'), all);
  assert.deepEqual(await list('?per_page=3'), all.slice(0, 3));
  assert.deepEqual(await list('?other=1'), all);
});

test('the list is oldest first', async () => {
  const { body } = await berth.call<Vm[]>('GET', '/vms/v3');
  const times = body.map(({ createdAt }) => createdAt);
  assert.deepEqual(times, times.toSorted());
});

test('a page that can’t be one is a 400 that names it', async () => {
  for (const [query, ...words] of [
    ['page=0', 'page', '0'],
    ['page=-1', 'page', '-1'],
    ['page=x', 'page', '"x"'],
    ['page=1.5', 'page', '1.5'],
    ['page=', 'page'],
    ['per_page=0', 'per_page', '0'],
    ['per_page=1001', 'per_page', '1001'],
    ['page=1&page=2', 'page'],
    ['page=99999999999999999999', 'page'],
    ['page=%00', 'page'],
  ] as [string, ...string[]][]) {
    assertRefused(await berth.call('GET', `/vms/v3?${query}`), 400, ...words);
  }
  const [, ...rest] = (await berth.call<Vm[]>('GET', '/vms/v3?page=1000000&per_page=1000')).body;
  assert.deepEqual(rest, []);
});

test('the list survives a restart unchanged', async () => {
  await withinOneEpoch();
  const before = (await berth.call<Vm[]>('GET', '/vms/v3')).body;
  await Promise.all(before.map(({ id }) => untilStatus(berth, id, 'Active')));
  const active = (await berth.call<Vm[]>('GET', '/vms/v3')).body;
  await berth.restart();
  const still = (await berth.call<Vm[]>('GET', '/vms/v3')).body;
  const timeless = (vms: Vm[]) => vms.map(({ nextBillingAt, ...vm }) => vm);
  assert.deepEqual(timeless(still), timeless(active));
});
