// Lists are narrowed by their fields: each filter, held to be what one would have picked out of the whole list by hand.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { callApi } from '../../support/berth.ts';
import { allOf, callsOf, done, refused } from './calls.ts';
import { operations } from './document.ts';
import { startWorld } from './world.ts';

type Row = Record<string, unknown> & { createdAt?: string };

const world = await startWorld();
after(() => world.close());
const call = callsOf(world.berth, world.operator);

before(async () => {
  for (const kind of ['instance', 'disk', 'backup', 'apiKey', 'operation'] as const) {
    await world.make(kind);
    await world.make(kind);
  }
  await world.makeAddress();
  const [key] = (await done<{ items: { id: string }[] }>(call, 200, 'GET', '/api-keys?account=default')).items.slice(
    -1,
  );
  await done(call, 204, 'DELETE', `/api-keys/${key?.id}`);
});

/** Holds a filter to what it says; and something to be there of either kind, where there can be. */
async function held(path: string, query: string, picks: (row: Row) => boolean, { some = true } = {}): Promise<void> {
  const all = await allOf<Row>(call, path);
  const found = await allOf<Row>(call, `${path}${path.includes('?') ? '&' : '?'}${query}`);
  assert.deepEqual(found, all.filter(picks), `${path} ${query}`);
  if (some)
    assert.ok(found.length > 0 && found.length < all.length, `${path} ${query}: ${found.length} of ${all.length}`);
}

test('what has a state, a kind or a grade is found by it', async () => {
  await held('/backups', 'state=ready', ({ state }) => state === 'ready', { some: false });
  await held('/backups', 'state=wanted', ({ state }) => state === 'wanted', { some: false });
  await held('/disks', 'grade=sata', ({ grade }) => grade === 'sata', { some: false });
  await held('/disks', 'grade=archive', ({ grade }) => grade === 'archive', { some: false });
  await held('/api-keys?account=default', 'state=revoked', ({ state }) => state === 'revoked');
  await held('/operations', 'kind=stop', ({ kind }) => kind === 'stop', { some: false });
  await held('/addresses', 'family=ipv4', ({ family }) => family === 'ipv4', { some: false });
  await held('/addresses', 'additional=true', ({ additional }) => additional === true);
  await held('/addresses', 'additional=false', ({ additional }) => additional === false);
});

test('sizes and places of the catalog are found by what they have', async () => {
  await held('/configurations', 'vcpusMin=4', ({ vcpus }) => Number(vcpus) >= 4);
  await held('/configurations', 'memoryMibMin=4096', ({ memoryMib }) => Number(memoryMib) >= 4096);
  await held('/configurations', 'diskGibMin=25', ({ diskGib }) => Number(diskGib) >= 25);
  await world.make('datacenter');
  await held('/datacenters', 'country=pl', ({ country }) => country === 'PL', { some: false });
  await held('/datacenters', 'country=PL&city=WAW', ({ country, city }) => country === 'PL' && city === 'WAW', {
    some: false,
  });
});

test('what is made all the time is found by when it was made', async () => {
  for (const path of ['/instances', '/backups', '/operations']) {
    const moments = (await allOf<Row>(call, path)).map(({ createdAt = '' }) => createdAt).sort();
    const middle = moments[Math.floor(moments.length / 2)] ?? '';
    await held(path, `createdAfter=${middle}`, ({ createdAt = '' }) => createdAt >= middle);
    await held(path, `createdBefore=${middle}`, ({ createdAt = '' }) => createdAt < middle);
    await held(path, `createdAfter=${middle}&createdBefore=${middle}`, () => false, { some: false });
    const wrong = await refused(call, 422, 'invalid_value', 'GET', `${path}?createdAfter=yesterday`);
    assert.equal(wrong.parameter, 'createdAfter');
  }
});

test('operators find instances by their host, and nobody else asks for that', async () => {
  const { items } = await done<{ items: { id: string }[] }>(call, 200, 'GET', '/hosts');
  const of = (id: string) => allOf<Row>(call, `/instances?host=${id}`);
  const all = await allOf<Row>(call, '/instances');
  const counts = await Promise.all(items.map(async ({ id }) => (await of(id)).length));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    all.length,
  );
  assert.ok(Math.max(...counts) > 0);
  await refused(callsOf(world.berth), 403, 'forbidden', 'GET', `/instances?host=${items[0]?.id}`);
  assert.equal((await refused(call, 422, 'invalid_value', 'GET', '/instances?host=x')).parameter, 'host');
});

test('operators find an account’s own images by the account', async () => {
  const stranger = await world.addStranger();
  const image = { name: 'theirs', url: 'https://images.example.com/own.qcow2', sha256: 'b'.repeat(64) };
  const made = await callApi<Row>(world.berth.url, stranger.key, 'POST', '/berth/v1/images', image);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const account = String(made.body.account);
  await held('/images', `account=${account}`, (row) => row.account === account);
  await refused(callsOf(world.berth), 404, 'not_found', 'GET', `/images?account=${account}`);
});

test('a page goes on where it was, though the last row of the page before is gone', async () => {
  const name = (index: number) => `page-${index}`;
  for (let index = 0; index < 4; index += 1)
    await done(call, 201, 'POST', '/groups', { account: 'default', name: name(index) });
  const path = '/groups?account=default&limit=2';
  type Page = { items: { id: string; name: string }[]; nextCursor: string };
  const whole = (await allOf<{ id: string }>(call, '/groups?account=default')).map(({ id }) => id);
  const first = await done<Page>(call, 200, 'GET', path);
  const last = first.items[1];
  await done(call, 204, 'DELETE', `/groups/${last?.id}`);
  const second = await done<Page>(call, 200, 'GET', `${path}&cursor=${first.nextCursor}`);
  assert.deepEqual(
    second.items.map(({ id }) => id),
    whole.slice(2, 4),
  );
});

test('every list takes a cursor and a limit', () => {
  const lists = operations.filter(({ id }) => /^list[A-Z]/.test(id));
  assert.ok(lists.length > 20);
  for (const { id, queries } of lists) assert.ok(queries.includes('cursor') && queries.includes('limit'), id);
});
