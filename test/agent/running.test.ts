// How long a VM has run is evidence for its bill, so it must not begin anew when the agent does, and must when the VM does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import { processAgeMs } from '../../src/host/process.ts';
import { until } from '../support/berth.ts';
import { Ordered } from './ordered.ts';

const instanceId = `0x${'6'.repeat(40)}`;
const assignment: Assignment = {
  instanceId,
  generation: 1,
  desired: 'running',
  vm: {
    hostname: 'a',
    vcpus: 1,
    memoryMib: 1024,
    disks: [{ id: 'd', sizeMib: 5120 }],
    image: { url: 'https://example.com/a.raw', imaging: 1 },
    bootNumber: 1,
    autoreboot: false,
    sshKeys: [],
    address: '127.47.3.1',
    portRules: [],
  },
};

test('the time that a VM has run goes on over a restart of the agent and starts anew with the VM', async (t) => {
  const bench = await Ordered.begin(t, [assignment]);
  const told = async (restarts: number) => {
    const seen = () => bench.reports.flatMap(({ instances }) => instances);
    const one = () => seen().find(({ state, restarts: count }) => state === 'running' && count === restarts);
    await until('it is told to run', async () => one() !== undefined, 20_000);
    return one()?.runningMs ?? Number.NaN;
  };
  const agent = await bench.start(await bench.driver());
  const startedBefore = performance.now();
  const first = await told(0);
  assert.ok(first >= 0 && first <= performance.now() - startedBefore + 1000);

  await bench.stop(agent);
  await new Promise((resolve) => setTimeout(resolve, 300));
  bench.reports.length = 0;
  const driver = await bench.driver();
  await bench.start(driver);
  const second = await told(0);
  assert.ok(second >= first + 300, `${second} ms after ${first} ms`);

  bench.reports.length = 0;
  const beforeDeath = performance.now();
  await driver.lose(instanceId, 'dead');
  const third = await told(1);
  assert.ok(third <= performance.now() - beforeDeath, `${third} ms is the new run's time`);
});

test("a process's age is counted from its start", () => {
  const age = processAgeMs(process.pid) ?? Number.NaN;
  assert.ok(Math.abs(age - process.uptime() * 1000) < 2000, `${age} ms`);
  assert.equal(processAgeMs(2 ** 22 + 1), undefined);
});
