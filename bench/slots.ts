// 100,000 slots on 10,000 hosts: what it costs to keep customers told of them, and to search them. Run by
// `npm run bench:slots`; prints one line of JSON.

import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import type { Context } from '../src/app/context.ts';
import { MarketView } from '../src/app/market.ts';
import { readSettings } from '../src/app/settings.ts';
import { listSlots } from '../src/app/slot.ts';
import { tellSlots } from '../src/app/slot-news.ts';
import { lockedVault } from '../src/app/vault.ts';
import { Wakeups } from '../src/app/wakeups.ts';
import { systemClock, systemEntropy } from '../src/compose/system.ts';
import { parseSlotFilter } from '../src/model/slot-filter.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { startEmbeddedPostgres } from '../src/store/embedded/index.ts';
import { migrate } from '../src/store/migrate.ts';
import { insertHosts } from './hosts.ts';
import { median } from './stack.ts';

const hosts = 10_000;
const slotsPerHost = 10;
const rounds = 15;
/** Hosts on which something was rented within one pass. */
const changedHosts = 20;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** Slots of which each has a price, and every fifth one a GPU. */
async function insertSlots(database: Database): Promise<void> {
  const names = sql`(array['NVIDIA GeForce RTX 3090', 'NVIDIA GeForce RTX 4090', 'NVIDIA H100 80GB HBM3'])`;
  await sql`
    update host_health set inventory = jsonb_build_object('hardware', jsonb_build_object('gpus', (
      select jsonb_agg(jsonb_build_object('id', 'GPU-' || number, 'name', ${names}[1 + number % 3], 'memoryMib', 24576,
        'cudaVersion', '12.6')) from generate_series(1, 2) as number)))`.execute(database);
  await sql`update host set runs_containers = true, gpu_ids = array['GPU-1', 'GPU-2']`.execute(database);
  for (let number = 1; number <= slotsPerHost; number += 1) {
    await sql`
      with new_slot as (
        insert into slot (id, host_id, name, vcpus, memory_mib, disk_gib, gpus, created_at)
        select gen_random_uuid(), id, ${`slot-${number}`}, 2 ^ (random() * 5)::int, 1024 * (2 ^ (random() * 6)::int)::int,
          10 + (random() * 90)::int, ${number <= 2 ? [`GPU-${number}`] : []}::text[], now()
        from host returning id
      )
      insert into slot_price (id, slot_id, amount_micro_usd, unit, created_at)
      select gen_random_uuid(), id, 100000, 'hour', now() from new_slot`.execute(database);
  }
  await sql`analyze`.execute(database);
}

/** The median time of some calls, in milliseconds. */
async function timed(act: () => Promise<unknown>, times = rounds): Promise<number> {
  const figures: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const began = performance.now();
    await act();
    figures.push(performance.now() - began);
  }
  return Number(median(figures).toFixed(1));
}

const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'));
await chmod(directory, 0o711);
const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: quiet });
const database = openDatabase(postgres.connectionString, () => {});
try {
  await migrate(database, join(import.meta.dirname, '../schema'));
  const context: Context = {
    ...{ database, clock: systemClock, entropy: systemEntropy, logger: quiet, settings: await readSettings('') },
    ...{ wakeups: new Wakeups(async () => {}), market: new MarketView(database), vault: lockedVault },
    ...{ allowedImageHosts: new Set<string>(), allowedCallbackHosts: new Set<string>(), publicUrl: '' },
  };
  await insertHosts(database, hosts);
  await insertSlots(database);
  const first = await timed(() => tellSlots(context, null), 1);
  await sql`analyze`.execute(database);
  let since = await tellSlots(context, null);
  const pass = async () => {
    since = await tellSlots(context, since);
  };
  const changed = sql`update host set vcpus_used = case when vcpus_used = vcpus_limit then 0 else vcpus_limit end
    where id in (select id from host order by id limit ${changedHosts}::int)`;
  const search = (text: string, page = 1) => {
    const filter = parseSlotFilter(text, 'filter');
    return timed(() => listSlots(context, filter, { page, perPage: 50 }));
  };
  const figures = {
    ...{ slots: hosts * slotsPerHost, hosts, toldAtFirst: first },
    quietPass: await timed(pass),
    [`passWith${changedHosts}HostsChanged`]: await timed(async () => {
      await changed.execute(database);
      await pass();
    }),
    passOverAll: await timed(() => tellSlots(context, null)),
    firstPage: await search(''),
    page1000: await search('', 1_000),
    available: await search('machine_status:available'),
    byGpu: await search('gpu_name:RTX 3090,memory_size:24GB'),
    byCpu: await search('cpu_name:AMD EPYC'),
  };
  process.stdout.write(`${JSON.stringify({ bench: 'slots', unit: 'ms', ...figures })}\n`);
} finally {
  await database.destroy();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
