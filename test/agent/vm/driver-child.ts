// An agent in a process of its own, for tests that kill it: runs the VM given as JSON in the second argument with a driver
// on the directory in the first, says so, and then lives until it is killed.

import type { VmSpec } from '../../../src/agent/vm/driver.ts';
import { qemuDriver, runVm } from './support.ts';

const [directory = '', specText = ''] = process.argv.slice(2);
const driver = await qemuDriver(directory);
await runVm(driver, JSON.parse(specText) as VmSpec);
process.stdout.write('running\n');
setInterval(() => {}, 1000);
