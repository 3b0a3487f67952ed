// Looking at the host may fail, as while its packet filter takes no changes: the agent goes on, and looks again.

import { test } from 'node:test';
import { ServerClient } from '../../src/agent/client.ts';
import { until } from '../support/berth.ts';
import { Ordered } from './ordered.ts';

test('a change while the host can not be looked at is told of, and ends nothing', async (t) => {
  const bench = await Ordered.begin(t, []);
  const driver = await bench.driver();
  const warnings: string[] = [];
  let changed: ((instanceId: string) => void) | undefined;
  t.mock.method(driver, 'onChange', (listener: typeof changed) => {
    changed = listener;
  });
  await bench.start(driver, {
    // Nobody answers there.
    client: new ServerClient(['http://127.0.0.1:9']),
    logger: { info() {}, warn: (_about, message) => void warnings.push(message), error() {} },
  });
  t.mock.method(driver, 'observe', () => Promise.reject(new Error('nft refused it')));
  changed?.(`0x${'7'.repeat(40)}`);
  await until('it is told of', async () => warnings.includes('the host could not be looked at'));
});
