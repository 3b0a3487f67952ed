// Slots, datacenters and configurations over Berth's own API: what operators say of them, and what customers then find.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { toId } from '../../../src/api/native/id.ts';
import { callApi } from '../../support/berth.ts';
import { holdings } from '../support.ts';
import { allOf, callsOf, done, refused } from './calls.ts';
import { startWorld } from './world.ts';

interface Slot {
  id: string;
  status: string;
  vcpus: number;
  memoryGib: number;
  prices: { id: string; unit: string; amount: string }[];
  operated: { host: string; name: string; state: string; whyInactive: string | null; account: string | null } | null;
}

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());
const call = callsOf(berth, world.operator);
const customer = callsOf(berth);
const { id: hostId } = await database.selectFrom('host').select('id').executeTakeFirstOrThrow();
const host = toId('host', hostId);
const size = { vcpus: 2, memoryGib: 4, diskGib: 10 };
const add = (name: string, more: object = {}) =>
  done<Slot>(call, 201, 'POST', '/slots', { host, name, ...size, prices: { hour: '0.5' }, ...more });

test('a slot that is added is found by customers, without what is its operators’ business', async () => {
  const slot = await add('found', { vcpus: 7, prices: { hour: '0.42', epoch: '9.5' } });
  assert.deepEqual(
    slot.prices.map(({ unit, amount }) => [unit, amount]),
    [
      ['hour', '0.42'],
      ['epoch', '9.5'],
    ],
  );
  assert.deepEqual([slot.operated?.host, slot.operated?.name, slot.operated?.state], [host, 'found', 'open']);
  const seen = await done<Slot>(customer, 200, 'GET', `/slots/${slot.id}`);
  assert.deepEqual(seen, { ...slot, operated: null });
  assert.deepEqual(
    (await allOf<Slot>(customer, '/slots?vcpusMin=7')).filter(({ vcpus }) => vcpus === 7),
    [seen],
  );
  assert.deepEqual(await allOf(customer, '/slots?memoryGibMin=1000000'), []);
  assert.deepEqual(await allOf(customer, '/slots?gpu=RTX'), []);
});

test('a rented slot is in no customer’s list, and its operators see who rents it', async () => {
  const slot = await add('rented');
  const body = {
    ...{ machine_id: slot.id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') },
    machine_price_id: slot.prices[0]?.id.slice(4).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    container_config: { image: 'nginx', ports: [] },
  };
  const started = await berth.call('POST', '/vendors/v1/machines/deployments/start', body);
  assert.equal(started.status, 200, JSON.stringify(started.body));
  assert.ok(!(await allOf<Slot>(customer, '/slots')).some(({ id }) => id === slot.id));
  const seen = (await allOf<Slot>(call, '/slots?available=false')).find(({ id }) => id === slot.id);
  assert.deepEqual([seen?.status, seen?.operated?.account], ['rented', toId('account', world.accountId)]);
  const stranger = await world.addStranger();
  const theirs = await done<Slot>(callsOf(berth, stranger.key), 200, 'GET', `/slots/${slot.id}`);
  assert.deepEqual([theirs.status, theirs.operated], ['rented', null]);
  await refused(call, 409, 'wrong_state', 'DELETE', `/slots/${slot.id}`);
});

test('a slot gets other prices, is closed, opened and removed, each of it against what was seen', async () => {
  const made = await call<Slot>('POST', '/slots', { host, name: 'changed', ...size, prices: { hour: '1' } });
  const path = `/slots/${made.body.id}`;
  const seen = { 'if-match': made.headers.get('etag') ?? '' };
  const priced = await done<Slot>(call, 200, 'PATCH', path, { prices: { hour: null, epoch: '20' } }, seen);
  assert.deepEqual(
    priced.prices.map(({ unit, amount }) => [unit, amount]),
    [['epoch', '20']],
  );
  await refused(call, 412, 'precondition_failed', 'PATCH', path, { state: 'closed' }, seen);
  const closed = await done<Slot>(call, 200, 'PATCH', path, { state: 'closed' });
  assert.deepEqual([closed.status, closed.operated?.whyInactive], ['inactive', 'it is closed']);
  assert.ok(!(await allOf<Slot>(customer, '/slots')).some(({ id }) => id === made.body.id));
  assert.equal((await done<Slot>(call, 200, 'PATCH', path, { state: 'open' })).status, 'available');
  await refused(call, 409, 'wrong_state', 'PATCH', path, { prices: { epoch: null } });
  await done(call, 204, 'DELETE', path);
  await refused(call, 404, 'not_found', 'GET', path);
  await refused(customer, 404, 'not_found', 'GET', path);
  await refused(call, 404, 'not_found', 'PATCH', path, { state: 'open' });
});

test('a slot that can’t be is refused with the field at fault, and nothing is left behind', async () => {
  await add('taken');
  const slots = await allOf<Slot>(call, '/slots');
  const held = await holdings(database);
  const at = async (status: number, code: string, more: object) =>
    (await refused(call, status, code, 'POST', '/slots', { host, name: 'x', ...size, prices: { hour: '1' }, ...more }))
      .pointer;
  assert.equal(await at(409, 'name_taken', { name: 'taken' }), '#/name');
  assert.equal(await at(422, 'invalid_value', { name: 'a/b' }), '#/name');
  assert.equal(await at(422, 'invalid_value', { vcpus: 65 }), '#/vcpus');
  assert.equal(await at(422, 'invalid_value', { memoryGib: 0 }), '#/memoryGib');
  assert.equal(await at(422, 'invalid_value', { diskGib: 1_000_000 }), '#/diskGib');
  assert.equal(await at(422, 'invalid_value', { gpus: ['GPU-7'] }), '#/gpus');
  assert.equal(await at(422, 'invalid_value', { prices: {} }), '#/prices/hour');
  assert.equal(await at(422, 'invalid_value', { prices: { epoch: '1000001' } }), '#/prices/epoch');
  assert.equal(await at(422, 'invalid_value', { host: 'hst_1' }), '#/host');
  await at(404, 'not_found', { host: toId('host', randomUUID()) });
  await at(400, 'malformed', { vcpus: 1.5 });
  const dry = await call('POST', '/slots?dryRun=true', { host, name: 'dry', ...size, prices: { hour: '1' } });
  assert.equal(dry.status, 201);
  await refused(customer, 403, 'forbidden', 'POST', '/slots', { host, name: 'x', ...size, prices: { hour: '1' } });
  assert.deepEqual(await allOf(call, '/slots'), slots);
  assert.deepEqual(await holdings(database), held);
});

test('slots come in pages that miss and repeat nothing', async () => {
  for (let count = 0; count < 3; count += 1) await add(`page-${count}`);
  const { items } = await done<{ items: Slot[] }>(call, 200, 'GET', '/slots?limit=200');
  assert.deepEqual(await allOf(call, '/slots'), items);
  for (const after of [
    ['x', 'y'],
    ['2026-01-01T00:00:00.000Z', '17'],
  ]) {
    const cursor = Buffer.from(JSON.stringify(after)).toString('base64url');
    await refused(customer, 422, 'invalid_value', 'GET', `/slots?cursor=${cursor}`);
  }
  await refused(customer, 400, 'malformed', 'GET', '/slots?vcpusMin=9999999999');
});

test('a datacenter is added, changed and removed; one that hosts stand in stays', async () => {
  const given = { slug: 'de-fra-1', country: 'de', city: 'fra', tier: 3 };
  const made = await call<{ id: string }>('POST', '/datacenters', given);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const whole = { id: made.body.id, ...given, country: 'DE', city: 'FRA', cityIndex: 1, certifications: [] };
  assert.deepEqual(made.body, whole);
  const found = await callApi(berth.url, berth.apiKey, 'GET', made.headers.get('location') ?? '');
  assert.deepEqual(found.body, whole);
  const path = `/datacenters/${made.body.id}`;
  const seen = { 'if-match': made.headers.get('etag') ?? '' };
  const changed = await done(call, 200, 'PATCH', path, { tier: 4, certifications: ['ISO 27001'] }, seen);
  assert.deepEqual(changed, { ...whole, tier: 4, certifications: ['ISO 27001'] });
  await refused(call, 412, 'precondition_failed', 'DELETE', path, undefined, seen);
  const at = async (status: number, code: string, body: object) =>
    (await refused(call, status, code, 'POST', '/datacenters', { ...given, slug: 'de-fra-2', ...body })).pointer;
  assert.equal(await at(409, 'name_taken', { slug: 'de-fra-1', cityIndex: 9 }), '#/slug');
  assert.equal(await at(409, 'name_taken', {}), '#/cityIndex');
  assert.equal(await at(422, 'invalid_value', { slug: 'DE' }), '#/slug');
  assert.equal(await at(422, 'invalid_value', { country: 'XX' }), '#/country');
  assert.equal(await at(422, 'invalid_value', { city: 'frankfurt' }), '#/city');
  assert.equal(await at(422, 'invalid_value', { cityIndex: 0 }), '#/cityIndex');
  assert.equal(await at(422, 'invalid_value', { tier: 5 }), '#/tier');
  await done(call, 200, 'PATCH', `/hosts/${host}`, { datacenter: 'de-fra-1' });
  assert.match((await refused(call, 409, 'wrong_state', 'DELETE', path)).detail, /Hosts stand in de-fra-1/);
  await done(call, 200, 'PATCH', `/hosts/${host}`, { datacenter: null });
  await done(call, 204, 'DELETE', '/datacenters/de-fra-1');
  await refused(call, 404, 'not_found', 'DELETE', path);
  await refused(call, 404, 'not_found', 'PATCH', path, { tier: 1 });
  assert.ok([400, 404].includes((await call('DELETE', '/datacenters/%00')).status));
  assert.ok([400, 404].includes((await call('PATCH', `/hosts/${host}`, { datacenter: 'a\0' })).status));
  await refused(customer, 403, 'forbidden', 'POST', '/datacenters', given);
});

test('a size is put on sale and taken off it; the last one stays', async () => {
  const slug = 'cpu-5-ram-9gb-storage-21gb';
  const made = await done(call, 201, 'POST', '/configurations', { slug });
  assert.deepEqual(made, { slug, vcpus: 5, memoryMib: 9 * 1024, diskGib: 21 });
  assert.equal((await refused(call, 409, 'name_taken', 'POST', '/configurations', { slug })).pointer, '#/slug');
  assert.equal(
    (await refused(call, 422, 'invalid_value', 'POST', '/configurations', { slug: 'large' })).pointer,
    '#/slug',
  );
  assert.deepEqual(await done(customer, 200, 'GET', `/configurations/${slug}`), made);
  await refused(customer, 404, 'not_found', 'GET', '/configurations/cpu-3-ram-7gb');
  const sold = await allOf<{ slug: string }>(customer, '/configurations');
  assert.ok(sold.some((one) => one.slug === slug));
  for (const one of sold.filter((other) => other.slug !== slug)) {
    await done(call, 204, 'DELETE', `/configurations/${one.slug}`);
  }
  await refused(call, 409, 'wrong_state', 'DELETE', `/configurations/${slug}`);
  await refused(call, 404, 'not_found', 'DELETE', '/configurations/none');
  await refused(customer, 403, 'forbidden', 'DELETE', `/configurations/${slug}`);
});
