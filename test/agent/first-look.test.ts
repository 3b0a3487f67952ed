// An agent that was started anew does not know what has become of its instances until it has looked at each. Until then it says
// nothing of them, and does not say that its report is all there is.

import assert from 'node:assert/strict';
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
import type { Report } from '../../src/api/agent/contract/report.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

const instanceId = `0x${'7'.repeat(40)}`;
const vm = {
  ...{ hostname: 'web-1', vcpus: 1, memoryMib: 512, sshKeys: [], address: '127.49.9.1', portRules: [] },
  ...{ bootNumber: 1, autoreboot: false, image: null, disks: [] },
};
const assignment: Assignment = { instanceId, generation: 1, desired: 'running', vm };

test('an agent that was started anew says nothing of a VM before it has looked at it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-first-look-'));
  const reports: Report[] = [];
  // A server that has one order, and notes what it is told.
  const server = createServer(async (request, response) => {
    if (request.url?.endsWith('/reports')) reports.push((await json(request)) as Report);
    if (request.url?.includes('after=')) return;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ revision: 1, full: true, assignments: [assignment] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const records = new Records(join(directory, 'records'));
  await records.open(new Date());
  await records.update(instanceId, () => ({ assignment, ran: true, failure: null, restarts: 0, goneAt: null }));
  const driver = new SimulatedDriver(join(directory, 'world'), calm, systemEntropy);
  await driver.open();
  await driver.run({ instanceId, ...vm }, () => {}, new AbortController().signal);
  let look = () => {};
  const looking = new Promise<void>((resolve) => {
    look = resolve;
  });
  const inspect = driver.inspect.bind(driver);
  // As a QEMU that takes its time to answer.
  t.mock.method(driver, 'inspect', async (id: string) => {
    await looking;
    return inspect(id);
  });
  const agent = new Agent({
    client: new ServerClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]),
    ...{ records, patience: defaultPatience, clock: systemClock, entropy: systemEntropy },
    drivers: { vm: driver, container: null },
    inventory: async () => ({ cores: 1 }) as Inventory,
    hostUsage: null,
    logger: { info() {}, warn() {}, error() {} },
  });
  await agent.start();
  t.after(async () => {
    look();
    server.closeAllConnections();
    await agent.stop();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });

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
