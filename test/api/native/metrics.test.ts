// What instances and hosts use, over Berth's own API: as agents tell it, and as charts ask for it.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { toId } from '../../../src/api/native/id.ts';
import { callApi, until } from '../../support/berth.ts';
import { deployed, removed, untilStatus } from '../support.ts';
import { callsOf, done, refused } from './calls.ts';
import { startWorld } from './world.ts';

interface Point {
  at: string;
  cpu: number | null;
  memoryBytes: number | null;
  diskWriteBytesPerSecond?: number | null;
  networkReceiveBytesPerSecond: number | null;
  instances?: number | null;
}
interface Metrics {
  step: number;
  from: string;
  points: Point[];
  latest: Point | null;
}

const world = await startWorld();
const { berth, database } = world;
after(() => world.close());
const call = callsOf(berth);
const operator = callsOf(berth, world.operator);

const [id = ''] = await deployed(berth);
await untilStatus(berth, id, 'Active');
const instance = toId('instance', id);
const metricsOf = (query = '') => done<Metrics>(call, 200, 'GET', `/instances/${instance}/metrics${query}`);
const at = (ms: number) => encodeURIComponent(new Date(ms).toISOString());

test('what a host measures of a VM and of itself is shown within seconds', async () => {
  await until('its processors were measured', async () => typeof (await metricsOf()).latest?.cpu === 'number', 60_000);
  const { step, from, points, latest } = await metricsOf();
  assert.equal(step, 10);
  assert.equal(points[0]?.at, from);
  assert.ok(points.length === 360 || points.length === 361);
  // A simulated guest keeps half of its one processor busy.
  assert.ok(Math.abs((latest?.cpu ?? 0) - 0.5) < 0.01, JSON.stringify(latest));
  assert.ok(Math.abs((latest?.diskWriteBytesPerSecond ?? 0) - 4_096) < 100, JSON.stringify(latest));
  // Nobody counts its network, and nobody measured it before it was there.
  assert.equal(latest?.networkReceiveBytesPerSecond, null);
  assert.equal(points[0]?.memoryBytes, null);
  const hosts = await done<{ items: { id: string }[] }>(operator, 200, 'GET', '/hosts');
  const [host] = hosts.items;
  await until('its host was measured', async () => {
    const told = await done<Metrics>(operator, 200, 'GET', `/hosts/${host?.id}/metrics`);
    return (told.latest?.instances ?? 0) >= 1;
  });
});

test('who goes on from the last point is told what came after it', async () => {
  const { points } = await metricsOf();
  const last = points.at(-1)?.at ?? '';
  const next = await metricsOf(`?from=${encodeURIComponent(last)}`);
  assert.equal(next.from, last);
  assert.ok(next.points.length <= 3);
});

test('a span has the points of its steps, whole or not', async () => {
  const end = Date.parse('2026-01-01T00:00:00Z');
  const told = await metricsOf(`?from=${at(end - 600_001)}&to=${at(end)}&step=60`);
  assert.deepEqual([told.step, told.points.length, told.from], [60, 11, '2025-12-31T23:49:00.000Z']);
  assert.ok(told.points.every(({ cpu, memoryBytes }) => cpu === null && memoryBytes === null));
  assert.equal((await metricsOf(`?from=2025-01-01&to=2025-12-01`)).step, 86_400);
  assert.equal((await metricsOf(`?to=${at(Date.now() + 60_000)}`)).points.length, 361);
  assert.equal((await metricsOf('?from=0001-01-01&to=0002-01-01')).points.length, 365);
});

test('a span that is none, or too long for its step, is refused', async () => {
  const path = `/instances/${instance}/metrics`;
  const refusals: [query: string, parameter: string, word: RegExp][] = [
    [`?from=${at(2_000)}&to=${at(1_000)}`, 'from', /not before/],
    [`?from=${at(Date.now() + 60_000)}`, 'from', /not before/],
    ['?from=2024-01-01&to=2026-11-01', 'from', /720 days/],
    [
      '?from=2026-01-01&to=2026-02-01&step=60',
      'step',
      /44640 points; .* 720, and the finest step for this span is 7200/,
    ],
    ['?from=2020-01-01&step=10', 'step', /ask for less time/],
    ['?from=yesterday', 'from', /moment/],
    ['?to=2026-02-31', 'to', /moment/],
  ];
  for (const [query, parameter, word] of refusals) {
    const problem = await refused(call, 422, 'invalid_value', 'GET', path + query);
    assert.equal(problem.parameter, parameter, query);
    assert.match(problem.detail, word);
  }
  for (const step of ['7', '0', '-60', 'x', '1e99']) {
    const { status } = await call('GET', `${path}?step=${step}`);
    assert.ok(status === 400 || status === 422, `${step}: ${status}`);
  }
});

test('nobody sees what instances use that are not his, and only operators what hosts do', async () => {
  const { key } = await world.addStranger();
  await refused(callsOf(berth, key), 404, 'not_found', 'GET', `/instances/${instance}/metrics`);
  await refused(call, 404, 'not_found', 'GET', `/instances/${toId('instance', `0x${'9'.repeat(40)}`)}/metrics`);
  const { items } = await done<{ items: { id: string }[] }>(operator, 200, 'GET', '/hosts');
  await refused(call, 403, 'forbidden', 'GET', `/hosts/${items[0]?.id}/metrics`);
  await refused(operator, 404, 'not_found', 'GET', '/hosts/hst_00000000000000000000000000000000/metrics');
});

test('an agent tells of its own instances alone, and nothing that is no number', async () => {
  const { credential } = JSON.parse(await readFile(join(berth.directory, 'agent/credential.json'), 'utf8')) as {
    credential: string;
  };
  const send = (body: object, key = credential) => callApi(berth.url, key, 'POST', '/agent/v1/samples', body);
  assert.equal((await send({ ageMs: 0, instances: [] })).status, 200);
  assert.equal((await send({ ageMs: 0, instances: [] }, 'somebody')).status, 401);
  const wrong: object[] = [
    {},
    { ageMs: -1, instances: [] },
    { ageMs: 60_000_000, instances: [] },
    { ageMs: 0, instances: [{ instanceId: id, cpu: -1 }] },
    { ageMs: 0, instances: [{ instanceId: id, cpu: 1e300 }] },
    { ageMs: 0, instances: [{ instanceId: id, cpu: 'much' }] },
    { ageMs: 0, instances: [{ instanceId: 'x' }] },
    { ageMs: 0, instances: Array.from({ length: 2_001 }, () => ({ instanceId: id })) },
  ];
  for (const body of wrong) assert.equal((await send(body)).status, 400, JSON.stringify(body).slice(0, 100));
  const rows = async () => (await database.selectFrom('sample').select('subject').distinct().execute()).length;
  const before = await rows();
  const stranger = `0x${'5'.repeat(40)}`;
  // The same twice in one call is one sample.
  const twice = {
    ageMs: 0,
    instances: [
      { instanceId: stranger, cpu: 1 },
      { instanceId: id, cpu: 1 },
      { instanceId: id, cpu: 1 },
    ],
  };
  assert.equal((await send(twice)).status, 200);
  assert.equal(await rows(), before);
  const largest = { ageMs: 0, instances: [{ instanceId: id, memoryBytes: Number.MAX_SAFE_INTEGER, cpu: 64.25 }] };
  assert.equal((await send(largest)).status, 200);
});

test('one that is deleted is not measured any more', async () => {
  await removed(berth, database, [id]);
  await refused(call, 404, 'not_found', 'GET', `/instances/${instance}/metrics`);
});
