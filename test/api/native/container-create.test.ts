// Starting containers on slots in Berth's own API.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { toId } from '../../../src/api/native/id.ts';
import { startTestBerth, until } from '../../support/berth.ts';
import { letSlots, type Machine, priceOf } from '../hiveon/support.ts';
import { driftOf, holdings, keys, openStore } from '../support.ts';

interface Instance {
  id: string;
  kind: string;
  status: string;
  image: string;
  container: {
    slot: string;
    externalId: string | null;
    metadata: Record<string, string>;
    publicPorts: { port: number; protocol: string }[];
    ssh: { user: string } | null;
  };
}
interface Problem {
  code: string;
  detail: string;
  pointer?: string;
}

const berth = await startTestBerth();
const database = await openStore(berth);
const machines = await letSlots(berth, 7);
after(async () => {
  await database.destroy();
  await berth.close();
});
let used = 0;
const nextMachine = (): Machine => {
  used += 1;
  return machines[used - 1] as Machine;
};
const slotOf = ({ machine_id: id }: Machine) => toId('slot', id);
const hourOf = (machine: Machine) => toId('slotPrice', priceOf(machine, 'HOUR'));
const bodyOf = (machine: Machine, more: Record<string, unknown> = {}) => ({
  ...{ kind: 'container', slot: slotOf(machine), slotPrice: hourOf(machine), image: 'nginx:latest' },
  ...more,
});
const call = <Body = Instance>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  berth.call<Body>(method, `/berth/v1${path}`, body, headers);

async function refused(body: object, status: number, code: string, pointer?: string): Promise<Problem> {
  const held = await holdings(database);
  const answer = await call<Problem>('POST', '/instances', body);
  const shown = JSON.stringify(answer.body);
  assert.deepEqual([answer.status, answer.body.code], [status, code], shown);
  if (pointer !== undefined) assert.equal(answer.body.pointer, pointer, shown);
  assert.ok(!shown.includes('machine'), shown);
  assert.deepEqual(await holdings(database), held, shown);
  return answer.body;
}

test('a container starts on the slot that is named, with all that was asked for', async () => {
  const machine = nextMachine();
  const body = bodyOf(machine, {
    ...{ externalId: 'job-1', metadata: { team: 'web' }, environment: { LOG_LEVEL: 'info' }, startupScript: 'true' },
    ports: [
      { port: 8080, protocol: 'tcp' },
      { port: 8443, protocol: 'https' },
    ],
    sshKeys: [keys.ed25519],
    registryAuth: { server: 'registry.example.com', login: 'robot', password: 'hush' },
  });
  const answer = await call('POST', '/instances', body);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { container, kind, image } = answer.body;
  assert.deepEqual(
    [kind, image, container.slot, container.externalId],
    [...['container', 'nginx:latest', body.slot, 'job-1']],
  );
  assert.deepEqual(container.metadata, { team: 'web' });
  assert.deepEqual(
    container.publicPorts.map(({ port, protocol }) => [port, protocol]),
    [
      [8080, 'tcp'],
      [8443, 'https'],
    ],
  );
  assert.ok(!JSON.stringify(answer.body).includes('hush'));
  await until('it is on', async () => (await call('GET', `/instances/${answer.body.id}`)).body.status === 'active');
  const again = await call('POST', '/instances', body);
  assert.deepEqual([again.status, again.body.id], [201, answer.body.id], 'the same external id is the same container');
  await refused({ ...body, image: 'other' }, 409, 'external_id_reused', '#/externalId');
  await refused(bodyOf(machine), 409, 'slot_not_available', '#/slot');
});

test('an estimate tells what the slot costs, and a dry run leaves the slot free', async () => {
  const machine = nextMachine();
  const held = await holdings(database);
  const estimate = await call<Record<string, unknown>>('POST', '/estimates', bodyOf(machine));
  assert.equal(estimate.status, 200, JSON.stringify(estimate.body));
  const { kind, unit, price, total, firstCharge, deposit, needed, sufficient } = estimate.body;
  assert.deepEqual([kind, unit, price, total], ['container', 'hour', '0.36', '0.36']);
  assert.deepEqual([firstCharge, deposit, needed, sufficient], ['0', '0.36', '0.36', true]);
  const dry = await call('POST', '/instances?dryRun=true', bodyOf(machine));
  assert.deepEqual([dry.status, dry.body.container.slot], [201, slotOf(machine)], JSON.stringify(dry.body));
  assert.deepEqual(await holdings(database), held);
  assert.equal((await call('POST', '/instances', bodyOf(machine))).status, 201);
  const rented = await call<Problem>('POST', '/estimates', bodyOf(machine));
  assert.deepEqual([rented.status, rented.body.code, rented.body.pointer], [409, 'slot_not_available', '#/slot']);
});

test('of many who want one slot at once, one gets it', async () => {
  const body = bodyOf(nextMachine());
  const answers = await Promise.all(Array.from({ length: 10 }, () => call<Problem>('POST', '/instances', body)));
  const codes = answers.map(({ status, body: { code } }) => (status === 201 ? 'made' : code));
  assert.deepEqual(codes.toSorted(), ['made', ...Array(9).fill('slot_not_available')]);
});

test('one sent many times at once under one key is started once', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const body = bodyOf(nextMachine());
  const answers = await Promise.all(Array.from({ length: 10 }, () => call('POST', '/instances', body, headers)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([201]));
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
});

test('what a container can’t be is refused with the field at fault', async () => {
  const machine = nextMachine();
  const other = machines[0] as Machine;
  await refused({ kind: 'container', image: 'nginx' }, 422, 'invalid_value', '#/slot');
  await refused(bodyOf(machine, { slot: 'slot-1' }), 422, 'invalid_value', '#/slot');
  await refused(bodyOf(machine, { slotPrice: undefined }), 422, 'invalid_value', '#/slotPrice');
  await refused(bodyOf(machine, { slotPrice: hourOf(other) }), 409, 'price_stale', '#/slotPrice');
  await refused(bodyOf(machine, { slotPrice: toId('slotPrice', randomUUID()) }), 404, 'not_found', '#/slotPrice');
  await refused(bodyOf(machine, { slot: toId('slot', randomUUID()) }), 404, 'not_found', '#/slot');
  await refused(bodyOf(machine, { image: 'Not An Image' }), 422, 'invalid_value', '#/image');
  await refused(bodyOf(machine, { ports: [{ port: 53, protocol: 'udp' }] }), 422, 'invalid_value');
  await refused(bodyOf(machine, { environment: { 'A=B': 'c' } }), 422, 'invalid_value', '#/environment');
  await refused(bodyOf(machine, { sshKeys: ['nobody'] }), 422, 'invalid_value', '#/sshKeys/0');
  for (const [field, value] of Object.entries({ hostname: 'web', vcpus: 1, power: 'off' })) {
    await refused(bodyOf(machine, { [field]: value }), 422, 'unsupported', `#/${field}`);
  }
  const count = await call<Problem>('POST', '/estimates', bodyOf(machine, { count: 2 }));
  assert.deepEqual([count.status, count.body.code], [422, 'unsupported']);
  assert.deepEqual(await driftOf(database), []);
});

test('a container has the name and the group that it is asked for with', async () => {
  const group = (await call<{ id: string }>('POST', '/groups', { name: 'jobs' })).body.id;
  const machine = nextMachine();
  const { body } = await call<Instance & { name: string; group: string }>(
    'POST',
    '/instances',
    bodyOf(machine, { name: 'job-a', group, externalId: 'named' }),
  );
  assert.deepEqual([body.name, body.group], ['job-a', group]);
  const other = nextMachine();
  await refused(bodyOf(other, { name: 'job-a', group }), 409, 'name_taken', '#/name');
  await refused(bodyOf(other, { name: 'job a' }), 422, 'invalid_value', '#/name');
  await refused(bodyOf(other, { group: 'nowhere' }), 404, 'not_found');
  // The same request under the same id is the same container.
  const again = await call('POST', '/instances', bodyOf(machine, { name: 'job-a', group, externalId: 'named' }));
  assert.equal(again.body.id, body.id);
  assert.equal((await call('POST', '/instances', bodyOf(other, { name: 'job-a' }))).status, 201);
  assert.deepEqual(await driftOf(database), []);
});
