// How long a whole account takes to be read in Bytemark's dialect, with all its VMs, their disks and addresses in one answer, one
// request after another; and how many queries that takes. `node bench/overview.ts 1000` reads so many VMs.

import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { listAccounts, overviewAccounts } from '../src/app/overview.ts';
import { startStack } from './stack.ts';

const vms = Number(process.argv[2] ?? 1_000);
const disksEach = 3;
const warmUps = 20;
const requests = 300;

const stack = await startStack();

/** Writes VMs as if a host that nobody hears of had them. */
async function insertVms(): Promise<void> {
  await sql`
    with template as (select * from host limit 1), far as (
      insert into host (id, name, price_id, vcpu_overcommit, memory_overcommit, disk_overcommit, vcpus_limit, memory_mib_limit,
        disk_gib_limit, vcpus_used, memory_mib_used, disk_gib_used, reachable, created_at)
      select gen_random_uuid(), 'far', price_id, 1, 1, 1, ${vms}::int, ${vms}::int * 1024, ${vms}::int * 75, ${vms}::int,
        ${vms}::int * 1024, ${vms}::int * 75, true, now() from template returning id, price_id
    ), serial as (
      select n, '0x' || lpad(to_hex(n), 40, '0') as id, gen_random_uuid() as deployment_id from generate_series(1, ${vms}::int) n
    ), deployed as (
      insert into deployment (id, account_id, created_at) select deployment_id, account.id, now() from serial, account
    ), placed as (
      insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id,
        vcpus, memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at, activated_at)
      select serial.id, account.id, "group".id, deployment_id, 'vm', 'server-' || n, 'server-' || n, 'active', now(), far.id,
        1, 1024, 'https://example.org/image.qcow2', '{}', far.price_id, 1, now(), now()
      from serial, account, "group", far
    ), assigned as (
      insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
      select serial.id, far.id, 1, 1, 'running', 1, 1024, 75 from serial, far
    ), made as (insert into vm (instance_id, last_imaged_with) select id, 'micro' from serial), addressed as (
      insert into address (ip, instance_id) select '10.200.0.0'::inet + n, id from serial
    )
    insert into disk (id, instance_id, storage_type, size_mib, label, position)
    select gen_random_uuid(), serial.id, 'SSD', 25600, 'disc-' || position, position
    from serial, generate_series(1, ${disksEach}::int) position`.execute(stack.context.database);
  await sql`analyze`.execute(stack.context.database);
}

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

/** Processor time that the server has used, in ms; Linux counts it in hundredths of a second. */
function serverCpuMs(): number {
  const fields = readFileSync(`/proc/${stack.server.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const percentile = (sorted: readonly number[], share: number) =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));

try {
  await insertVms();
  for (let count = 0; count < warmUps; count += 1) await read();
  const cpuBefore = serverCpuMs();
  const took: number[] = [];
  let length = 0;
  for (let count = 0; count < requests; count += 1) {
    const { ms, bytes } = await read();
    took.push(ms);
    length = bytes;
  }
  const cpuMs = (serverCpuMs() - cpuBefore) / requests;
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
