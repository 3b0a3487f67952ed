// An agent that was started anew does not know what has become of its instances until it has looked at each. Until then it says
// nothing of them, and does not say that its report is all there is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import { until } from '../support/berth.ts';
import { Ordered } from './ordered.ts';

const instanceId = `0x${'7'.repeat(40)}`;
const vm = {
  ...{ hostname: 'web-1', vcpus: 1, memoryMib: 512, sshKeys: [], address: '127.49.9.1', portRules: [] },
  ...{ bootNumber: 1, autoreboot: false, image: null, disks: [] },
};
const assignment: Assignment = { instanceId, generation: 1, desired: 'running', vm };

test('an agent that was started anew says nothing of a VM before it has looked at it', async (t) => {
  let look = () => {};
  const looking = new Promise<void>((resolve) => {
    look = resolve;
  });
  t.after(() => look());
  const bench = await Ordered.begin(t, [assignment]);
  const records = bench.records();
  await records.open(new Date());
  await records.update(instanceId, () => ({ assignment, ran: true, failure: null, restarts: 0, goneAt: null }));
  const driver = await bench.driver();
  await driver.run({ instanceId, ...vm }, () => {}, new AbortController().signal);
  const inspect = driver.inspect.bind(driver);
  // As a QEMU that takes its time to answer.
  t.mock.method(driver, 'inspect', async (id: string) => {
    await looking;
    return inspect(id);
  });
  await bench.start(driver, { records });
  const { reports } = bench;
  await until('it has reported', async () => reports.length > 0);
  assert.deepEqual(
    reports.map(({ complete, instances, strays }) => ({ complete, instances, strays })),
    reports.map(() => ({ complete: false, instances: [], strays: [] })),
  );
  look();
  await until('it has told of the VM', async () => reports.some(({ instances }) => instances.length > 0));
  const told = reports.flatMap(({ instances }) => instances.map(({ state }) => state));
  assert.deepEqual(new Set(told), new Set(['running']));
  await until('it has told of all', async () => reports.some(({ complete }) => complete));
});
