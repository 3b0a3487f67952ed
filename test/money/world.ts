// Money on a real database without waiting: the use cases and reconcilers of two replicas, a clock that the test sets, and
// a host whose reports the test writes. Only what lies below the report is left out.

import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Principal } from '../../src/app/authenticate.ts';
import { ensureConfigurations, ensureLocalHost } from '../../src/app/bootstrap.ts';
import type { Context } from '../../src/app/context.ts';
import { type Deployed, deploy } from '../../src/app/deployment.ts';
import { pollAssignments } from '../../src/app/host.ts';
import { listInstances } from '../../src/app/instance.ts';
import { deleteInstances } from '../../src/app/instance-end.ts';
import { creditAccount } from '../../src/app/ledger.ts';
import { MarketView } from '../../src/app/market.ts';
import { acceptReport } from '../../src/app/report.ts';
import { readSettings } from '../../src/app/settings.ts';
import { KeyVault } from '../../src/app/vault.ts';
import { Wakeups } from '../../src/app/wakeups.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import type { BillingPeriod } from '../../src/model/billing-period.ts';
import { gibTaken } from '../../src/model/configuration.ts';
import { noConstraints } from '../../src/model/constraints.ts';
import { findDrift } from '../../src/model/drift.ts';
import { reconcileBilling } from '../../src/reconcilers/billing.ts';
import { ensureAccount } from '../../src/store/account.ts';
import { type Database, inTransaction, openDatabase } from '../../src/store/database.ts';
import { findLedgerDrift, readFacts } from '../../src/store/drift.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { readBalance } from '../../src/store/ledger.ts';
import { migrate } from '../../src/store/migrate.ts';
import { keys } from '../api/support.ts';
import { placeDatabase } from '../support/template.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** What an instance of {@link MoneyWorld.deploy} costs an epoch. */
export const price = 135_000n;

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const fields = {
  ...{ additionalStorage: 'a', storage: 's', countries: 'c', instances: 'i', name: 'n', hostname: 'h', imageUrl: 'u' },
  ...{ sshKeys: 'k', portRules: 'p' },
};

const otherStates = { absent: 'gone', off: 'off' } as const;

/** A market of one host, its customers, and time. */
export class MoneyWorld {
  now = new Date('2026-03-01T12:00:00Z');
  /** Since when each instance runs in truth; null for one that can't be started, absent for one that runs since it was seen. */
  readonly runs = new Map<string, Date | null>();
  readonly replicas: Context[];
  /** For further servers, in processes of their own. */
  readonly connectionString: string;
  readonly #directory: string;
  readonly #stop: () => Promise<void>;
  #hostId = '';

  private constructor(directory: string, connectionString: string, replicas: Context[], stop: () => Promise<void>) {
    this.#directory = directory;
    this.connectionString = connectionString;
    this.replicas = replicas;
    this.#stop = stop;
  }

  /** Starts a database and opens the market. */
  static async start(): Promise<MoneyWorld> {
    const directory = await mkdtemp(join(tmpdir(), 'berth-money-'));
    await chmod(directory, 0o711);
    const removeDatabase = await placeDatabase(join(directory, 'postgres'));
    const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: quiet });
    const databases = [1, 2].map(() => openDatabase(postgres.connectionString, () => {}));
    const settings = await readSettings('');
    const replicas = databases.map(
      (database): Context => ({
        ...{ database, entropy: systemEntropy, logger: quiet, settings, wakeups: new Wakeups(async () => {}) },
        ...{
          market: new MarketView(database),
          vault: new KeyVault(systemEntropy.bytes(32), systemEntropy),
          allowedImageHosts: new Set<string>(),
          allowedCallbackHosts: new Set<string>(),
          publicUrl: '',
        },
        clock: { now: () => world.now },
      }),
    );
    const world: MoneyWorld = new MoneyWorld(directory, postgres.connectionString, replicas, async () => {
      for (const database of databases) await database.destroy();
      await postgres.stop();
      await removeDatabase();
    });
    await migrate(world.database, join(import.meta.dirname, '../../schema'));
    await ensureConfigurations(world.context);
    world.#hostId = await ensureLocalHost(world.context, 'host', '127.49.0.0/16');
    await world.report();
    return world;
  }

  /** The first replica. */
  get context(): Context {
    return this.replicas[0] as Context;
  }

  get database(): Database {
    return this.context.database;
  }

  get hostId(): string {
    return this.#hostId;
  }

  /** Sets how deployments from now on are billed. */
  bill(period: BillingPeriod, graceHours = 24): void {
    for (const replica of this.replicas) {
      replica.settings = { ...replica.settings, billing: { ...replica.settings.billing, period, graceHours } };
    }
  }

  /** An account with this much. */
  async account(amount: bigint): Promise<Principal> {
    const name = `account-${randomUUID().slice(0, 8)}`;
    const { id: accountId } = await inTransaction(this.database, (tx) =>
      ensureAccount(tx, { id: randomUUID(), name, now: this.now }),
    );
    if (amount > 0n) await creditAccount(this.context, accountId, amount, 'test', 'test');
    return { accountId, accountName: name, actor: 'key:test', scope: 'full' };
  }

  /** Deploys instances of the smallest configuration, which cost {@link price} each. */
  async deploy(principal: Principal, instances = 1): Promise<Deployed[]> {
    const request = {
      constraints: { ...noConstraints, configuration: 'cpu-1-ram-1gb-storage-5gb' },
      ...{
        instances,
        name: `vm-${randomUUID().slice(0, 8)}`,
        hostname: null,
        imageUrl: 'https://images.example/a.img',
      },
      ...{ sshKeys: [keys.ed25519], portRules: [] },
    };
    return deploy(this.context, principal, request, fields);
  }

  /** Deletes instances. */
  async delete(principal: Principal, ids: readonly string[]): Promise<void> {
    await deleteInstances(this.context, principal, ids, 'ids');
    await this.report();
  }

  /** The host tells what it has: everything it was told to run runs, but for what {@link runs} says otherwise. */
  async report(): Promise<void> {
    const { assignments } = await pollAssignments(
      this.context,
      this.#hostId,
      undefined,
      0,
      new AbortController().signal,
    );
    const instances = assignments.map(({ instanceId, generation, desired, vm, container }) => {
      const { address = null, vcpus = 0, memoryMib = 0 } = vm ?? container ?? {};
      const diskGib = vm ? gibTaken(vm.disks.map(({ sizeMib }) => sizeMib)) : (container?.diskGib ?? 0);
      if (desired === 'off') this.runs.delete(instanceId);
      if (desired === 'running' && !this.runs.has(instanceId)) this.runs.set(instanceId, this.now);
      const since = this.runs.get(instanceId);
      const state = desired !== 'running' ? otherStates[desired] : since ? ('running' as const) : ('failed' as const);
      const runningMs = since && state === 'running' ? this.now.getTime() - since.getTime() : null;
      const reason = state === 'failed' ? 'The test says so.' : null;
      const disks = vm?.disks ?? [];
      const backups = {
        ...{ ready: disks.flatMap((disk) => disk.backups ?? []), failed: [] },
        erased: disks.flatMap((disk) => disk.eraseBackups ?? []),
      };
      const size = { vcpus, memoryMib, diskGib };
      return { instanceId, generation, state, reason, restarts: 0, address, ...size, runningMs, backups };
    });
    const inventory = {
      ...{ cores: 1000, memoryMib: 4_000_000, diskGib: 1_000_000 },
      ...{ storageType: 'NVMe' as const, cpuModel: 'none' },
      containerEngine: { name: 'test', version: '1', storageDriver: 'none', diskQuota: true },
    };
    await acceptReport(this.context, this.#hostId, { inventory, complete: true, instances, events: [], strays: [] });
  }

  /** One pass of billing on both replicas at once. */
  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => reconcileBilling(replica)));
  }

  /** Lets time pass in steps, with the host reporting and the replicas billing after each. */
  async pass(ms: number, stepMs: number): Promise<void> {
    for (const end = this.now.getTime() + ms; this.now.getTime() < end; ) {
      this.now = new Date(Math.min(end, this.now.getTime() + stepMs));
      await this.report();
      await this.close();
    }
  }

  /** An account's instances as its owner sees them. */
  list(principal: Principal) {
    return listInstances(this.context, principal);
  }

  /** What an account has. */
  balance({ accountId }: Principal) {
    return readBalance(this.database, accountId);
  }

  /** What kinds of events an instance has had. */
  async events(instanceId: string): Promise<string[]> {
    const rows = await this.database
      .selectFrom('event')
      .where('instance_id', '=', instanceId)
      .select('kind')
      .orderBy('id')
      .execute();
    return rows.map(({ kind }) => kind);
  }

  /** Everything that does not agree. */
  async drift() {
    return [...findDrift(await readFacts(this.database)), ...(await findLedgerDrift(this.database))];
  }

  /** Stops everything. */
  async end(): Promise<void> {
    await this.#stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
