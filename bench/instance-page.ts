// How long a page of instances takes in Berth's own API, one request after another through a whole list, as a customer of one
// account asks for it and as somebody who sees only a group does. `node bench/instance-page.ts 10000` lists so many VMs.

import { sql } from 'kysely';
import { listInstanceIds } from '../src/store/instance-list.ts';
import { startStack } from './stack.ts';

const vms = Number(process.argv[2] ?? 10_000);
const requests = 400;
const limit = 50;

const stack = await startStack();
const { database } = stack.context;

/** Writes VMs as if a host that nobody hears of had them, a second apart. */
async function insertVms(): Promise<void> {
  await sql`
    with template as (select * from host limit 1), far as (
      insert into host (id, name, price_id, vcpu_overcommit, memory_overcommit, disk_overcommit, vcpus_limit, memory_mib_limit,
        disk_gib_limit, vcpus_used, memory_mib_used, disk_gib_used, reachable, created_at)
      select gen_random_uuid(), 'far', price_id, 1, 1, 1, ${vms}::int, ${vms}::int * 1024, ${vms}::int * 75, ${vms}::int,
        ${vms}::int * 1024, ${vms}::int * 75, true, now() from template returning id, price_id
    ), serial as (
      select n, '0x' || lpad(to_hex(n), 40, '0') as id, gen_random_uuid() as deployment_id,
        date_trunc('second', now()) - n * interval '1 second' as at
      from generate_series(1, ${vms}::int) n
    ), deployed as (
      insert into deployment (id, account_id, created_at) select deployment_id, account.id, now() from serial, account
    ), placed as (
      insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id,
        vcpus, memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at, activated_at)
      select serial.id, account.id, "group".id, deployment_id, 'vm', 'server-' || n, 'server-' || n, 'active', at, far.id,
        1, 1024, 'https://example.org/image.qcow2', '{}', far.price_id, 1, at, at
      from serial, account, "group", far
    ), assigned as (
      insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib)
      select serial.id, far.id, 1, 1, 'running', 1, 1024, 75 from serial, far
    ), made as (insert into vm (instance_id, last_imaged_with) select id, 'micro' from serial), addressed as (
      insert into address (ip, instance_id) select '10.200.0.0'::inet + n, id from serial
    ), opened as (
      insert into port_rule (ip, protocol, port)
      select '10.200.0.0'::inet + n, 'tcp', port from serial, unnest(array[22, 80, 443]) as port
    ), billed as (
      insert into bill (instance_id, account_id, host_id, period, anchor_at, price_micro_usd, paid_until, funds_changed_at,
        created_at)
      select serial.id, account.id, far.id, 'global-daily', at, 1, now(), at, at from serial, account, far
    )
    insert into disk (id, instance_id, storage_type, size_mib, label, position)
    select gen_random_uuid(), serial.id, 'SSD', 25600, 'disc-' || position, position
    from serial, generate_series(1, 3) position`.execute(database);
  await sql`analyze`.execute(database);
}

const percentile = (sorted: readonly number[], share: number) =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));

/** Reads page after page, from the first again after the last. @returns the times, in ms */
async function timesOf(query: string): Promise<number[]> {
  const took: number[] = [];
  let cursor: string | null = null;
  for (let count = 0; count < requests; count += 1) {
    const began = performance.now();
    const response: Response = await fetch(
      `${stack.url}/berth/v1/instances?limit=${limit}${query}${cursor === null ? '' : `&cursor=${cursor}`}`,
      { headers: { authorization: `Bearer ${stack.apiKey}` } },
    );
    const body = (await response.json()) as { items: unknown[]; nextCursor: string | null };
    if (response.status !== 200) throw new Error(`it answered ${response.status}`);
    took.push(performance.now() - began);
    cursor = body.nextCursor;
  }
  return took.slice(20).sort((one, other) => one - other);
}

/** The time of the query that finds a page for who sees some groups. */
async function groupMs(): Promise<number> {
  const statuses = ['active', 'launching', 'stopped'] as const;
  const sight = { accountIds: [], groupIds: [1n, 2n], instanceIds: [] };
  const began = performance.now();
  for (let count = 0; count < 50; count += 1) {
    await listInstanceIds(database, sight, { statuses }, { limit: limit + 1, after: null });
  }
  return Number(((performance.now() - began) / 50).toFixed(1));
}

try {
  await insertVms();
  const took = await timesOf('');
  const named = await timesOf('&name=server-77');
  const figure = {
    bench: 'instance-page',
    ...{ vms, limit, requests },
    ...{ p50Ms: percentile(took, 0.5), p99Ms: percentile(took, 0.99), namedP99Ms: percentile(named, 0.99) },
    groupIdsMs: await groupMs(),
  };
  process.stdout.write(`${JSON.stringify(figure)}\n`);
} finally {
  await stack.close();
}
