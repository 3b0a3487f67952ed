// Where the contract's sources say different things: what Berth does, one test each. docs/decisions/0007 has the list.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startTestBerth } from '../../support/berth.ts';
import { assertRefused, type Deployed, deployBody, deployed, holdings, imageUrl, keys, vmOf } from '../support.ts';
import { addDatacenter, addHost, epyc, openMarket } from './market.ts';

const berth = await startTestBerth();
const database = await openMarket(berth);
after(async () => {
  await database.destroy();
  await berth.close();
});
await addHost(database, { hardware: epyc, datacenterId: await addDatacenter(database, 'BE', 'BRU'), diskGib: 5_000 });

const extra = { storage: [{ type: 'NVMe', supply: 20, units: 'GiB' }] };

test('additional storage without hardware.storage is taken: the page’s own example and the vendor’s script send it', async () => {
  const page = {
    basicConfiguration: 'cpu-4-ram-8gb-storage-25gb',
    additionalResources: extra,
    hardware: null,
    datacenter: null,
    maxTotalPricePerEpochUsd: '1.5',
  };
  const script = {
    basicConfiguration: 'cpu-16-ram-32gb-storage-25gb',
    additionalResources: { storage: [{ type: 'NVMe', supply: 1_975, units: 'GiB' }] },
    datacenter: { countries: ['BE'] },
  };
  for (const constraints of [page, script]) {
    assert.equal((await berth.call<unknown[]>('POST', '/marketplace/offers', constraints)).body.length, 1);
    await deployed(berth, deployBody({}, { constraints }));
  }
});

test('where the setting is strict, additional storage needs hardware.storage, in search, estimate and deployment', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-strict-'));
  await writeFile(join(directory, 'settings.json'), '{"fluence":{"strictAdditionalResources":true}}');
  const strict = await startTestBerth({ directory });
  const store = await openMarket(strict);
  try {
    await addHost(store);
    const held = await holdings(store);
    const bare = { additionalResources: extra };
    const refusals = [
      await strict.call('POST', '/marketplace/offers', bare),
      await strict.call('POST', '/vms/v3/estimate', { constraints: bare, instances: 1 }),
      await strict.call('POST', '/vms/v3', deployBody({}, { constraints: { ...bare, hardware: { storage: [] } } })),
    ];
    for (const answer of refusals) assertRefused(answer, 422, 'additionalResources', 'hardware.storage');
    assert.deepEqual(await holdings(store), held);
    const named = { ...bare, hardware: { storage: [{ type: 'NVMe' }] } };
    assert.ok((await strict.call<unknown[]>('POST', '/marketplace/offers', named)).body.length > 0);
    await deployed(strict, deployBody({}, { constraints: named }));
    for (const none of [null, {}, { storage: [] }]) {
      assert.equal((await strict.call('POST', '/marketplace/offers', { additionalResources: none })).status, 200);
    }
  } finally {
    await store.destroy();
    await strict.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test('a type of hardware may be named in part; an empty string is unset', async () => {
  for (const hardware of [
    { cpu: [{ manufacturer: 'AMD' }] },
    { cpu: [{ architecture: 'Zen', manufacturer: '' }], memory: [{ type: '', generation: '4' }] },
    { memory: [{ type: 'DDR', generation: null }], storage: [{ type: '' }] },
  ]) {
    await deployed(berth, deployBody({}, { constraints: { hardware } }));
  }
  const wrong = { cpu: [{ manufacturer: 'Intel', architecture: '' }] };
  const answer = await berth.call('POST', '/vms/v3', deployBody({}, { constraints: { hardware: wrong } }));
  assert.deepEqual([answer.status, answer.body], [422, { error: 'No suitable offer found' }]);
});

test('amounts stand in supply and in quantity, for all resources; memory and storage are in GiB', async () => {
  const constraints = { basicConfiguration: 'cpu-2-ram-4gb-storage-25gb' };
  const [id = ''] = await deployed(berth, deployBody({}, { constraints }));
  const resources = (await vmOf(berth, id))?.resources ?? [];
  assert.deepEqual(
    resources.map(({ type, supply, quantity, units }) => [type, supply, quantity, units]),
    [
      ['VCPU', 2, 2, undefined],
      ['RAM', 4, 4, 'GiB'],
      ['STORAGE', 25, 25, 'GiB'],
      ['PUBLIC_IP', 1, 1, undefined],
    ],
  );
});

test('a registered key is answered as one object, listed in an array, and has both names of the key in both', async () => {
  const { body } = await berth.call<Record<string, unknown>>('POST', '/ssh_keys', { name: 'k', publicKey: keys.rsa });
  assert.ok(!Array.isArray(body));
  const listed = (await berth.call<Record<string, unknown>[]>('GET', '/ssh_keys')).body;
  assert.deepEqual(listed, [body]);
  assert.deepEqual([body.publicKey, body.public_key], [keys.rsa, keys.rsa]);
});

test('the answer to a deployment has the name that was asked for', async () => {
  const vm = { name: 'web-server', hostname: 'my-vm', osImage: imageUrl, sshKeys: [keys.rsa] };
  const answer = await berth.call<Deployed>('POST', '/vms/v3', { instances: 2, vmConfiguration: vm });
  assert.deepEqual(
    answer.body.map(({ vmName }) => vmName),
    ['web-server', 'web-server'],
  );
});

test('a name is unique among requests, and shared by the VMs of one', async () => {
  const answer = await berth.call('POST', '/vms/v3', deployBody({ name: 'web-server' }));
  assertRefused(answer, 409, '"web-server"');
});

test('storage in GB is refused, not taken for GiB', async () => {
  const constraints = { additionalResources: { storage: [{ type: 'NVMe', supply: 20, units: 'GB' }] } };
  const text = 'constraints.additionalResources.storage[0].units is "GB"; only "GiB" is known.';
  const answer = await berth.call('POST', '/vms/v3', deployBody({}, { constraints }));
  assert.deepEqual([answer.status, answer.body], [422, { error: text }]);
});
