// Power by Bytemark's calls: the four combinations of power_on and autoreboot_on, a guest that switches itself off, and hosts that
// don't answer.

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { readJournal } from '../../../src/sim/driver.ts';
import type { Database } from '../../../src/store/database.ts';
import { startTestBerth, type TestBerth, until } from '../../support/berth.ts';
import { deployed, driftOf, openStore, untilHeartbeat, untilStatus, vmOf } from '../support.ts';
import { call, changed, createBody, created, machines, overview, running, untilPower, type Vm } from './vms.ts';

let berth: TestBerth;
let database: Database;

before(async () => {
  berth = await startTestBerth({ addressPool: '127.63.4.0/24', agent: { behaviour: { journal: true } } });
  database = await openStore(berth);
});
after(async () => {
  await database?.destroy();
  await berth?.close();
});

const idOf = async ({ id }: { id: number }) =>
  (await database.selectFrom('instance').where('number', '=', BigInt(id)).select('id').executeTakeFirstOrThrow()).id;

/** What the simulated host did with a VM, oldest first. */
async function actsOn(vm: Vm): Promise<string[]> {
  const id = await idOf(vm);
  const journal = await readJournal(join(berth.directory, 'agent', 'world'));
  return journal.filter(({ instanceId }) => instanceId === id).map(({ act }) => act);
}

const put = (vm: Vm, body: unknown) => call<Vm>(berth, 'PUT', `${machines}/${vm.name}`, body);

test('stop pulls the plug, start puts it in again, and each is answered when it is so', async () => {
  const vm = await running(berth);
  const off = await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  assert.deepEqual([off.power_on, off.autoreboot_on], [false, false]);
  const on = await changed(berth, vm.name, { autoreboot_on: true, power_on: true });
  assert.deepEqual([on.power_on, on.autoreboot_on], [true, true]);
  assert.deepEqual(await actsOn(vm), ['start', 'halt', 'start']);
});

test('what is so already is not done again', async () => {
  const vm = await running(berth);
  await changed(berth, vm.name, { autoreboot_on: true, power_on: true });
  await changed(berth, vm.name, { autoreboot_on: false });
  await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  await changed(berth, vm.name, { autoreboot_on: false, power_on: false });
  await changed(berth, vm.name, { autoreboot_on: true, power_on: false });
  assert.deepEqual(await actsOn(vm), ['start', 'halt']);
});

test('power_on false with autoreboot_on true is a power cycle, answered when the next start runs', async () => {
  const vm = await running(berth);
  const on = await changed(berth, vm.name, { autoreboot_on: true, power_on: false });
  assert.deepEqual([on.power_on, await actsOn(vm)], [true, ['start', 'halt', 'start']]);
  // As the VM has it, where the request does not say.
  await changed(berth, vm.name, { power_on: false });
  assert.deepEqual(await actsOn(vm), ['start', 'halt', 'start', 'halt', 'start']);
});

test('a guest that switches itself off stays off without autoreboot_on, and is started by power_on', async () => {
  const vm = await running(berth, { autoreboot_on: false, power_on: true });
  await switchOffFromInside(vm);
  await untilPower(berth, vm.name, false);
  const on = await changed(berth, vm.name, { power_on: true });
  assert.deepEqual([on.power_on, await actsOn(vm)], [true, ['start', 'start']]);
});

test('autoreboot_on alone switches nothing on that a guest has switched off, nor does it with power_on false', async () => {
  const vm = await running(berth, { autoreboot_on: false, power_on: true });
  await switchOffFromInside(vm);
  await untilPower(berth, vm.name, false);
  for (const body of [{ autoreboot_on: true }, { autoreboot_on: true, power_on: false }]) {
    const off = await changed(berth, vm.name, body);
    assert.deepEqual([off.power_on, off.autoreboot_on], [false, true]);
  }
  await berth.restart();
  const told = async () =>
    database
      .selectFrom('assignment')
      .where('instance_id', '=', await idOf(vm))
      .select(['desired', 'observed_state', sql<boolean>`observed_generation = generation`.as('has_heard')])
      .executeTakeFirstOrThrow();
  let last: Awaited<ReturnType<typeof told>> | undefined;
  await until('its host has heard of it and has looked', async () => {
    last = await told();
    return last.has_heard && last.observed_state === 'off';
  });
  assert.deepEqual(last, { desired: 'off', observed_state: 'off', has_heard: true });
  assert.deepEqual(await actsOn(vm), ['start']);
  assert.equal((await changed(berth, vm.name, { power_on: true })).power_on, true);
});

/** As the guest does it, unseen by an agent that is away for the moment. */
async function switchOffFromInside(vm: Vm): Promise<void> {
  const file = join(berth.directory, 'agent', 'world', `${await idOf(vm)}.json`);
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), power: 'off' }));
  await berth.restart();
}

test('a guest that switches itself off comes back with autoreboot_on', async () => {
  const vm = await running(berth);
  await switchOffFromInside(vm);
  await until('it was started again', async () => (await actsOn(vm)).length === 2);
  await untilPower(berth, vm.name, true);
});

test('while a host is out of reach nothing is ordered that is about power, and the rest is taken', async () => {
  const vm = await running(berth);
  const orders = async () =>
    database
      .selectFrom('assignment')
      .where('instance_id', '=', await idOf(vm))
      .select(['desired', 'generation', 'boot_number'])
      .executeTakeFirstOrThrow();
  const before = await orders();
  const { answer, held } = await whileOutOfReach(async () => {
    return { answer: await put(vm, { power_on: false, autoreboot_on: false, cores: 2 }), held: await orders() };
  });
  assert.equal(answer.status, 503, JSON.stringify(answer.body));
  assert.deepEqual(held, before);
  assert.equal((await overview(berth, vm.name)).cores, 1);
  const named = await whileOutOfReach(() => put(vm, { autoreboot_on: false }));
  assert.deepEqual([named.status, named.body.autoreboot_on, named.body.power_on], [200, false, true]);
});

/** Does something in the seconds after a host's heartbeat, before the next tells that it is in reach. */
async function whileOutOfReach<Result>(work: () => Promise<Result>): Promise<Result> {
  await untilHeartbeat(database);
  await database.updateTable('host').set({ reachable: false }).execute();
  const result = await work();
  const isReachable = async () =>
    (await database.selectFrom('host').select('reachable').executeTakeFirstOrThrow()).reachable;
  await until('the host is in reach again', isReachable);
  return result;
}

test('twenty requests about one VM’s power at once are all answered, and the last word holds', async () => {
  const vm = await running(berth);
  const wishes = Array.from({ length: 20 }, (_, index) => ({
    power_on: index % 2 === 0,
    autoreboot_on: index % 3 === 0,
  }));
  const answers = await Promise.all(wishes.map((wish) => put(vm, wish)));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal((await changed(berth, vm.name, { power_on: false, autoreboot_on: false })).power_on, false);
  assert.equal((await changed(berth, vm.name, { power_on: true })).power_on, true);
  assert.deepEqual(await driftOf(database), []);
});

test('a VM that Fluence’s API deployed is switched off and on, and keeps its ports when they change in between', async () => {
  const [id = ''] = await deployed(berth);
  await untilStatus(berth, id, 'Active');
  const { vmName: name } = (await vmOf(berth, id)) ?? { vmName: '' };
  await changed(berth, name, { power_on: false, autoreboot_on: false });
  await untilStatus(berth, id, 'Stopped');
  const updates = [{ id, openPorts: [{ port: 80, protocol: 'tcp' }] }];
  assert.equal((await berth.call('PATCH', '/vms/v3', { updates })).status, 204);
  await untilPower(berth, name, false);
  assert.equal((await changed(berth, name, { power_on: true })).power_on, true);
  assert.deepEqual((await vmOf(berth, id))?.ports, [{ port: 80, protocol: 'tcp' }]);
});

test('power that can’t be: nothing to start from, a value that is none, a VM that is not there', async () => {
  await created(berth, createBody({ name: 'hollow' }, { discs: [], reimage: undefined }));
  const hollow = await call(berth, 'PUT', `${machines}/hollow`, { power_on: true });
  assert.deepEqual([hollow.status, hollow.body], [400, { power_on: ['needs a disc or a CD to start from'] }]);
  const odd = await call(berth, 'PUT', `${machines}/hollow`, { power_on: 'perhaps' });
  assert.deepEqual([odd.status, odd.body], [400, { power_on: ['is not included in the list'] }]);
  assert.equal((await call(berth, 'PUT', `${machines}/nobody`, { power_on: true })).status, 404);
});
