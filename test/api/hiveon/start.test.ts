// `POST /vendors/v1/machines/deployments/start`: what is taken, what is refused, and that a refusal leaves nothing behind.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setSlotPrices } from '../../../src/app/slot-terms.ts';
import { openForOperator } from '../../../src/compose/operator.ts';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth } from '../../support/berth.ts';
import { driftOf, holdings, keys, openStore } from '../support.ts';
import {
  assertRefused,
  call,
  letSlots,
  type Machine,
  priceOf,
  read,
  seedBody,
  startBody,
  started,
  stopped,
  untilStatus,
} from './support.ts';

let berth: TestBerth;
let database: Database;
let machines: Machine[];

before(async () => {
  berth = await startTestBerth();
  database = await openStore(berth);
  machines = await letSlots(berth, 6);
});
after(async () => {
  await database.destroy();
  await berth.close();
});

const machine = (index = 0): Machine => machines[index] as Machine;
const start = (body: unknown) => call<{ deployment_id: string }>(berth, 'POST', '/machines/deployments/start', body);

test('the body that the documentation prints starts a container, which is found by either id and stopped', async () => {
  const body = await seedBody(machine());
  const id = await started(berth, body);
  const running = await untilStatus(berth, id, 'STATUS_RUNNING');
  assert.deepEqual(running.metadata, { additional_key: 'additional_value' });
  assert.equal(running.fail_reason, null);
  const [tcp, https] = running.ports;
  assert.match(tcp?.public_host ?? '', /^127\.46\.\d+\.\d+$/);
  assert.deepEqual([tcp?.host_port, tcp?.protocol, tcp?.public_port, tcp?.url], [80, 'PORT_PROTOCOL_TCP', 80, null]);
  assert.match(https?.url ?? '', /^https:\/\/443-[0-9a-f]{16}\.localhost\/$/);
  assert.equal(running.ssh, null, 'the key of the example is cut short, so it is nobody’s');
  const told = await call<{ lines: { line: string }[] }>(
    berth,
    'GET',
    `/machines/deployments/${id}/logs?source=system`,
  );
  const lines = told.body.lines.map(({ line }) => line);
  assert.ok(lines.includes('ssh_pub_keys[0] is cut short with dots; it lets nobody in.'), lines.join('\n'));
  assert.ok(!JSON.stringify(running).includes('password123'));
  assert.deepEqual(await read(berth, 'e8ee1cb1-cad1-4d90-a69d-79097a9572c8'), running);
  const alias = '/machines/deployments/by-external-id/e8ee1cb1-cad1-4d90-a69d-79097a9572c8';
  assert.deepEqual((await call(berth, 'GET', alias)).body, running);
  const rented = (await call<Machine>(berth, 'GET', `/machines/${machine().machine_id}`)).body;
  assert.equal(rented.status, 'rented');
  assert.equal((await start(body)).body.deployment_id, id, 'the same body again is the same deployment');
  assertRefused(await start({ ...body, metadata: {} }), 409, 6, 'EXTERNAL_ID_REUSED');
  const over = await stopped(berth, id);
  assert.ok(over.stopped_at);
  assert.equal(
    (await call(berth, 'POST', `/machines/deployments/${id}/stop`)).status,
    200,
    'stopped twice, with no body',
  );
  assert.equal((await start(body)).body.deployment_id, id, 'also after it was stopped');
  assert.equal((await call<Machine>(berth, 'GET', `/machines/${machine().machine_id}`)).body.status, 'available');
  const sealed = await database.selectFrom('container').select('registry_auth').execute();
  assert.ok(
    sealed.every(({ registry_auth }) => registry_auth === null),
    'the login is forgotten with its container',
  );
});

test('names may be spelled in either way, enums given by number, ports bare', async () => {
  const body = {
    machineId: machine().machine_id,
    machinePriceId: priceOf(machine(), 'EPOCH'),
    sshPubKeys: [keys.ed25519],
    unknownField: { anything: [1] },
    containerConfig: {
      image: 'registry.example.com/team/app:v2',
      ports: [8080, { hostPort: 22, protocol: 1 }, { hostPort: 8443, protocol: 2 }],
      environmentVariables: { camelCase: 'kept', Mixed_Up: 'kept' },
    },
  };
  const id = await started(berth, body);
  const running = await untilStatus(berth, id, 'STATUS_RUNNING');
  assert.deepEqual(
    running.ports.map(({ host_port, protocol }) => [host_port, protocol]),
    [
      [8080, 'PORT_PROTOCOL_TCP'],
      [22, 'PORT_PROTOCOL_TCP'],
      [8443, 'PORT_PROTOCOL_HTTPS'],
    ],
  );
  assert.equal(running.ssh?.port, 2222, 'the container has taken 22 for itself');
  const { environment } = await database
    .selectFrom('container')
    .innerJoin('instance', 'id', 'instance_id')
    .where('deployment_id', '=', id)
    .select('environment')
    .executeTakeFirstOrThrow();
  assert.deepEqual(environment, { camelCase: 'kept', Mixed_Up: 'kept' });
  await stopped(berth, id);
});

test('a key is left out only where it is cut short itself, and one that can’t be read is refused', async () => {
  const dotted = `${keys.ed25519} and more...`;
  const cut = `${keys.rsa.slice(0, 40)}…`;
  const id = await started(berth, startBody(machine(), {}, { ssh_pub_keys: [cut, dotted] }));
  const { ssh_keys } = await database
    .selectFrom('instance')
    .where('deployment_id', '=', id)
    .select('ssh_keys')
    .executeTakeFirstOrThrow();
  assert.deepEqual(ssh_keys, [dotted]);
  await stopped(berth, id);
  for (const key of [keys.rsa.slice(0, 40), `${cut} ann@example`, '...', 'ssh-rsa']) {
    assertRefused(await start(startBody(machine(), {}, { ssh_pub_keys: [key] })), 400, 3, 'ssh_pub_keys[0]');
  }
});

const many = (count: number) => Array.from({ length: count }, (_, at) => ({ host_port: at + 1, protocol: 1 }));

/** What a container may not be: the change to its configuration, and the field that the answer has to name. */
const wrongContainers: [what: string, container: Record<string, unknown>, field: string][] = [
  ['101 ports', { ports: many(101) }, 'container_config.ports'],
  ['the same port twice', { ports: [80, { host_port: 80, protocol: 2 }] }, 'container_config.ports[1].host_port'],
  ['port 0', { ports: [{ host_port: 0, protocol: 1 }] }, 'container_config.ports[0].host_port'],
  ['port 65536', { ports: [65536] }, 'container_config.ports[0].host_port'],
  ['a port that is a text', { ports: ['80'] }, 'container_config.ports[0]'],
  ['no protocol', { ports: [{ host_port: 80 }] }, 'container_config.ports[0].protocol'],
  [
    'an unspecified protocol',
    { ports: [{ host_port: 80, protocol: 'PORT_PROTOCOL_UNSPECIFIED' }] },
    'container_config.ports[0].protocol',
  ],
  [
    'an unknown protocol',
    { ports: [{ host_port: 80, protocol: 'PORT_PROTOCOL_UDP' }] },
    'container_config.ports[0].protocol',
  ],
  ['an empty image', { image: '' }, 'container_config.image'],
  ['an image reference that is none', { image: 'Not An Image' }, 'container_config.image'],
  ['an image by a bare id', { image: `sha256:${'a'.repeat(64)}` }, 'container_config.image'],
  ['a registry at a private address', { image: '10.0.0.1:5000/app' }, 'container_config.image'],
  [
    'a login without a password',
    { docker_auth: { server: 'r.example.com', login: 'ann' } },
    'container_config.docker_auth.password',
  ],
  ['a login without a server', { docker_auth: { login: 'ann', password: 'p' } }, 'container_config.docker_auth.server'],
  ['an environment name with =', { environment_variables: { 'A=B': 'c' } }, 'container_config.environment_variables'],
  [
    'an environment value that is a number',
    { environment_variables: { A: 1 } },
    'container_config.environment_variables.A',
  ],
  ['a script of a megabyte', { startup_script: 'x'.repeat(1024 * 1024) }, 'container_config.startup_script'],
];

for (const [what, container, field] of wrongContainers) {
  test(`${what}: refused by the field's name, and nothing is left`, async () => {
    const before = await holdings(database);
    const body = assertRefused(await start(startBody(machine(), container)), 400, 3, field);
    const violations = body.details.flatMap(({ fieldViolations = [] }) => fieldViolations);
    assert.deepEqual(
      violations.map((violation) => violation.field),
      [field],
    );
    assert.deepEqual(await holdings(database), before);
  });
}

test('what is wrong beside the container is refused by its name, too', async () => {
  const before = await holdings(database);
  const right = startBody(machine());
  const cases: [body: unknown, status: number, code: number, ...words: string[]][] = [
    [{ ...right, machine_id: '' }, 400, 3, 'machine_id'],
    [{ ...right, machine_id: undefined }, 400, 3, 'machine_id'],
    [{ ...right, machine_id: 'nothing like it' }, 404, 5, 'machine'],
    [{ ...right, machine_id: '00000000-0000-4000-8000-000000000000' }, 404, 5, 'machine'],
    [{ ...right, machine_price_id: '' }, 400, 3, 'machine_price_id'],
    [{ ...right, machine_price_id: '00000000-0000-4000-8000-000000000000' }, 404, 5, 'price'],
    [{ ...right, machine_price_id: priceOf(machine(1)) }, 400, 9, 'MACHINE_PRICE_STALE'],
    [{ ...right, metadata: { nested: { object: 1 } } }, 400, 3, 'metadata.nested'],
    [{ ...right, metadata: { list: ['a'] } }, 400, 3, 'metadata.list'],
    [{ ...right, ssh_pub_keys: ['ssh-ed25519 AAAA'] }, 400, 3, 'ssh_pub_keys[0]'],
    [{ ...right, ssh_pub_keys: [''] }, 400, 3, 'ssh_pub_keys[0]'],
    [{ ...right, external_deployment_id: 'x'.repeat(256) }, 400, 3, 'external_deployment_id'],
    [{ ...right, container_config: undefined }, 400, 3, 'container_config'],
    ['{"machine_id":', 400, 3, 'JSON'],
    [`"${'x'.repeat(5 * 1024 * 1024)}"`, 400, 3, 'larger'],
  ];
  for (const [body, status, code, ...words] of cases) assertRefused(await start(body), status, code, ...words);
  assert.deepEqual(await holdings(database), before);
});

test('of ten callers at once one gets the machine, and the others nothing', async () => {
  const bodies = Array.from({ length: 10 }, () => startBody(machine(2)));
  const answers = await Promise.all(bodies.map(start));
  const won = answers.filter(({ status }) => status === 200);
  assert.equal(won.length, 1);
  for (const answer of answers) if (answer.status !== 200) assertRefused(answer, 400, 9, 'MACHINE_NOT_AVAILABLE');
  await stopped(berth, won[0]?.body.deployment_id ?? '');
});

test('one request sent twenty times at once starts one container', async () => {
  const body = startBody(machine(3), {}, { external_deployment_id: 'order 17' });
  const answers = await Promise.all(Array.from({ length: 20 }, () => start(body)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(new Set(answers.map(({ body }) => body.deployment_id)).size, 1);
  assert.equal((await read(berth, 'order 17')).external_deployment_id, 'order 17');
  await stopped(berth, 'order 17');
});

test('a price that was changed is stale, and who rents keeps his', async () => {
  const id = await started(berth, startBody(machine(4)));
  const { context, close } = await openForOperator({ data: berth.directory });
  const fields = { name: '', vcpus: '', memoryGib: '', diskGib: '', gpus: '', hour: 'hour', epoch: 'epoch' };
  await setSlotPrices(context, machine(4).machine_id, { hour: '99' }, fields).finally(close);
  const { price_micro_usd } = await database
    .selectFrom('instance')
    .where('deployment_id', '=', id)
    .select('price_micro_usd')
    .executeTakeFirstOrThrow();
  assert.equal(price_micro_usd, 360_000n);
  await stopped(berth, id);
  assertRefused(await start(startBody(machine(4))), 400, 9, 'MACHINE_PRICE_STALE');
});

test('without the money for the deposit nothing is started', async () => {
  const { context, close } = await openForOperator({ data: berth.directory });
  const fields = { name: '', vcpus: '', memoryGib: '', diskGib: '', gpus: '', hour: 'hour', epoch: 'epoch' };
  await setSlotPrices(context, machine(4).machine_id, { hour: '999999' }, fields).finally(close);
  const dear = (await call<Machine>(berth, 'GET', `/machines/${machine(4).machine_id}`)).body;
  const before = await holdings(database);
  assertRefused(await start(startBody(dear)), 400, 9, 'INSUFFICIENT_BALANCE', '999999');
  assert.deepEqual(await holdings(database), before);
});

test('containers stand in the account’s list of instances beside its VMs, and are deleted from there, too', async () => {
  const id = await started(berth, startBody(machine(5), { ports: [80] }));
  await untilStatus(berth, id, 'STATUS_RUNNING');
  const vms = await berth.call<{ id: string; osImage: string; ports: unknown[]; pricePerEpoch: string }[]>(
    'GET',
    '/vms/v3',
  );
  const shown = vms.body.find(({ osImage }) => osImage === 'nginx:latest');
  assert.deepEqual(shown?.ports, [{ port: 80, protocol: 'tcp' }]);
  assert.equal(shown?.pricePerEpoch, '8.64', 'what an hour costs is shown for the epoch');
  const patch = { updates: [{ id: shown?.id, openPorts: [] }] };
  assert.equal((await berth.call('PATCH', '/vms/v3', patch)).status, 422, 'its ports are fixed');
  assert.equal((await berth.call('DELETE', '/vms/v3', { vmIds: [shown?.id] })).status, 200);
  await untilStatus(berth, id, 'STATUS_STOPPED');
});

test('nothing of all this has left anything', async () => {
  assert.deepEqual(await driftOf(database), []);
  assert.ok(!berth.log().includes('password123'));
});
