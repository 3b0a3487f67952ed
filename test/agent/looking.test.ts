// Looking at the host may fail, as while its packet filter takes no changes: the agent goes on, and looks again.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Agent } from '../../src/agent/agent.ts';
import { ServerClient } from '../../src/agent/client.ts';
import { Records } from '../../src/agent/record.ts';
import { defaultPatience } from '../../src/agent/worker.ts';
import type { Inventory } from '../../src/api/agent/contract/inventory.ts';
import { systemClock, systemEntropy } from '../../src/compose/system.ts';
import { SimulatedDriver } from '../../src/sim/driver.ts';
import { calm, until } from '../support/berth.ts';

test('a change while the host can not be looked at is told of, and ends nothing', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-looking-'));
  const driver = new SimulatedDriver(join(directory, 'world'), calm, systemEntropy);
  await driver.open();
  const warnings: string[] = [];
  const agent = new Agent({
    // Nobody answers there.
    client: new ServerClient(['http://127.0.0.1:9']),
    records: new Records(join(directory, 'records')),
    patience: defaultPatience,
    clock: systemClock,
    entropy: systemEntropy,
    drivers: { vm: driver, container: null },
    inventory: async () => ({ cores: 1 }) as Inventory,
    hostUsage: null,
    logger: { info() {}, warn: (_about, message) => void warnings.push(message), error() {} },
  });
  let changed: ((instanceId: string) => void) | undefined;
  t.mock.method(driver, 'onChange', (listener: typeof changed) => {
    changed = listener;
  });
  await agent.start();
  t.after(async () => {
    await agent.stop();
    await rm(directory, { recursive: true, force: true });
  });
  t.mock.method(driver, 'observe', () => Promise.reject(new Error('nft refused it')));
  changed?.(`0x${'7'.repeat(40)}`);
  await until('it is told of', async () => warnings.includes('the host could not be looked at'));
});
