// How long a VM has run is evidence for its bill, so it must not begin anew when the agent does, and must when the VM does.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../src/agent/agent.ts';
import { ServerClient } from '../../src/agent/client.ts';
import { Records } from '../../src/agent/record.ts';
import { defaultPatience } from '../../src/agent/worker.ts';
import type { Inventory } from '../../src/api/agent/contract/inventory.ts';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import type { Observation, Report } from '../../src/api/agent/contract/report.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { processAgeMs } from '../../src/host/process.ts';
import { SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

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
  const directory = await mkdtemp(join(tmpdir(), 'berth-running-'));
  let seen: Observation[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.url?.endsWith('/reports')) seen.push(...(JSON.parse(text) as Report).instances);
    response.setHeader('content-type', 'application/json');
    setTimeout(() => response.end(JSON.stringify({ revision: 1, full: true, assignments: [assignment] })), 20);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const start = async () => {
    const driver = new SimulatedDriver(join(directory, 'world'), calm, systemEntropy);
    await driver.open();
    const agent = new Agent({
      client: new ServerClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]),
      records: new Records(join(directory, 'records')),
      patience: { ...defaultPatience, graceMs: 0, backoffMsMin: 1 },
      clock: systemClock,
      entropy: systemEntropy,
      drivers: { vm: driver, container: null },
      hostUsage: null,
      inventory: async () => ({ cores: 1 }) as Inventory,
      logger: { info() {}, warn() {}, error() {} },
    });
    await agent.start();
    return { agent, driver };
  };
  const told = async (restarts: number) => {
    const one = () => seen.find(({ state, restarts: count }) => state === 'running' && count === restarts);
    await until('it is told to run', async () => one() !== undefined, 20_000);
    return one()?.runningMs ?? Number.NaN;
  };
  let running = await start();
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await running.agent.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const startedBefore = performance.now();
  const first = await told(0);
  assert.ok(first >= 0 && first <= performance.now() - startedBefore + 1000);

  await running.agent.stop();
  await new Promise((resolve) => setTimeout(resolve, 300));
  seen = [];
  running = await start();
  const second = await told(0);
  assert.ok(second >= first + 300, `${second} ms after ${first} ms`);

  seen = [];
  const beforeDeath = performance.now();
  await running.driver.lose(instanceId, 'dead');
  const third = await told(1);
  assert.ok(third <= performance.now() - beforeDeath, `${third} ms is the new run's time`);
});

test("a process's age is counted from its start", () => {
  const age = processAgeMs(process.pid) ?? Number.NaN;
  assert.ok(Math.abs(age - process.uptime() * 1000) < 2000, `${age} ms`);
  assert.equal(processAgeMs(2 ** 22 + 1), undefined);
});
