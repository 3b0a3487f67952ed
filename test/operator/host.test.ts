// What an operator says of hosts and prices, on the command line, and what customers then see.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Database } from '../../src/store/database.ts';
import { assertRefused, deployBody, deployed, openStore, removed, untilStatus, vmOf } from '../api/support.ts';
import { startTestBerth, type TestBerth, withinOneEpoch } from '../support/berth.ts';
import { Operator } from './support.ts';

interface Host {
  id: string;
  name: string;
  state: string;
  reachable: boolean;
  datacenter: string | null;
  instances: number;
  overcommit: { cpu: number; memory: number; disk: number };
  limit: { vcpus: number };
  hardware: { cpu: { brand: string | null }; storage: { type: string } };
  hardwareOverrides: object;
  additionalDiskGibMax: number | null;
  rates: { vcpu: string; memoryGib: string; storageGib: string; gradeGib: Record<string, string>; publicIp: string };
  pools: { cidr: string; size: number; used: number }[];
}
type Offers = { configuration: { slug: string; price: string }; datacenter: { countryCode: string } | null }[];

let berth: TestBerth;
let database: Database;
let operator: Operator;
let name: string;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.58.0.0/24' });
  database = await openStore(berth);
  operator = new Operator(berth.directory);
  const { hosts } = await operator.json<{ hosts: Host[] }>('host', 'list');
  assert.equal(hosts.length, 1);
  name = hosts[0]?.name ?? '';
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const show = (host = name) => operator.json<Host>('host', 'show', host);
const smallest = { basicConfiguration: 'cpu-1-ram-1gb-storage-5gb' };
const offers = async (constraints: object = smallest) =>
  (await berth.call<Offers>('POST', '/marketplace/offers', constraints)).body;

test('a new price holds for what is deployed from now on, and what runs keeps its own', async () => {
  await withinOneEpoch(180_000);
  const [old = ''] = await deployed(berth);
  const before = await vmOf(berth, old);
  assert.equal(before?.pricePerEpoch, '0.135');
  await operator.text('price', 'set', '--host', name, '--vcpu', '0.25');
  const { prices } = await operator.json<{ prices: object[] }>('price', 'list');
  const gradeGib = { ssd: '0.002', archive: '0.0005' };
  const rest = { memoryGib: '0.02', storageGib: '0.001', gradeGib, publicIp: '0.01' };
  assert.deepEqual(prices, [{ host: name, vcpu: '0.25', ...rest }]);
  const [offer] = await offers();
  assert.equal(offer?.configuration.price, '0.285');
  const [young = ''] = await deployed(berth);
  assert.equal((await vmOf(berth, young))?.pricePerEpoch, '0.285');
  assert.equal((await vmOf(berth, old))?.pricePerEpoch, '0.135');
  await removed(berth, database, [old, young]);
});

test('a price that can’t be is refused, and of several hosts none is priced when one is unknown', async () => {
  for (const rate of ['-1', '1000000.000001']) {
    await operator.refused(['price', 'set', '--host', name, `--vcpu=${rate}`], '--vcpu', JSON.stringify(rate));
  }
  await operator.refused(['price', 'set', '--host', name, 'nobody', '--vcpu', '9'], '"nobody"');
  await operator.refused(['price', 'set', '--host', name], '--memory-gib');
  assert.equal((await show()).rates.vcpu, '0.25');
});

test('each grade of storage has a price of its own, and the default one that of storage', async () => {
  await operator.text('price', 'set', '--host', name, '--grade', 'ssd=0.003', '--grade', 'archive=0');
  assert.deepEqual((await show()).rates.gradeGib, { ssd: '0.003', archive: '0' });
  await operator.text('price', 'set', '--host', name, '--grade', 'archive=0.0004');
  assert.deepEqual((await show()).rates.gradeGib, { ssd: '0.003', archive: '0.0004' });
  const wrong: [given: string, ...words: string[]][] = [
    ['floppy=1', '"floppy"', 'ssd, archive'],
    ['sata=1', '"sata"', '--storage-gib'],
    ['ssd=-1', '--grade ssd', '"-1"'],
    ['ssd', '"ssd"', 'ssd=0.002'],
  ];
  for (const [given, ...words] of wrong) {
    await operator.refused(['price', 'set', '--host', name, `--grade=${given}`], '--grade', ...words);
  }
});

test('a host stands where, and is made of what, the operator says; "none" takes the word back', async () => {
  await operator.text('datacenter', 'add', 'de-ber-1', '--country', 'DE', '--city', 'BER', '--tier', '3');
  const found = await show();
  const words = ['--datacenter', 'de-ber-1', '--cpu-manufacturer', 'AMD', '--cpu-brand', 'EPYC'];
  const terms = ['--cpu-architecture', 'Zen', '--vcpu-overcommit', '2.5', '--additional-disk-max', '7'];
  await operator.text('host', 'set', name, ...words, ...terms);
  const set = await show();
  assert.equal(set.datacenter, 'de-ber-1');
  assert.deepEqual(set.hardwareOverrides, { cpu: { manufacturer: 'AMD', brand: 'EPYC', architecture: 'Zen' } });
  assert.deepEqual(set.overcommit, { cpu: 2.5, memory: 1, disk: 1 });
  assert.equal(set.limit.vcpus, 160);
  const zen = { ...smallest, hardware: { cpu: [{ manufacturer: 'AMD', architecture: 'Zen' }] } };
  assert.equal((await offers({ ...zen, datacenter: { countries: ['DE'] } })).length, 1);
  assert.deepEqual(await offers({ ...zen, datacenter: { countries: ['PL'] } }), []);
  assertRefused(
    await berth.call(
      'POST',
      '/vms/v3',
      deployBody(
        {},
        {
          constraints: {
            ...smallest,
            additionalResources: { storage: [{ type: found.hardware.storage.type, supply: 8, units: 'GiB' }] },
          },
        },
      ),
    ),
    422,
    'No suitable offer',
  );
  await operator.text(
    'host',
    'set',
    name,
    '--cpu-brand',
    'none',
    '--cpu-architecture',
    'none',
    '--additional-disk-max',
    'none',
  );
  const partly = await show();
  assert.deepEqual(partly.hardwareOverrides, { cpu: { manufacturer: 'AMD' } });
  assert.equal(partly.hardware.cpu.brand, found.hardware.cpu.brand);
  assert.equal(partly.additionalDiskGibMax, null);
  assert.deepEqual(await offers(zen), []);
  await operator.refused(['datacenter', 'remove', 'de-ber-1'], name);
  await operator.text('host', 'set', partly.id, '--datacenter', 'none');
  await operator.text('datacenter', 'remove', 'de-ber-1');
  assert.equal((await offers()).at(0)?.datacenter ?? null, null);
});

test('terms that can’t be are refused and change nothing', async () => {
  const before = await show();
  const wrong: [option: string, value: string][] = [
    ['--memory-overcommit', 'much'],
    ['--storage-type', 'tape'],
    ['--additional-disk-max', '1.5'],
    ['--datacenter', 'nowhere'],
  ];
  for (const [option, value] of wrong) {
    const named = option === '--datacenter' ? value : option;
    await operator.refused(['host', 'set', name, '--cpu-manufacturer', 'X', option, value], named);
  }
  await operator.refused(['host', 'set', name], 'at least one');
  await operator.refused(['host', 'set', 'nobody', '--storage-type', 'SSD'], '"nobody"');
  const { hardwareOverrides, overcommit } = await show();
  assert.deepEqual(
    { hardwareOverrides, overcommit },
    { hardwareOverrides: before.hardwareOverrides, overcommit: before.overcommit },
  );
});

test('a drained host takes nothing new and keeps what it has; it is retired only when it is empty', async () => {
  await withinOneEpoch(180_000);
  const [id = ''] = await deployed(berth);
  await untilStatus(berth, id, 'Active');
  await operator.text('host', 'drain', name);
  assert.deepEqual(await offers(), []);
  assertRefused(await berth.call('POST', '/vms/v3', deployBody()), 422, 'No suitable offer');
  assert.equal((await vmOf(berth, id))?.status, 'Active');
  await operator.refused(['host', 'retire', name], 'an instance');
  await removed(berth, database, [id]);
  await operator.text('host', 'retire', name);
  assert.equal((await show()).state, 'retired');
  assert.deepEqual(await offers(), []);
  await operator.refused(['host', 'enrol', name], 'retired');
  await operator.text('host', 'open', name);
  assert.equal((await offers()).length, 1);
  const { hosts } = await operator.json<{ hosts: { name: string; revenue: string }[] }>('host', 'revenue');
  assert.deepEqual(
    hosts.map((host) => host.name),
    [name],
  );
  assert.equal(hosts[0]?.revenue, '0.705');
});

test('a host that is enrolled begins with what it is given, and a machine becomes it by the token', async () => {
  const terms = [
    '--price-of',
    name,
    '--memory-gib',
    '0.5',
    '--address-pool',
    '127.58.1.0/24',
    '--address-pool',
    '127.58.2.0/30',
  ];
  const made = await operator.json<{ token: string; command: string; isNew: boolean }>(
    'host',
    'enrol',
    'rack-2',
    ...terms,
    '--server',
    berth.url,
  );
  assert.equal(made.isNew, true);
  assert.equal(made.command, `berth agent --server ${berth.url} --token ${made.token}`);
  const host = await show('rack-2');
  const gradeGib = { ssd: '0.003', archive: '0.0004' };
  assert.deepEqual(host.rates, { vcpu: '0.25', memoryGib: '0.5', storageGib: '0.001', gradeGib, publicIp: '0.01' });
  assert.deepEqual(host.overcommit, { cpu: 1, memory: 1, disk: 1 });
  assert.deepEqual(
    host.pools.map(({ cidr, size }) => [cidr, size]),
    [
      ['127.58.1.0/24', 254],
      ['127.58.2.0/30', 2],
    ],
  );
  const inventory = {
    ...{
      cores: 4,
      memoryMib: 8192,
      diskGib: 100,
      storageType: 'HDD',
      acceleration: 'tcg',
      accelerationReason: 'a test',
    },
    ...{ cpuModel: 'Test', hypervisor: 'none', agentVersion: 'test' },
  };
  const enrolled = await berth.call<{ hostId: string }>('POST', '/agent/v1/enrol', { token: made.token, inventory });
  assert.equal(enrolled.status, 200, JSON.stringify(enrolled.body));
  assert.equal(enrolled.body.hostId, host.id);
  const seen = await show(host.id);
  assert.equal(seen.reachable, true);
  assert.equal(seen.limit.vcpus, 4);
  await operator.refused(['host', 'enrol', 'rack-2', '--vcpu', '1'], 'rack-2', 'terms');
  const again = await operator.json<{ isNew: boolean; token: string }>('host', 'enrol', 'rack-2');
  assert.equal(again.isNew, false);
  assert.notEqual(again.token, made.token);
});

test('ranges of addresses never overlap, and what is wrong leaves no half of a host', async () => {
  await operator.refused(['host', 'pool', 'add', name, '127.58.1.128/25'], '127.58.1.0/24', 'rack-2');
  for (const range of ['127.58.9.1/24', '0.0.0.0/0']) {
    await operator.refused(['host', 'pool', 'add', name, range], JSON.stringify(range));
  }
  await operator.refused(
    ['host', 'enrol', 'rack-3', '--address-pool', '127.58.3.0/24', '--address-pool', '127.58.3.0/28'],
    '127.58.3.0',
  );
  await operator.refused(['host', 'enrol', 'rack-3', '--datacenter', 'nowhere'], 'nowhere');
  await operator.refused(['host', 'enrol', 'not a name'], 'not a name');
  await operator.refused(['host', 'show', 'rack-3'], 'rack-3');
  await operator.text('host', 'pool', 'add', name, '127.58.3.0/24');
  await operator.text('host', 'pool', 'remove', name, '127.58.3.0/24');
  await operator.refused(['host', 'pool', 'remove', name, '127.58.3.0/24'], 'no range');
  const { pools } = await operator.json<{ pools: { cidr: string }[] }>('host', 'pool', 'list', name);
  assert.deepEqual(
    pools.map(({ cidr }) => cidr),
    ['127.58.0.0/24'],
  );
});

test('what a host has and nobody owns is shown', async () => {
  const { id } = await show('rack-2');
  assert.match(await operator.text('host', 'orphans', 'rack-2'), /none/);
  const orphan = { instance_id: `0x${'9'.repeat(40)}`, host_id: id, state: 'running', ip: null };
  await database
    .insertInto('orphan')
    .values({ ...orphan, vcpus: 1, memory_mib: 512, disk_gib: 3, seen_at: new Date() })
    .execute();
  const { orphans } = await operator.json<{ orphans: { instanceId: string; memoryMib: number }[] }>(
    'host',
    'orphans',
    'rack-2',
  );
  assert.deepEqual(
    orphans.map(({ instanceId, memoryMib }) => [instanceId, memoryMib]),
    [[orphan.instance_id, 512]],
  );
  assert.match(await operator.text('host', 'orphans', 'rack-2'), /0x9{40} +running/);
});

test('the operator’s word outlives a restart, and every change of it is an event', async () => {
  await operator.text('host', 'set', name, '--memory-overcommit', '1.25');
  await operator.text('host', 'pool', 'add', name, '127.58.4.0/24');
  const before = await show();
  await database.destroy();
  await berth.restart();
  database = await openStore(berth);
  const now = await show();
  assert.deepEqual([now.rates, now.overcommit, now.pools], [before.rates, before.overcommit, before.pools]);
  const events = await database
    .selectFrom('event')
    .where('actor', '=', 'operator')
    .select(['kind', 'host_id'])
    .execute();
  const kinds = new Set(events.map(({ kind }) => kind));
  for (const kind of [
    'priced',
    'changed',
    'drained',
    'retired',
    'opened',
    'added',
    'token_made',
    'pool_added',
    'pool_removed',
  ]) {
    assert.ok(kinds.has(`host.${kind}`), kind);
  }
  assert.ok(events.filter(({ kind }) => kind.startsWith('host.')).every(({ host_id }) => host_id !== null));
});
