// How long `berth vm list` takes with 100 instances, from its start to its end, beside a Node that does nothing; and the help of a
// command, which asks nobody. `node bench/cli.ts` prints medians and the ratios within the same run.

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const runs = 15;
const instances = 100;
const main = join(import.meta.dirname, '../src/main.ts');

/** What a server answers to a list: the same VM a hundred times. */
const one = {
  ...{ id: `ins_${'3b'.repeat(20)}`, kind: 'vm', name: 'web-1', status: 'active', funds: 'enough', vcpus: 2 },
  ...{ memoryMib: 4096, diskGib: 25, address: '192.0.2.10', datacenter: { slug: 'pl-poz-1' }, pricePerEpoch: '0.25' },
  createdAt: '2026-11-20T09:30:00.000Z',
};

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url));
  const url = await new Promise<string>((resolve) => worker.once('message', resolve));
  const home = mkdtempSync(join(tmpdir(), 'berth-bench-cli-'));
  const env = {
    ...{ PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: home, BERTH_URL: url, BERTH_API_KEY: 'k' },
    // As `./berth` sets it.
    NODE_COMPILE_CACHE: join(home, 'compile-cache'),
  };
  const cases: [name: string, args: string[]][] = [
    ['node -e 0', ['-e', '0']],
    ['berth vm list', ['--max-semi-space-size=8', main, 'vm', 'list']],
    ['berth vm create --help', ['--max-semi-space-size=8', main, 'vm', 'create', '--help']],
  ];
  const took = new Map<string, number[]>(cases.map(([name]) => [name, []]));
  // Turn by turn, so that what else the machine does falls on all of them; the first turn fills the cache.
  for (let run = -1; run < runs; run += 1) {
    for (const [name, args] of cases) {
      const startedMs = performance.now();
      const { status, stdout, stderr } = spawnSync(process.execPath, args, { env });
      if (status !== 0) throw new Error(`${name}: ${stderr}`);
      if (name === 'berth vm list' && String(stdout).split('\n').length < instances) throw new Error(String(stdout));
      if (run >= 0) took.get(name)?.push(performance.now() - startedMs);
    }
  }
  const median = (name: string) => (took.get(name) ?? []).toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
  const base = median('node -e 0');
  for (const [name] of cases) {
    process.stdout.write(`${name}: ${median(name).toFixed(0)} ms, ${(median(name) / base).toFixed(2)} of node -e 0\n`);
  }
  await worker.terminate();
} else {
  const body = JSON.stringify({ items: Array.from({ length: instances }, () => one), nextCursor: null });
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  }).listen(0, '127.0.0.1', () => {
    const address = server.address();
    parentPort?.postMessage(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  });
}
