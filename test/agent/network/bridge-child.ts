// A driver of VMs with networks, inside of a network namespace of a test's: `DIRECTORY`. It does what it is sent, one thing
// after the other, and answers each with null or with what went wrong.

import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import { qemuDriver } from '../vm/support.ts';

/** What it can be sent. */
export type Order = { run: VmSpec } | { erase: string } | 'observe';

const [directory = ''] = process.argv.slice(2);
const driver = await qemuDriver(directory, {
  limits: { isolationCheckEveryMs: 0 },
  networks: { translates: true },
});

async function obey(order: Order): Promise<void> {
  if (order === 'observe') await driver.observe();
  else if ('run' in order) await driver.run(order.run, () => {}, new AbortController().signal);
  else await driver.erase(order.erase, 0);
}

let last = driver.observe().then(() => {});
last.then(() => process.send?.({ error: null }));
process.on('message', (order: Order) => {
  last = last.then(async () => {
    const error = await obey(order).then(
      () => null,
      (thrown: Error) => thrown.stack ?? String(thrown),
    );
    process.send?.({ error });
  });
});
process.on('disconnect', () => process.exit());
