// Power as the server orders it: on, off, off and on again; and what becomes of a guest that switches itself off.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Drivers } from '../../src/agent/drivers.ts';
import { Records } from '../../src/agent/record.ts';
import { defaultPatience, Worker } from '../../src/agent/worker.ts';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { readJournal, SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

const instanceId = `0x${'4'.repeat(40)}`;

type Order = { desired: Assignment['desired']; bootNumber?: number; autoreboot?: boolean };

/** A worker with a simulated VM, and what it did. */
async function workbench(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'berth-power-'));
  const world = join(directory, 'world');
  const driver = new SimulatedDriver(world, { ...calm, journal: true }, systemEntropy);
  await driver.open();
  const records = new Records(join(directory, 'records'));
  await records.open(new Date());
  const newWorker = () =>
    new Worker(instanceId, {
      driver: new Drivers({ vm: driver, container: null }, () => 'vm'),
      records,
      clock: systemClock,
      patience: { ...defaultPatience, graceMs: 0, backoffMsMin: 1 },
      logger: { info() {}, error() {} },
      changed() {},
      tell() {},
    });
  let worker = newWorker();
  driver.onChange(() => worker.wake());
  t.after(async () => {
    await worker.close();
    await rm(directory, { recursive: true, force: true });
  });
  let generation = 0;
  return {
    driver,
    async order({ desired, bootNumber = 1, autoreboot = false }: Order): Promise<void> {
      generation += 1;
      const disks = [{ id: 'd', sizeMib: 5120 }];
      const size = { hostname: 'a', vcpus: 1, memoryMib: 1024, disks, image: { url: 'http://a/b.raw', imaging: 1 } };
      const vm = { ...size, sshKeys: [], address: '127.47.3.9', portRules: [], bootNumber, autoreboot };
      const assignment: Assignment = { instanceId, generation, desired, vm };
      const fresh = { ran: false, failure: null, restarts: 0, goneAt: null };
      await records.update(instanceId, (newest) => ({ ...fresh, ...newest, assignment }));
      worker.wake();
    },
    async forget(): Promise<void> {
      await worker.close();
      worker = newWorker();
      worker.wake();
    },
    becomes: (state: string) => until(`it is ${state}`, async () => worker.observation().state === state, 10_000),
    /** What it says of itself from an order on, each once. */
    async saidUntil(state: string, order: () => Promise<void>): Promise<string[]> {
      await order();
      const said = new Set<string>();
      while (!said.has(state)) {
        said.add(worker.observation().state);
        await nextTurn();
      }
      return [...said];
    },
    acts: async () => (await readJournal(world)).map(({ act }) => act),
    settled: async () => {
      await worker.close();
      return worker.observation().state;
    },
  };
}

test('an order to be off pulls the plug, and one with the next number starts it again', async (t) => {
  const bench = await workbench(t);
  await bench.order({ desired: 'running' });
  await bench.becomes('running');
  await bench.order({ desired: 'off', autoreboot: true });
  await bench.becomes('off');
  await bench.order({ desired: 'running', bootNumber: 2 });
  await bench.becomes('running');
  assert.deepEqual(await bench.acts(), ['start', 'halt', 'start']);
});

test('what is off is no longer said to be off as soon as it is known that it is ordered on', async (t) => {
  const bench = await workbench(t);
  await bench.order({ desired: 'running' });
  await bench.becomes('running');
  await bench.order({ desired: 'off' });
  await bench.becomes('off');
  const said = await bench.saidUntil('running', () => bench.order({ desired: 'running', bootNumber: 2 }));
  assert.deepEqual(said, ['preparing', 'running']);
  await bench.driver.lose(instanceId, 'off');
  await bench.becomes('off');
  await bench.order({ desired: 'running', bootNumber: 2 });
  assert.equal(await bench.settled(), 'off', 'an order about something else starts nothing');
});

test('a next number is one power cycle of what runs, whoever forgets what', async (t) => {
  const bench = await workbench(t);
  await bench.order({ desired: 'running' });
  await bench.becomes('running');
  await bench.order({ desired: 'running', bootNumber: 2 });
  await until('it was cycled', async () => (await bench.acts()).length === 3, 10_000);
  await bench.forget();
  await bench.becomes('running');
  await bench.order({ desired: 'running', bootNumber: 2, autoreboot: true });
  assert.equal(await bench.settled(), 'running');
  assert.deepEqual(await bench.acts(), ['start', 'halt', 'start']);
});

test('a VM that was ordered to be off from the first is never started', async (t) => {
  const bench = await workbench(t);
  await bench.order({ desired: 'off' });
  await bench.becomes('off');
  assert.deepEqual(await bench.acts(), []);
  await bench.order({ desired: 'running' });
  await bench.becomes('running');
});

test('a guest that switches itself off stays off, or comes back where it was told to', async (t) => {
  const bench = await workbench(t);
  await bench.order({ desired: 'running' });
  await bench.becomes('running');
  await bench.driver.lose(instanceId, 'off');
  await bench.becomes('off');
  await bench.forget();
  await bench.becomes('off');
  await bench.order({ desired: 'running', bootNumber: 2, autoreboot: true });
  await bench.becomes('running');
  await bench.driver.lose(instanceId, 'off');
  await until('it was started again', async () => (await bench.acts()).length === 3, 10_000);
  await bench.becomes('running');
  await bench.driver.lose(instanceId, 'off');
  await bench.order({ desired: 'off' });
  await bench.becomes('off');
  assert.equal((await bench.driver.inspect(instanceId))?.power, 'off');
});
