/**
 * A process of its own for embedded.test.ts: `start DIR` starts the database of DIR, `lock DIR` takes the lock of DIR.
 * It says what it has in one line of JSON and then lives until it is killed.
 */

import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { acquireDataDirLock } from '../../src/store/embedded/lock.ts';

const [verb, directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: embedded-child.ts start|lock DIR');
const silent = { info() {}, warn() {}, error() {} };
try {
  if (verb === 'start') {
    const { pid } = await startEmbeddedPostgres({ dataDir: directory, logger: silent });
    console.log(JSON.stringify({ pid }));
  } else {
    await acquireDataDirLock(directory);
    console.log(JSON.stringify({ pid: process.pid }));
  }
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message }));
}
setInterval(() => {}, 60_000);
