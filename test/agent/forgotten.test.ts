// An agent that has lost its records finds a VM that is off. It was on before, so it is neither started of itself nor ever given up.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { test } from 'node:test';
import { Agent } from '../../src/agent/agent.ts';
import { ServerClient } from '../../src/agent/client.ts';
import { Records } from '../../src/agent/record.ts';
import { defaultPatience } from '../../src/agent/worker.ts';
import type { Inventory } from '../../src/api/agent/contract/inventory.ts';
import type { Assignment } from '../../src/api/agent/contract/order.ts';
import type { Observation, Report } from '../../src/api/agent/contract/report.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

const instanceId = `0x${'5'.repeat(40)}`;
const vm = {
  ...{ hostname: 'web-1', vcpus: 1, memoryMib: 512, sshKeys: [], address: '127.49.9.2', portRules: [] },
  ...{ bootNumber: 1, autoreboot: false, image: null, disks: [] },
};

test('a VM that is off stays off when its record is lost, and is not given up when its next start fails', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-forgotten-'));
  let assignment: Assignment = { instanceId, generation: 1, desired: 'running', vm };
  const seen: Observation[] = [];
  const server = createServer(async (request, response) => {
    if (request.url?.endsWith('/reports')) seen.push(...((await json(request)) as Report).instances);
    response.setHeader('content-type', 'application/json');
    const answer = { revision: assignment.generation, full: true, assignments: [assignment] };
    setTimeout(() => response.end(JSON.stringify(answer)), 20);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const world = join(directory, 'world');
  const before = new SimulatedDriver(world, calm, systemEntropy);
  await before.open();
  await before.run({ instanceId, ...vm }, () => {}, new AbortController().signal);
  await before.lose(instanceId, 'off');
  const driver = new SimulatedDriver(world, { ...calm, imageFailureChance: 1 }, systemEntropy);
  await driver.open();
  const agent = new Agent({
    client: new ServerClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]),
    records: new Records(join(directory, 'records')),
    patience: { ...defaultPatience, backoffMsMin: 1, backoffMsMax: 10 },
    ...{ clock: systemClock, entropy: systemEntropy, drivers: { vm: driver, container: null }, hostUsage: null },
    inventory: async () => ({ cores: 1 }) as Inventory,
    logger: { info() {}, warn() {}, error() {} },
  });
  await agent.start();
  t.after(async () => {
    await agent.stop();
    server.closeAllConnections();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });

  await until('it is told of', async () => seen.length > 0);
  assert.deepEqual(new Set(seen.map(({ state }) => state)), new Set(['off']));
  assignment = { ...assignment, generation: 2, vm: { ...vm, bootNumber: 2 } };
  await until('its start has failed', async () => seen.some(({ reason }) => reason?.includes('404') === true));
  assert.deepEqual(
    seen.filter(({ state }) => state === 'failed'),
    [],
  );
});
