// Which disks an agent erases: those that an order names as no more, and no other; once the VM is off, and told to the server.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Drivers } from '../../src/agent/drivers.ts';
import { Records } from '../../src/agent/record.ts';
import type { VmSpec } from '../../src/agent/vm/driver.ts';
import { defaultPatience, Worker } from '../../src/agent/worker.ts';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

const idOf = (digit: string) => `0x${digit.repeat(40)}`;

/** Notes what it is asked to erase, and what ran then. */
class NotingDriver extends SimulatedDriver {
  readonly asked: { disks: string[]; power: string | undefined }[] = [];

  override async settleDisks(spec: VmSpec): Promise<string[]> {
    const disks = (spec.eraseDisks ?? []).map(({ id }) => id);
    if (disks.length > 0) this.asked.push({ disks, power: (await this.inspect(spec.instanceId))?.power });
    return super.settleDisks(spec);
  }
}

/** Workers on one simulated host, and the orders that they get. */
async function workbench(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'berth-erase-'));
  const driver = new NotingDriver(join(directory, 'world'), calm, systemEntropy);
  await driver.open();
  const records = new Records(join(directory, 'records'));
  await records.open(new Date());
  const workers = new Map<string, Worker>();
  t.after(async () => {
    for (const worker of workers.values()) await worker.close();
    await rm(directory, { recursive: true, force: true });
  });
  let generation = 0;
  return {
    driver,
    async order(
      id: string,
      desired: Assignment['desired'],
      disks: string[],
      eraseDisks: string[] = [],
    ): Promise<Worker> {
      generation += 1;
      const specs = (ids: string[]) => ids.map((diskId) => ({ id: diskId, sizeMib: 1024 }));
      const size = { hostname: 'a', vcpus: 1, memoryMib: 1024, image: { url: 'http://a/b.raw', imaging: 1 } };
      const network = { sshKeys: [], address: `127.64.3.${id.at(-1)}`, portRules: [] };
      const power = { bootNumber: 1, autoreboot: false };
      const vm = { ...size, ...network, ...power, disks: specs(disks), eraseDisks: specs(eraseDisks) };
      const assignment: Assignment = { instanceId: id, generation, desired, vm };
      const fresh = { ran: false, failure: null, restarts: 0, goneAt: null };
      await records.update(id, (newest) => ({ ...fresh, ...newest, assignment }));
      const worker =
        workers.get(id) ??
        new Worker(id, {
          driver: new Drivers({ vm: driver, container: null }, () => 'vm'),
          records,
          clock: systemClock,
          patience: { ...defaultPatience, graceMs: 0, backoffMsMin: 1 },
          logger: { info() {}, error() {} },
          changed() {},
          tell() {},
        });
      workers.set(id, worker);
      worker.wake();
      return worker;
    },
  };
}

const becomes = (worker: Worker, state: string) =>
  until(`it is ${state}`, async () => worker.observation().state === state, 10_000);

test('what an order names as no more is erased and told; what it does not name is not', async (t) => {
  const { driver, order } = await workbench(t);
  await becomes(await order(idOf('1'), 'running', ['a', 'b', 'c']), 'running');
  await becomes(await order(idOf('1'), 'off', ['a', 'b', 'c']), 'off');
  assert.deepEqual(driver.asked, [], 'nothing is erased by being off');
  const worker = await order(idOf('1'), 'off', ['a'], ['b']);
  await until('it is told', async () => worker.observation().erasedDisks?.join() === 'b', 10_000);
  assert.deepEqual(driver.asked, [{ disks: ['b'], power: 'off' }]);
  await order(idOf('1'), 'off', ['a']);
  await until('it is told no more', async () => worker.observation().erasedDisks === undefined, 10_000);
});

test('an erased VM takes with it the disks that its newest order names, and those that were to be erased', async (t) => {
  const { driver, order } = await workbench(t);
  await becomes(await order(idOf('2'), 'running', ['a', 'b']), 'running');
  await becomes(await order(idOf('2'), 'absent', ['a'], ['b']), 'gone');
  assert.deepEqual(driver.asked, [{ disks: ['a', 'b'], power: undefined }]);
});

test('a disk that another VM’s order names as its own is never erased', async (t) => {
  const { driver, order } = await workbench(t);
  await becomes(await order(idOf('3'), 'running', ['a', 'moved']), 'running');
  await becomes(await order(idOf('4'), 'running', ['b', 'moved']), 'running');
  await becomes(await order(idOf('3'), 'absent', ['a', 'moved']), 'gone');
  assert.deepEqual(driver.asked, [{ disks: ['a'], power: undefined }]);
});
