// How long a whole account takes to be read in Bytemark's dialect, with all its VMs, their disks and addresses in one answer, one
// request after another; and how many queries that takes. `node bench/overview.ts 1000` reads so many VMs.

import { listAccounts, overviewAccounts } from '../src/app/overview.ts';
import { cpuMsOf, insertVms, percentile } from './filled.ts';
import { startStack } from './stack.ts';

const vms = Number(process.argv[2] ?? 1_000);
const disksEach = 3;
const warmUps = 20;
const requests = 300;

const stack = await startStack();

/** One overview. @returns how long it took, in ms, and its length */
async function read(): Promise<{ ms: number; bytes: number }> {
  const began = performance.now();
  const response = await fetch(`${stack.url}/accounts/bench?view=overview&include_deleted=true`, {
    headers: { authorization: `Bearer apikey.${stack.apiKey}`, 'content-type': 'application/json' },
  });
  const { byteLength: bytes } = await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`it answered ${response.status}`);
  return { ms: performance.now() - began, bytes };
}

/** How many queries the overview takes beside those that find out who asks. */
async function countQueries(): Promise<number> {
  let queries = 0;
  const database = stack.context.database.withPlugin({
    transformQuery({ node }) {
      queries += 1;
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  const context = { ...stack.context, database };
  const caller = { actor: 'bench', grants: [{ level: 'cluster_admin' as const }], user: null, apiKeyId: null };
  await overviewAccounts(context, caller, await listAccounts(context, caller), true);
  return queries;
}

try {
  await insertVms(stack.context.database, vms, disksEach);
  for (let count = 0; count < warmUps; count += 1) await read();
  const cpuBefore = cpuMsOf(stack.server.pid);
  const took: number[] = [];
  let length = 0;
  for (let count = 0; count < requests; count += 1) {
    const { ms, bytes } = await read();
    took.push(ms);
    length = bytes;
  }
  const cpuMs = (cpuMsOf(stack.server.pid) - cpuBefore) / requests;
  took.sort((a, b) => a - b);
  const figure = {
    bench: 'overview',
    p50Ms: percentile(took, 0.5),
    p99Ms: percentile(took, 0.99),
    maxMs: percentile(took, 1),
    serverCpuMs: Number(cpuMs.toFixed(1)),
    bytes: length,
    vms,
    disksEach,
    queries: await countQueries(),
    requests,
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  await stack.close();
}
