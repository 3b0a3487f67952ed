// Orders of a server whose database was put back to an older copy: it counts generations on from there, and so may give one
// number to two orders.

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
import type { Report } from '../../src/api/agent/contract/report.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

const instanceId = `0x${'5'.repeat(40)}`;
const vm = {
  hostname: 'a',
  vcpus: 1,
  memoryMib: 1024,
  image: { url: 'https://example.com/a.raw', imaging: 1 },
  disks: [{ id: 'd', sizeMib: 5120 }],
  bootNumber: 1,
  autoreboot: false,
  sshKeys: [],
};

test('an order under a number that the host has for another order is given anew, and neither obeyed nor lost', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-order-'));
  const order: Assignment = {
    instanceId,
    generation: 2,
    desired: 'running',
    vm: { ...vm, address: '127.47.2.1', portRules: [] },
  };
  let assignments: Assignment[] = [order];
  const reports: Report[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.url?.endsWith('/reports')) reports.push(JSON.parse(text) as Report);
    // Each answer is a full one, as after a restart of the server.
    response.setHeader('content-type', 'application/json');
    setTimeout(() => response.end(JSON.stringify({ revision: 1, full: true, assignments })), 20);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const driver = new SimulatedDriver(join(directory, 'world'), calm, systemEntropy);
  await driver.open();
  const inventory = async () => ({ cores: 1 }) as Inventory;
  const logger = { info() {}, warn() {}, error() {} };
  const agent = new Agent({
    client: new ServerClient([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]),
    records: new Records(join(directory, 'records')),
    patience: { ...defaultPatience, graceMs: 0 },
    clock: systemClock,
    entropy: systemEntropy,
    drivers: { vm: driver, container: null },
    inventory,
    hostUsage: null,
    logger,
  });
  await agent.start();
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
  });
  const newest = () => reports.flatMap(({ instances }) => instances).at(-1);
  await until('the VM runs', async () => newest()?.state === 'running', 10_000);

  assignments = [{ ...order, desired: 'absent' }];
  await until(
    'the host tells of a number that the server has not given',
    async () => newest()?.generation === 3,
    10_000,
  );
  assert.equal(newest()?.state, 'running', 'an order that is not newer ends nothing');

  assignments = [{ ...order, generation: 4, desired: 'absent' }];
  await until('the newer order is obeyed', async () => newest()?.state === 'gone', 10_000);
});
