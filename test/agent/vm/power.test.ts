// A guest that switches itself off, or restarts, with and without autoreboot: a worker on real QEMU.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Drivers } from '../../../src/agent/drivers.ts';
import { Records } from '../../../src/agent/record.ts';
import { defaultPatience, Worker } from '../../../src/agent/worker.ts';
import type { Assignment } from '../../../src/api/agent/contract/order.ts';
import { systemClock } from '../../../src/compose/system.ts';
import {
  bootTimeoutMs,
  inGuest,
  qemuDriver,
  qemuPid,
  qemuPids,
  scratch,
  specOf,
  until,
  untilLogin,
} from './support.ts';

/** A worker whose VM is real. */
async function workbench(t: TestContext, name: string, address: string) {
  const ground = await scratch(name);
  const driver = await qemuDriver(ground.directory);
  const records = new Records(join(ground.directory, 'records'));
  await records.open(new Date());
  const { instanceId, ...vm } = specOf(1, address, ground.publicKey);
  const worker = new Worker(instanceId, {
    driver: new Drivers({ vm: driver, container: null }, () => 'vm'),
    ...{ records, clock: systemClock, patience: defaultPatience },
    logger: { info() {}, error() {} },
    changed() {},
    tell() {},
  });
  driver.onChange(() => worker.wake());
  t.after(async () => {
    await worker.close();
    await driver.close();
    await ground.clean();
  });
  const state = () => worker.observation().state;
  let generation = 0;
  return {
    instanceId,
    state,
    async order(desired: Assignment['desired'], bootNumber: number, autoreboot: boolean): Promise<void> {
      generation += 1;
      const { hostname, vcpus, memoryMib, image } = vm;
      const disks = vm.disks.map(({ id, sizeMib }) => ({ id, sizeMib }));
      const lists = { disks, sshKeys: [...vm.sshKeys], portRules: [...vm.portRules] };
      const parts = { hostname, vcpus, memoryMib, image, address, ...lists, bootNumber, autoreboot };
      const assignment: Assignment = { instanceId, generation, desired, vm: parts };
      const fresh = { ran: false, failure: null, restarts: 0, goneAt: null };
      await records.update(instanceId, (newest) => ({ ...fresh, ...newest, assignment }));
      worker.wake();
    },
    login: () => untilLogin(ground.keyPath, address),
    guest: (command: string) => inGuest(ground.keyPath, address, command),
    becomes: (wanted: string) => until(`it is ${wanted}, not ${state()}`, () => state() === wanted, bootTimeoutMs),
  };
}

type Bench = Awaited<ReturnType<typeof workbench>>;

/** Lets the guest restart itself, which no agent takes part in. */
async function rebootInside(bench: Bench): Promise<void> {
  const [pid, before] = [qemuPid(bench.instanceId), await bench.guest('cat /proc/sys/kernel/random/boot_id')];
  await bench.guest('reboot').catch(() => {}); // the connection may break before the answer
  const isAnother = async () => (await bench.guest('cat /proc/sys/kernel/random/boot_id')) !== before;
  await until('it is up again', isAnother, bootTimeoutMs);
  assert.equal(qemuPid(bench.instanceId), pid, 'in the same QEMU');
  assert.equal(bench.state(), 'running');
}

test('without autoreboot a guest restarts by itself, stays off once it goes off, and starts when it is ordered to', async (t) => {
  const bench = await workbench(t, 'power-off', '127.66.42.1');
  await bench.order('running', 1, false);
  await bench.becomes('running');
  await bench.login();
  await rebootInside(bench);
  await bench.guest('poweroff').catch(() => {});
  await bench.becomes('off');
  assert.deepEqual(qemuPids(bench.instanceId), []);
  await bench.order('running', 2, false);
  await bench.becomes('running');
  await bench.order('off', 2, false);
  await bench.becomes('off');
  assert.deepEqual(qemuPids(bench.instanceId), []);
});

test('with autoreboot a guest that goes off comes back, and an order to be off is stronger', async (t) => {
  const bench = await workbench(t, 'power-on', '127.66.42.2');
  await bench.order('running', 1, true);
  await bench.becomes('running');
  await bench.login();
  const pid = qemuPid(bench.instanceId);
  await bench.guest('echo kept >/root/kept; sync; poweroff').catch(() => {});
  await until('another QEMU', () => qemuPids(bench.instanceId).some((other) => other !== pid), bootTimeoutMs);
  await bench.becomes('running');
  await bench.login();
  assert.equal(await bench.guest('cat /root/kept'), 'kept');
  await bench.order('off', 1, true);
  await bench.becomes('off');
  assert.deepEqual(qemuPids(bench.instanceId), []);
});
