// What the reads of Berth's own API that pages are made of cost with ten thousand VMs: each by itself, one call after another, for the
// server's processor time and the ratio to a route that asks the database for one row and nobody who he is; and all of them mixed, two
// hundred a second, whether or not those before have been answered. `node bench/native-reads.ts 10000` writes so many VMs. On a machine
// that others use, too, ratios and processor time tell more than times do.

import { sql } from 'kysely';
import { toId } from '../src/api/native/id.ts';
import { listInstanceIds } from '../src/store/instance-list.ts';
import { cpuMsOf, insertVms, percentile } from './filled.ts';
import { insertHosts } from './hosts.ts';
import { Caller, openLoop } from './open-loop.ts';
import { startStack } from './stack.ts';

const vms = Number(process.argv[2] ?? 10_000);
const hosts = 10_000;
const eventsEach = 5;
const perSecond = 200;
const turns = 4;
/** Calls of each read in a turn. */
const inTurn = 100;
/** Longer than from one check for drift to the next. */
const mixMs = 25_000;

const stack = await startStack();
const { database } = stack.context;
const caller = new Caller(stack.url, stack.apiKey);

/** Some of what has happened to each VM. */
async function insertEvents(): Promise<void> {
  await sql`
    insert into event (account_id, instance_id, kind, message, actor, created_at)
    select account_id, id, 'vm.start', 'Starting the VM', 'host', created_at + n * interval '1 second'
    from instance, generate_series(1, ${eventsEach}::int) n`.execute(database);
  await sql`analyze`.execute(database);
}

const someInstance = () => {
  const number = 1 + Math.floor(Math.random() * vms);
  return toId('instance', `0x${number.toString(16).padStart(8, '0').padEnd(40, '0')}`);
};

/** The cursors of a list's pages, so that each call asks for another page. */
async function pagesOf(path: string): Promise<string[]> {
  const cursors = [''];
  while (cursors.length < 50) {
    const cursor = cursors.at(-1);
    const answer = await fetch(`${stack.url}${path}${cursor ? `&cursor=${cursor}` : ''}`, {
      headers: { authorization: `Bearer ${stack.apiKey}` },
    });
    const { nextCursor } = (await answer.json()) as { nextCursor: string | null };
    if (nextCursor === null) break;
    cursors.push(nextCursor);
  }
  return cursors;
}

/** Calls, one after another. @returns how long each took, in ms */
async function timesOf(path: () => string): Promise<number[]> {
  const took: number[] = [];
  while (took.length < inTurn) {
    const began = performance.now();
    took.push((await caller.call(path())) - began);
  }
  return took;
}

/** The time of the query that finds a page for who sees some groups, in ms. */
async function groupIdsMs(): Promise<number> {
  const statuses = ['active', 'launching', 'stopped'] as const;
  const sight = { accountIds: [], groupIds: [1n, 2n], instanceIds: [] };
  const began = performance.now();
  for (let count = 0; count < 50; count += 1) {
    await listInstanceIds(database, sight, { statuses }, { limit: 51, after: null });
  }
  return Number(((performance.now() - began) / 50).toFixed(1));
}

try {
  await insertVms(database, vms);
  await insertEvents();
  await insertHosts(database, hosts);
  const pick = (list: readonly string[]) => list[Math.floor(Math.random() * list.length)] ?? '';
  const paged = async (path: string) => {
    const cursors = await pagesOf(path);
    return () => {
      const cursor = pick(cursors);
      return path + (cursor && `&cursor=${cursor}`);
    };
  };
  const base = '/berth/v1';
  const reads: Record<string, () => string> = {
    bare: () => '/healthz',
    me: () => `${base}/me`,
    instance: () => `${base}/instances/${someInstance()}`,
    instances: await paged(`${base}/instances?limit=50`),
    namedInstances: () => `${base}/instances?limit=50&name=server-77`,
    events: await paged(`${base}/events?limit=50&newestFirst=true`),
    offers: () => `${base}/offers?vcpusMin=2&limit=50`,
    metrics: () => `${base}/instances/${someInstance()}/metrics`,
  };
  const names = Object.keys(reads);
  const alone = new Map(names.map((name): [string, number[]] => [name, []]));
  const cpuMs = new Map(names.map((name) => [name, 0]));
  for (let turn = 0; turn <= turns; turn += 1) {
    for (const name of names) {
      const before = cpuMsOf(stack.server.pid);
      const took = await timesOf(() => reads[name]?.() ?? '');
      // The first turn is to warm up.
      if (turn === 0) continue;
      alone.get(name)?.push(...took);
      cpuMs.set(name, (cpuMs.get(name) ?? 0) + cpuMsOf(stack.server.pid) - before);
    }
  }
  const mixed = new Map(names.map((name): [string, number[]] => [name, []]));
  let calls = 0;
  await openLoop(mixMs, perSecond, async () => {
    const name = names[calls % names.length] ?? '';
    calls += 1;
    const began = performance.now();
    const end = await caller.call(reads[name]?.() ?? '');
    mixed.get(name)?.push(end - began);
    return end;
  });
  const sorted = (list: readonly number[] = []) => list.toSorted((one, other) => one - other);
  const bareMs = Math.max(0.1, percentile(sorted(alone.get('bare')), 0.5));
  for (const name of names) {
    const [byItself, among] = [sorted(alone.get(name)), sorted(mixed.get(name))];
    const figure = {
      ...{ bench: 'native-reads', read: name, p50Ms: percentile(byItself, 0.5), p99Ms: percentile(byItself, 0.99) },
      toBare: Number((percentile(byItself, 0.5) / bareMs).toFixed(1)),
      serverCpuMs: Number(((cpuMs.get(name) ?? 0) / byItself.length).toFixed(2)),
      ...{ mixedP50Ms: percentile(among, 0.5), mixedP99Ms: percentile(among, 0.99) },
    };
    process.stdout.write(`${JSON.stringify(figure)}\n`);
  }
  const whole = {
    ...{ bench: 'native-reads', vms, hosts, perSecond, groupIdsMs: await groupIdsMs(), errors: caller.errors },
    mixedP99Ms: percentile(sorted([...mixed.values()].flat()), 0.99),
  };
  process.stdout.write(`${JSON.stringify(whole)}\n`);
} finally {
  caller.close();
  await stack.close();
}
