// Closing an epoch for 100,000 instances of 400 accounts: how long the closing takes, when whoever closes is killed twice in
// the middle and started again. Afterwards every instance must have been charged exactly once and the ledger must add up.
// The rows are written by SQL; the closing is the reconciler itself, in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { ensureLocalHost } from '../src/app/bootstrap.ts';
import type { Context } from '../src/app/context.ts';
import { MarketView } from '../src/app/market.ts';
import { readSettings } from '../src/app/settings.ts';
import { lockedVault } from '../src/app/vault.ts';
import { Wakeups } from '../src/app/wakeups.ts';
import { systemClock, systemEntropy } from '../src/compose/system.ts';
import { reconcileBilling } from '../src/reconcilers/billing.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { findLedgerDrift } from '../src/store/drift.ts';
import { startEmbeddedPostgres } from '../src/store/embedded/index.ts';
import { migrate } from '../src/store/migrate.ts';

const instances = 100_000;
const accounts = 400;
const kills = 2;
const price = 135_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function contextOn(connectionString: string): Promise<Context> {
  const database = openDatabase(connectionString, () => {});
  return {
    ...{ database, clock: systemClock, entropy: systemEntropy, logger: quiet, settings: await readSettings('') },
    ...{ wakeups: new Wakeups(async () => {}), market: new MarketView(database), vault: lockedVault },
    ...{ allowedImageHosts: new Set<string>(), allowedCallbackHosts: new Set<string>(), publicUrl: '' },
  };
}

/** Every instance is active, has run for two days, and was paid up to a minute ago. */
async function fill(context: Context): Promise<void> {
  const { database } = context;
  const hostId = await ensureLocalHost(context, 'bench', '10.0.0.0/8');
  await database.transaction().execute(async (tx) => {
    const run = (text: string) => sql.raw(text.replaceAll(':host', `'${hostId}'`)).execute(tx);
    await run(`set local statement_timeout = 0`);
    await run(`insert into host_health values (:host, now(), '{}', '[]')`);
    await run(
      `insert into account select gen_random_uuid(), 'account-' || n, now() from generate_series(1, ${accounts}) n`,
    );
    await run(`insert into deployment select gen_random_uuid(), id, now() from account`);
    await run(`insert into instance (id, account_id, group_id, deployment_id, kind, name, hostname, status, status_changed_at, host_id, vcpus,
        memory_mib, image_url, ssh_keys, price_id, price_micro_usd, created_at, activated_at)
      select '0x' || lpad(to_hex(n), 40, '0'), account.id, "group".id, deployment.id, 'vm', 'vm-' || n, 'vm', 'active', now(), :host, 1, 1024,
        'https://images.example/a.img', '{}', host.price_id, ${price}, now() - interval '2 days', now() - interval '2 days'
      from generate_series(1, ${instances}) n
      join (select *, row_number() over (order by name) as ordinal from account) as account on ordinal = n % ${accounts} + 1
      join "group" on "group".account_id = account.id
      join deployment on deployment.account_id = account.id join host on host.id = :host`);
    await run(`insert into assignment (instance_id, host_id, generation, revision, desired, vcpus, memory_mib, disk_gib,
        observed_generation, observed_state, running_since)
      select id, :host, 1, 1, 'running', 1, 1024, 0, 1, 'running', now() - interval '2 days' from instance`);
    await run(`insert into bill (instance_id, account_id, host_id, period, anchor_at, price_micro_usd, paid_until, held_micro_usd,
        funds_changed_at, created_at)
      select id, account_id, :host, 'global-daily', created_at, ${price}, now() - interval '1 minute', ${price}, now(), created_at
      from instance`);
    await run(`insert into ledger_transaction select gen_random_uuid(), kind, id, null, 'bench', 'bench', now()
      from account cross join (values ('credit'), ('deposit')) as kinds (kind)`);
    await run(`insert into ledger_entry (transaction_id, book, account_id, amount_micro_usd)
      select ledger_transaction.id, book, case when book <> 'cash' then account_id end, amount
      from ledger_transaction join (select account_id, sum(held_micro_usd) as held from bill group by account_id) as sums
        using (account_id)
      cross join lateral (values ('credit', 'cash', -10 * held), ('credit', 'available', 10 * held),
        ('deposit', 'available', -held), ('deposit', 'held', held)) as entry (of_kind, book, amount)
      where of_kind = kind`);
  });
  await sql`analyze`.execute(database);
  // The host is heard of after the boundary.
  await sql`update host_health set last_seen_at = now() + interval '1 second'`.execute(database);
}

const countCharges = async (database: Database) =>
  Number((await sql<{ count: bigint }>`select count(*) as count from charge`.execute(database)).rows[0]?.count);

function closer(connectionString: string): ChildProcess {
  return spawn(process.execPath, [import.meta.filename, connectionString], { stdio: ['ignore', 'inherit', 'inherit'] });
}

const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.once('exit', () => resolve()));

async function measure(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-bench-'));
  await chmod(directory, 0o711);
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: quiet });
  const context = await contextOn(postgres.connectionString);
  const { database } = context;
  try {
    await migrate(database, join(import.meta.dirname, '../schema'));
    await fill(context);
    const began = performance.now();
    const killedAt: number[] = [];
    for (let kill = 1; kill <= kills; kill += 1) {
      const child = closer(postgres.connectionString);
      const over = ended(child);
      while ((await countCharges(database)) < (instances * kill) / (kills + 1)) await sleep(5);
      child.kill('SIGKILL');
      await over;
      killedAt.push(await countCharges(database));
    }
    await ended(closer(postgres.connectionString));
    const seconds = (performance.now() - began) / 1000;
    const { rows } = await sql<{ charged: bigint; moved: bigint }>`
      select (select count(distinct instance_id) from charge) as charged,
        (select sum(amount_micro_usd) from ledger_entry where book = 'revenue')::bigint as moved`.execute(database);
    const charges = await countCharges(database);
    const drift = await findLedgerDrift(database);
    const [row] = rows;
    const exactlyOnce =
      charges === instances && Number(row?.charged) === instances && row?.moved === BigInt(instances * price);
    const figure = { bench: 'epoch-close', instances, accounts, seconds: Number(seconds.toFixed(1)), kills, killedAt };
    process.stdout.write(`${JSON.stringify({ ...figure, exactlyOnce, ledgerDrift: drift.length })}\n`);
    if (!exactlyOnce || drift.length > 0) process.exitCode = 1;
  } finally {
    await database.destroy();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

const connectionString = process.argv[2];
if (connectionString) {
  const context = await contextOn(connectionString);
  await reconcileBilling(context);
  await context.database.destroy();
} else {
  await measure();
}
