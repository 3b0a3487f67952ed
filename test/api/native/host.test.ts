// Hosts, prices and what belongs to them over Berth's own API, as their operators work with them.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { toId } from '../../../src/api/native/id.ts';
import { deployed, holdings, removed, untilStatus } from '../support.ts';
import { allOf, callsOf, done, type Page, refused } from './calls.ts';
import { startWorld } from './world.ts';

interface Host {
  id: string;
  name: string;
  state: string;
  reachable: boolean;
  datacenter: string | null;
  price: string;
  rates: { vcpu: string };
  overcommit: { cpu: number; memory: number; disk: number };
  capacity: { vcpus: number; memoryMib: number; diskGib: number };
  sold: { vcpus: number };
  additionalDiskGibMax: number | null;
  instances: number;
  machine: { cores: number; agentVersion: string } | null;
  hardware: { cpuBrand: string | null } | null;
  hardwareOverrides: { cpuBrand: string | null };
}
interface Enrolment {
  host: string;
  added: boolean;
  token: string;
  command: string;
}
interface Pool {
  id: string;
  cidr: string;
  size: number;
  used: number;
}

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());
const call = callsOf(berth, world.operator);
const customer = callsOf(berth);

const enrol = (body: object) => done<Enrolment>(call, 201, 'POST', '/hosts/enrolment-tokens', body);
const hostOf = (id: string) => done<Host>(call, 200, 'GET', `/hosts/${id}`);
const first = async () => {
  const { items } = await done<Page<Host>>(call, 200, 'GET', '/hosts?reachable=true');
  return items[0] ?? assert.fail('there is no host');
};
const lastEvent = () =>
  database.selectFrom('event').orderBy('id', 'desc').select(['kind', 'actor']).limit(1).executeTakeFirstOrThrow();

test('a host shows what its machine is, what may be sold of it and what is', async () => {
  const host = await first();
  assert.deepEqual(await hostOf(host.id), host);
  assert.deepEqual([host.state, host.machine?.cores, host.capacity.vcpus], ['open', 64, 64 * host.overcommit.cpu]);
  assert.ok(host.machine?.agentVersion);
  const [id = ''] = await deployed(berth);
  await untilStatus(berth, id, 'Active');
  const busy = await hostOf(host.id);
  assert.deepEqual([busy.instances, busy.sold.vcpus], [host.instances + 1, host.sold.vcpus + 1]);
  const { items } = await done<Page<Record<string, unknown>>>(call, 200, 'GET', `/hosts/${host.id}/instances`);
  const { instance, desired, observed, status, account } = items[0] ?? {};
  assert.deepEqual(
    [instance, desired, observed, status, account],
    [toId('instance', id), 'running', 'running', 'active', toId('account', world.accountId)],
  );
  await removed(berth, database, [id]);
});

test('a machine is enrolled by a token that is shown once, and its host begins with the terms it is given', async () => {
  const price = await done<{ id: string; rates: object }>(call, 201, 'POST', '/prices', {
    ...{ vcpu: '0.25', memoryGib: '0.125', storageGib: '0.01', publicIp: '0.05', gradeGib: { ssd: '0.02' } },
  });
  const made = await enrol({ name: 'rack-1', price: price.id, addressPools: ['198.51.100.0/25'] });
  assert.equal(made.added, true);
  assert.ok(made.command.endsWith(`--token ${made.token}`) && made.token.startsWith('enrol_'));
  const host = await hostOf(made.host);
  assert.deepEqual(
    [host.name, host.price, host.rates, host.reachable, host.machine],
    ['rack-1', price.id, price.rates, false, null],
  );
  const again = await enrol({ name: 'rack-1' });
  assert.deepEqual([again.host, again.added], [made.host, false]);
  assert.notEqual(again.token, made.token);
  const { kind, actor } = await lastEvent();
  assert.deepEqual([kind, actor.startsWith('user:')], ['host.token_made', true]);
  const kept = await database.selectFrom('event').select(['message', 'data']).execute();
  assert.ok(!JSON.stringify(kept).includes(made.token));
});

test('what a host can’t begin with is refused, and leaves nothing behind', async () => {
  const held = await holdings(database);
  const path = '/hosts/enrolment-tokens';
  const at = async (status: number, code: string, body: object) =>
    (await refused(call, status, code, 'POST', path, body)).pointer;
  await enrol({ name: 'rack-2' });
  const before = await holdings(database);
  assert.notDeepEqual(before, held);
  assert.equal(await at(422, 'invalid_value', { name: 'a b' }), '#/name');
  assert.equal(await at(409, 'name_taken', { name: 'rack-2', addressPools: ['198.51.100.128/25'] }), '#/name');
  assert.equal(await at(422, 'invalid_value', { name: 'rack-3', addressPools: ['198.51.100.1/25'] }), '#/addressPools');
  assert.equal(await at(409, 'name_taken', { name: 'rack-3', addressPools: ['198.51.100.0/24'] }), '#/addressPools');
  assert.equal(await at(422, 'invalid_value', { name: 'rack-3', price: 'prc_1' }), '#/price');
  await at(404, 'not_found', { name: 'rack-3', price: toId('price', '00000000-0000-4000-8000-000000000000') });
  await at(404, 'not_found', { name: 'rack-3', datacenter: 'nowhere' });
  assert.equal((await call('POST', `${path}?dryRun=true`, { name: 'rack-3' })).status, 201);
  assert.deepEqual(await holdings(database), before);
});

test('a host’s terms are changed by part, and taken back', async () => {
  const { id } = await first();
  const datacenter = await world.make('datacenter');
  const price = await world.make('price');
  const changed = await done<Host>(call, 200, 'PATCH', `/hosts/${id}`, {
    ...{ datacenter, price, overcommit: { cpu: 2 }, hardware: { cpuBrand: 'EPYC' }, additionalDiskGibMax: 100 },
  });
  assert.deepEqual(
    [
      changed.datacenter,
      changed.price,
      changed.overcommit.cpu,
      changed.hardwareOverrides.cpuBrand,
      changed.additionalDiskGibMax,
    ],
    [datacenter, price, 2, 'EPYC', 100],
  );
  assert.deepEqual([changed.capacity.vcpus, changed.hardware?.cpuBrand], [128, 'EPYC']);
  assert.match((await lastEvent()).actor, /^user:/);
  const there = await done<Page<Host>>(call, 200, 'GET', `/hosts?datacenter=${datacenter}`);
  assert.deepEqual(
    there.items.map((host) => host.id),
    [id],
  );
  const back = await done<Host>(call, 200, 'PATCH', `/hosts/${id}`, {
    ...{ datacenter: null, hardware: { cpuBrand: null }, additionalDiskGibMax: null },
  });
  assert.deepEqual(
    [back.datacenter, back.hardwareOverrides.cpuBrand, back.additionalDiskGibMax, back.overcommit.cpu, back.price],
    [null, null, null, 2, price],
  );
  const events = await holdings(database);
  assert.deepEqual(await done<Host>(call, 200, 'PATCH', `/hosts/${id}`, {}), await hostOf(id));
  const at = async (body: object) => (await refused(call, 422, 'invalid_value', 'PATCH', `/hosts/${id}`, body)).pointer;
  assert.equal(await at({ overcommit: { cpu: 0 } }), '#/overcommit/cpu');
  assert.equal(await at({ hardware: { storageType: 'tape' } }), '#/hardware/storageType');
  assert.equal(await at({ hardware: { cpuBrand: ' x' } }), '#/hardware/cpuBrand');
  assert.equal(await at({ additionalDiskGibMax: -1 }), '#/additionalDiskGibMax');
  assert.equal(await at({ overcommit: { memory: 2 }, price: 'x' }), '#/price', 'nothing of it is done');
  await refused(call, 404, 'not_found', 'PATCH', `/hosts/${id}`, { datacenter: 'nowhere' });
  await refused(call, 400, 'malformed', 'PATCH', `/hosts/${id}`, { colour: 'red' });
  assert.deepEqual(await holdings(database), events);
  assert.equal((await hostOf(id)).overcommit.memory, back.overcommit.memory);
});

test('a host is renamed, and stays what it is, also for its machine when that starts again', async () => {
  const { host: id } = await enrol({ name: 'rack-old' });
  const before = await hostOf(id);
  const named = (name: string) => done<Host>(call, 200, 'PATCH', `/hosts/${id}`, { name });
  assert.deepEqual(await named('rack-new'), { ...before, name: 'rack-new' });
  const { kind, actor } = await lastEvent();
  assert.deepEqual([kind, actor.startsWith('user:')], ['host.renamed', true]);
  const held = await holdings(database);
  const at = async (status: number, code: string, name: string) =>
    (await refused(call, status, code, 'PATCH', `/hosts/${id}`, { name })).pointer;
  const local = await first();
  assert.equal(await at(409, 'name_taken', local.name), '#/name');
  assert.equal(await at(422, 'invalid_value', 'a b'), '#/name');
  assert.deepEqual(await named('rack-new'), { ...before, name: 'rack-new' });
  assert.deepEqual(await holdings(database), held);
  await done(call, 200, 'PATCH', `/hosts/${local.id}`, { name: 'local-renamed' });
  const count = (await allOf<Host>(call, '/hosts')).length;
  await berth.restart();
  const after = await allOf<Host>(call, '/hosts');
  assert.deepEqual([after.length, after.find((one) => one.id === local.id)?.name], [count, 'local-renamed']);
});

test('hosts are listed in pages by their names, and by what they are', async () => {
  const datacenter = await world.make('datacenter');
  for (const name of ['page-b', 'page-a', 'page-c']) await enrol({ name, datacenter });
  const names = async (query: string) => (await allOf<Host>(call, `/hosts?${query}`)).map(({ name }) => name);
  const slug = (await done<{ slug: string }>(call, 200, 'GET', `/datacenters/${datacenter}`)).slug;
  for (const ref of [datacenter, slug]) {
    assert.deepEqual(await names(`datacenter=${ref}`), ['page-a', 'page-b', 'page-c']);
    assert.deepEqual(await names(`datacenter=${ref}&reachable=true`), []);
    assert.deepEqual(await names(`datacenter=${ref}&state=drained`), []);
  }
  const all = await names('');
  assert.ok(all.length > 3);
  assert.deepEqual(all.toSorted(), [...new Set(all)].toSorted());
});

test('a drained host takes nothing new and keeps what it has; only one that has nothing is retired', async () => {
  const { id } = await first();
  const [instance = ''] = await deployed(berth);
  await untilStatus(berth, instance, 'Active');
  assert.equal((await done<Host>(call, 200, 'POST', `/hosts/${id}/drain`)).state, 'drained');
  assert.equal((await done<Host>(call, 200, 'POST', `/hosts/${id}/drain`)).state, 'drained');
  assert.equal((await berth.call('POST', '/vms/v3', (await import('../support.ts')).deployBody())).status, 422);
  const why = await refused(call, 409, 'wrong_state', 'POST', `/hosts/${id}/retire`);
  assert.match(why.detail, /still has an instance/);
  await removed(berth, database, [instance]);
  assert.equal((await done<Host>(call, 200, 'POST', `/hosts/${id}/retire`)).state, 'retired');
  assert.equal((await done<Host>(call, 200, 'POST', `/hosts/${id}/undrain`)).state, 'open');
  await refused(call, 404, 'not_found', 'POST', `/hosts/${toId('host', '00000000-0000-4000-8000-000000000000')}/drain`);
  await refused(call, 404, 'not_found', 'GET', '/hosts/17');
});

test('ranges of addresses are added, shown with their use, and taken away', async () => {
  const { host } = await enrol({ name: 'rack-4' });
  const path = `/hosts/${host}/address-pools`;
  const pool = await done<Pool>(call, 201, 'POST', path, { cidr: '203.0.113.0/24' });
  assert.deepEqual([pool.cidr, pool.size, pool.used], ['203.0.113.0/24', 254, 0]);
  assert.deepEqual(await allOf<Pool>(call, path), [pool]);
  assert.equal((await refused(call, 409, 'name_taken', 'POST', path, { cidr: '203.0.113.0/25' })).pointer, '#/cidr');
  assert.equal((await refused(call, 422, 'invalid_value', 'POST', path, { cidr: '203.0.113.1/25' })).pointer, '#/cidr');
  const odd = await done<Pool>(call, 201, 'POST', path, { cidr: '16.0.0.0/08' });
  await done(call, 204, 'DELETE', `${path}/${odd.id}`);
  const other = (await first()).id;
  assert.deepEqual(await done(call, 200, 'GET', `${path}/${pool.id}`), pool);
  await refused(call, 404, 'not_found', 'GET', `/hosts/${other}/address-pools/${pool.id}`);
  await refused(call, 404, 'not_found', 'DELETE', `/hosts/${other}/address-pools/${pool.id}`);
  await done(call, 204, 'DELETE', `${path}/${pool.id}`);
  await refused(call, 404, 'not_found', 'DELETE', `${path}/${pool.id}`);
  assert.deepEqual(await allOf<Pool>(call, path), []);
});

test('a host’s storage pools and what nobody owns there are shown', async () => {
  const { id } = await first();
  const pools = await allOf<{ label: string; sizeGib: number; soldGib: number }>(call, `/hosts/${id}/storage-pools`);
  assert.deepEqual(
    pools.map(({ label }) => label),
    ['default'],
  );
  assert.ok((pools[0]?.sizeGib ?? 0) > 0);
  assert.deepEqual(await allOf(call, `/orphans?host=${id}`), []);
  const { host } = await enrol({ name: 'rack-5' });
  const hostId = host.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const orphan = {
    instance_id: `0x${'ab'.repeat(20)}`,
    state: 'running',
    ip: null,
    vcpus: 1,
    memory_mib: 512,
    disk_gib: 5,
  };
  await database
    .insertInto('orphan')
    .values({ ...orphan, host_id: hostId, seen_at: new Date() })
    .execute();
  const [found] = await allOf<{ instance: string; state: string }>(call, `/orphans?host=${host}`);
  assert.deepEqual([found?.instance, found?.state], [toId('instance', orphan.instance_id), 'running']);
  assert.deepEqual(await allOf(call, `/hosts/${host}/storage-pools`), []);
});

test('prices are made once and never change', async () => {
  const rates = { vcpu: '1.5', memoryGib: '0.5', storageGib: '0.05', publicIp: '0.1' };
  const price = await done<{ id: string; rates: { gradeGib: object } }>(call, 201, 'POST', '/prices', rates);
  assert.equal((await done<{ id: string }>(call, 201, 'POST', '/prices', rates)).id, price.id);
  assert.deepEqual(await done(call, 200, 'GET', `/prices/${price.id}`), price);
  const all = await allOf<{ id: string }>(call, '/prices');
  assert.equal(all.filter(({ id }) => id === price.id).length, 1);
  const at = async (status: number, code: string, body: object) =>
    (await refused(call, status, code, 'POST', '/prices', body)).pointer;
  assert.equal(await at(422, 'invalid_value', { ...rates, vcpu: '1000001' }), '#/vcpu');
  assert.equal(await at(422, 'invalid_value', { ...rates, gradeGib: { ssd: '-1' } }), '#/gradeGib');
  await at(400, 'malformed', { ...rates, vcpu: 'much' });
  await at(400, 'malformed', { ...rates, gradeGib: { tape: '1' } });
  await at(400, 'malformed', { vcpu: '1' });
  assert.equal((await allOf(call, '/prices')).length, all.length);
  await refused(call, 404, 'not_found', 'GET', '/prices/prc_1');
});

test('a rate of a card is changed for its hosts at once, or for some of them, and nothing else of it', async () => {
  interface Card {
    id: string;
    rates: { vcpu: string; memoryGib: string; gradeGib: { ssd: string; archive: string } };
  }
  const rates = { vcpu: '2.5', memoryGib: '0.25', storageGib: '0.025', publicIp: '0.2' };
  const card = await done<Card>(call, 201, 'POST', '/prices', rates);
  const ids: string[] = [];
  for (const name of ['rack-20', 'rack-21', 'rack-22']) ids.push((await enrol({ name, price: card.id })).host);
  const [one = '', ...others] = ids;
  const cardOf = async (id: string) => (await done<{ price: string }>(call, 200, 'GET', `/hosts/${id}`)).price;
  const revise = (body: object, query = '') =>
    done<{ price: Card; hosts: string[] }>(call, 200, 'POST', `/prices/${card.id}/revisions${query}`, body);

  await revise({ vcpu: '3' }, '?dryRun=true');
  assert.equal(await cardOf(one), card.id);
  const some = await revise({ gradeGib: { ssd: '0.5' }, hosts: [one] });
  assert.deepEqual(some.hosts, [one]);
  assert.deepEqual(some.price.rates, { ...card.rates, gradeGib: { ...card.rates.gradeGib, ssd: '0.5' } });
  assert.deepEqual([await cardOf(one), await cardOf(others[0] ?? '')], [some.price.id, card.id]);
  const rest = await revise({ vcpu: '3' });
  assert.deepEqual(rest.hosts, [...others].sort());
  assert.deepEqual(rest.price.rates, { ...card.rates, vcpu: '3' });
  for (const id of others) assert.equal(await cardOf(id), rest.price.id);
  assert.deepEqual(await done(call, 200, 'GET', `/prices/${card.id}`), card, 'a card never changes');
  assert.deepEqual(await revise({ vcpu: '2.5' }), { price: card, hosts: [] }, 'what it costs already');

  const at = async (status: number, code: string, body: object) =>
    (await refused(call, status, code, 'POST', `/prices/${rest.price.id}/revisions`, body)).pointer;
  assert.equal(await at(422, 'invalid_value', { vcpu: '4', hosts: [one] }), '#/hosts', 'it has another card');
  assert.equal(await at(422, 'invalid_value', { vcpu: '4', hosts: ['x'] }), '#/hosts/0');
  await at(404, 'not_found', { vcpu: '4', hosts: [toId('host', '00000000-0000-4000-8000-000000000000')] });
  await at(422, 'invalid_value', {});
  assert.equal(await at(422, 'invalid_value', { vcpu: '1000001' }), '#/vcpu');
  assert.equal(await cardOf(others[0] ?? ''), rest.price.id);
  await refused(customer, 403, 'forbidden', 'POST', `/prices/${card.id}/revisions`, { vcpu: '4' });
});

test('customers see nothing of hosts and prices', async () => {
  for (const path of ['/hosts', `/hosts/${(await first()).id}`, '/prices']) {
    await refused(customer, 403, 'forbidden', 'GET', path);
  }
  await refused(customer, 403, 'forbidden', 'POST', '/hosts/enrolment-tokens', { name: 'mine' });
});
