// Deployments read, listed and stopped, in every state that a customer sees; ids may be any text.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { driftOf, holdings, keys, openStore } from '../support.ts';
import {
  assertRefused,
  call,
  type Deployment,
  letSlots,
  type Machine,
  priceOf,
  read,
  startBody,
  started,
  stopped,
  untilStatus,
} from './support.ts';

/** Longer than any test here waits. */
const foreverMs = 600_000;

let berth: TestBerth;
let database: Database;
let machines: Machine[];

before(async () => {
  berth = await startTestBerth();
  database = await openStore(berth);
  machines = await letSlots(berth, 4);
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const machine = (index = 0): Machine => machines[index] as Machine;

interface Page {
  total: number;
  current_page: number;
  per_page: number;
  total_pages: number;
  deployments: Deployment[];
}
const list = async (query = ''): Promise<Page> => {
  const answer = await call<Page>(berth, 'GET', `/machines/deployments${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};
const idsOf = async (query: string) => (await list(query)).deployments.map((one) => one.deployment_id);
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/;

test('without deployments the list is an empty page', async () => {
  assert.deepEqual(await list(), { total: 0, current_page: 1, per_page: 50, total_pages: 0, deployments: [] });
});

test('a deployment is shown with every field, and nothing of it that is secret', async () => {
  const container = {
    ports: [80, { host_port: 443, protocol: 'PORT_PROTOCOL_HTTPS' }],
    environment_variables: { TOKEN: 'hidden-value' },
    startup_script: 'echo hidden-script',
    docker_auth: { server: 'registry.example.com', login: 'ann', password: 'hidden-password' },
  };
  const rest = { ssh_pub_keys: [keys.ed25519], metadata: { order: 17, paid: true, note: 'é' } };
  const id = await started(berth, startBody(machine(), container, rest));
  const { created_at, started_at, ports, ssh, ...shown } = (await untilStatus(
    berth,
    id,
    'STATUS_RUNNING',
  )) as Deployment & {
    created_at: string;
  };
  assert.deepEqual(shown, {
    deployment_id: id,
    machine_id: machine().machine_id,
    external_deployment_id: '',
    status: 'STATUS_RUNNING',
    fail_reason: null,
    metadata: { order: '17', paid: 'true', note: 'é' },
    machine_price_id: priceOf(machine()),
    image: 'nginx:latest',
    stopped_at: null,
  });
  assert.match(created_at, timestamp);
  assert.match(started_at ?? '', timestamp);
  const [tcp, https] = ports;
  assert.deepEqual(ssh, { host: tcp?.public_host, port: 22, user: 'root' });
  assert.equal(https?.public_host, new URL(https?.url ?? '').hostname);
  assert.ok(!JSON.stringify(await list()).includes('hidden'));
  const over = await stopped(berth, id);
  assert.match(over.stopped_at ?? '', timestamp);
  assert.equal(over.ssh, null);
  assert.deepEqual(
    over.ports.map(({ public_host, public_port, url }) => [public_host, public_port, url]),
    [
      [null, null, null],
      [null, null, null],
    ],
    'what is over is reached nowhere',
  );
});

test('the list is paged, oldest first, and taken by status, machine and external id', async () => {
  const external = `order-${randomUUID()}`;
  const ids = [
    await started(berth, startBody(machine(0), {}, { external_deployment_id: external })),
    await started(berth, startBody(machine(1))),
    await started(berth, startBody(machine(2))),
  ];
  const [first = '', second = '', third = ''] = ids;
  await stopped(berth, first);
  for (const id of [second, third]) await untilStatus(berth, id, 'STATUS_RUNNING');
  const all = await idsOf('');
  assert.deepEqual(all.slice(-3), ids);
  const pages = Math.ceil(all.length / 2);
  const paged: string[] = [];
  for (let page = 1; page <= pages; page += 1) {
    const answer = await list(`?page=${page}&per_page=2`);
    assert.deepEqual(
      [answer.total, answer.current_page, answer.per_page, answer.total_pages],
      [all.length, page, 2, pages],
    );
    paged.push(...answer.deployments.map((one) => one.deployment_id));
  }
  assert.deepEqual(paged, all);
  assert.deepEqual(await idsOf(`?page=${pages + 1}&per_page=2`), []);
  for (const status of ['STATUS_RUNNING', 'running'])
    assert.deepEqual(await idsOf(`?status=${status}`), [second, third]);
  for (const query of ['?status=', '?status=STATUS_UNSPECIFIED', '?machine_id=']) {
    assert.deepEqual(await idsOf(query), all, query);
  }
  assert.ok((await idsOf('?status=STATUS_STOPPED')).includes(first));
  assert.deepEqual(await idsOf(`?machine_id=${machine(1).machine_id}`), [second]);
  assert.deepEqual(await idsOf(`?machine_id=${machine(1).machine_id.toUpperCase()}`), [second]);
  assert.deepEqual(await idsOf(`?external_deployment_id=${external}`), [first]);
  assert.deepEqual(await idsOf(`?external_deployment_id=${external}&status=STATUS_RUNNING`), []);
  for (const nothing of ['?machine_id=x', '?machine_id=%00', '?external_deployment_id=%00', '?status=STATUS_FAILED']) {
    assert.deepEqual(await idsOf(nothing), [], nothing);
  }
  for (const [query, field] of [
    ['?page=0', 'page'],
    ['?page=x', 'page'],
    ['?page=1&page=2', 'page'],
    ['?page=99999999999999999999', 'page'],
    ['?per_page=101', 'per_page'],
    ['?status=STATUS_SLEEPING', 'status'],
  ] as const) {
    const { details } = assertRefused(await call(berth, 'GET', `/machines/deployments${query}`), 400, 3, field);
    assert.equal(details[0]?.fieldViolations?.[0]?.field, field);
  }
  for (const id of [second, third]) await stopped(berth, id);
});

test('an external id may be any text on one line, and a deployment’s id in either letter case', async () => {
  for (const external of ['a b/c', '../start', 'by-external-id', '100%', 'ключ', 'x'.repeat(255), '🚀'.repeat(127)]) {
    const id = await started(berth, startBody(machine(), {}, { external_deployment_id: external }));
    assert.equal((await read(berth, external)).deployment_id, id);
    const alias = `/machines/deployments/by-external-id/${encodeURIComponent(external)}`;
    assert.equal((await call<Deployment>(berth, 'GET', alias)).body.deployment_id, id);
    assert.equal((await read(berth, id.toUpperCase())).deployment_id, id);
    assert.equal((await call(berth, 'GET', alias.replace(encodeURIComponent(external), id))).status, 404);
    assert.equal((await stopped(berth, external)).deployment_id, id);
  }
});

test('what is no deployment is not found, whatever was asked for', async () => {
  const ids = [
    randomUUID(),
    'a1b2c3d4-5678-90ef-ghij-klmnopqrstuv',
    'x'.repeat(10_000),
    '%00',
    '%F0%9F%9A%80',
    '%20',
    'start',
    `0x${'0'.repeat(40)}`,
    "';--",
  ];
  for (const id of ids) {
    assertRefused(await call(berth, 'GET', `/machines/deployments/${id}`), 404, 5, 'There is no deployment');
    assertRefused(await call(berth, 'GET', `/machines/deployments/by-external-id/${id}`), 404, 5, 'external id');
    assertRefused(await call(berth, 'POST', `/machines/deployments/${id}/stop`, {}), 404, 5, 'There is no deployment');
  }
});

test('twenty who stop it at once all get its id', async () => {
  const id = await started(berth, startBody(machine()));
  const stop = () => call<{ deployment_id: string }>(berth, 'POST', `/machines/deployments/${id}/stop`);
  const answers = await Promise.all(Array.from({ length: 20 }, stop));
  assert.deepEqual(
    new Set(answers.map(({ status, body }) => `${status} ${body.deployment_id}`)),
    new Set([`200 ${id}`]),
  );
  await untilStatus(berth, id, 'STATUS_STOPPED');
});

test('a stop says what it likes in its metadata, as long as it is a flat map', async () => {
  const id = await started(berth, startBody(machine()));
  const path = `/machines/deployments/${id}/stop`;
  for (const [body, field] of [
    [{ metadata: { nested: {} } }, 'metadata.nested'],
    [{ metadata: 'x' }, 'metadata'],
    [[], 'body'],
  ] as const) {
    assertRefused(await call(berth, 'POST', path, body), 400, 3, field);
  }
  assert.equal((await call(berth, 'POST', path, { metadata: { reason: 'done' } })).status, 200);
  await untilStatus(berth, id, 'STATUS_STOPPED');
});

test('nothing of all this has left anything', async () => {
  assert.deepEqual(await driftOf(database), []);
});

test('a deployment that is still coming up is pending, is stopped there and then, and has cost nothing', async () => {
  const slow = await startTestBerth({ addressPool: '127.47.0.0/16', agent: { behaviour: { bootMs: foreverMs } } });
  const store = await openStore(slow);
  try {
    const [rented] = (await letSlots(slow, 1)) as [Machine];
    const before = await holdings(store);
    const id = await started(slow, startBody(rented, { ports: [80] }));
    assert.equal((await read(slow, id)).status, 'STATUS_PENDING');
    assert.equal((await read(slow, id)).started_at, null);
    const over = await stopped(slow, id);
    assert.equal(over.started_at, null);
    await until('the host has let go', async () => (await holdings(store)).assignment === before.assignment);
    assert.deepEqual((await holdings(store)).hosts, before.hosts);
    assert.deepEqual(await store.selectFrom('charge').selectAll().execute(), []);
    assert.deepEqual(await driftOf(store), []);
  } finally {
    await store.destroy();
    await slow.close();
  }
});

test('one that can’t be brought up has failed, says why to people and programs, and lets go of its machine', async () => {
  const faulty = await startTestBerth({
    addressPool: '127.47.0.0/16',
    agent: { behaviour: { imageFailureChance: 1 } },
  });
  const store = await openStore(faulty);
  try {
    const [rented] = (await letSlots(faulty, 1)) as [Machine];
    const id = await started(faulty, startBody(rented, {}, { metadata: { order: '1' } }));
    const failed = await untilStatus(faulty, id, 'STATUS_FAILED');
    assert.deepEqual(failed.fail_reason, { code: 5, message: 'The registry has no such image.' });
    assert.deepEqual(failed.metadata, { order: '1', fail_reason_code: 'IMAGE_NOT_FOUND' });
    assert.ok(failed.stopped_at);
    const status = async () => (await call<Machine>(faulty, 'GET', `/machines/${rented.machine_id}`)).body.status;
    await until('the machine is free again', async () => (await status()) === 'available');
    const stop = await call(faulty, 'POST', `/machines/deployments/${id}/stop`);
    assert.deepEqual([stop.status, stop.body], [200, { deployment_id: id }], 'to stop it changes nothing');
    assert.equal((await read(faulty, id)).status, 'STATUS_FAILED');
    assert.deepEqual(await store.selectFrom('charge').selectAll().execute(), []);
    assert.deepEqual(await driftOf(store), []);
  } finally {
    await store.destroy();
    await faulty.close();
  }
});
