// A host's reach and hardware as its reports make them, on a real database and a clock that the test sets.

import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { HostHardware } from '../../src/api/agent/contract/inventory.ts';
import { ensureLocalHost } from '../../src/app/bootstrap.ts';
import type { Context } from '../../src/app/context.ts';
import { isReadyToDeploy, noteHealth } from '../../src/app/host.ts';
import { MarketView } from '../../src/app/market.ts';
import { readSettings } from '../../src/app/settings.ts';
import { lockedVault } from '../../src/app/vault.ts';
import { Wakeups } from '../../src/app/wakeups.ts';
import { systemEntropy } from '../../src/compose/system.ts';
import { reconcileHostHealth } from '../../src/reconcilers/host-health.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate } from '../../src/store/migrate.ts';
import { calm, roomy, startTestBerth } from '../support/berth.ts';
import { placeDatabase } from '../support/template.ts';

const schema = join(import.meta.dirname, '../../schema');
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const undo: (() => Promise<unknown>)[] = [];
let database: Database;
let now = new Date('2026-03-01T12:00:00Z');

/** One server's context; several stand for several servers on one database. */
async function server(): Promise<Context> {
  return {
    database,
    clock: { now: () => now },
    entropy: systemEntropy,
    logger: silent,
    settings: await readSettings('/nowhere/settings.json'),
    wakeups: new Wakeups(async () => {}),
    market: new MarketView(database),
    vault: lockedVault,
    allowedImageHosts: new Set(),
    allowedCallbackHosts: new Set(),
    publicUrl: 'http://127.0.0.1:1',
  };
}

before(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-health-'));
  await chmod(directory, 0o755);
  undo.push(() => rm(directory, { recursive: true, force: true }));
  undo.push(await placeDatabase(join(directory, 'postgres')));
  const postgres = await startEmbeddedPostgres({ dataDir: join(directory, 'postgres'), logger: silent });
  undo.push(() => postgres.stop());
  database = openDatabase(postgres.connectionString, () => {});
  undo.push(() => database.destroy());
  await migrate(database, schema);
});
after(async () => {
  for (const step of undo.reverse()) await step();
});

const hardware: HostHardware = {
  cpu: {
    manufacturer: 'AMD',
    brand: 'EPYC',
    architecture: 'Zen',
    generation: '2',
    model: 'AMD EPYC 7702P 64-Core Processor',
    cores: 64,
    threads: 128,
  },
  memory: { type: 'DDR', generation: '4' },
  disks: [],
  addresses: [],
};
const older = { cores: 8, memoryMib: 16_384, diskGib: 500, storageType: 'SSD' as const, cpuModel: 'AMD EPYC' };
const inventory = { ...older, hardware };

/** Lets time pass as a server's own clock sees it: a pass of the reconciler every 2 s. */
async function pass(context: Context, seconds: number, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  for (let second = 0; second < seconds; second += 2) {
    now = new Date(now.getTime() + 2_000);
    await meanwhile();
    await reconcileHostHealth(context);
  }
}

const row = (id: string) => database.selectFrom('host').where('id', '=', id).selectAll().executeTakeFirstOrThrow();
const kinds = async (id: string) =>
  (await database.selectFrom('event').where('host_id', '=', id).orderBy('id').select('kind').execute()).map(
    ({ kind }) => kind,
  );

test('a host is in reach from its first report until 20 s of silence, and again from the next report', async () => {
  const context = await server();
  const id = await ensureLocalHost(context, 'first', '127.46.1.0/24');
  await pass(context, 30);
  assert.equal((await row(id)).reachable, false, 'it was never seen');
  assert.equal(await isReadyToDeploy(context), false);
  assert.deepEqual(await kinds(id), []);
  await noteHealth(context, id, inventory, []);
  assert.equal((await row(id)).reachable, true);
  assert.equal(await isReadyToDeploy(context), true);
  await pass(context, 18);
  assert.equal((await row(id)).reachable, true);
  await pass(context, 4);
  const gone = await row(id);
  assert.deepEqual([gone.reachable, gone.reachable_changed_at], [false, now]);
  assert.equal(await isReadyToDeploy(context), false);
  await pass(context, 60);
  await noteHealth(context, id, inventory, []);
  assert.equal((await row(id)).reachable, true);
  assert.deepEqual(await kinds(id), ['host.reachable', 'host.unreachable', 'host.reachable']);
});

test('a report that says nothing new does not write the host', async () => {
  const context = await server();
  const id = await ensureLocalHost(context, 'second', '127.46.2.0/24');
  await noteHealth(context, id, inventory, []);
  const before = await row(id);
  await pass(context, 60, () => noteHealth(context, id, inventory, []));
  assert.equal((await row(id)).changed_xid, before.changed_xid);
  assert.deepEqual(await kinds(id), ['host.reachable']);
});

test("hosts are what they report, with the operator's word over it; what older agents do not tell is unknown", async () => {
  const context = await server();
  const id = await ensureLocalHost(context, 'third', '127.46.3.0/24');
  await noteHealth(context, id, older, []);
  const unknown = { manufacturer: null, brand: null, architecture: null, generation: null };
  assert.deepEqual((await row(id)).hardware, {
    cpu: { ...unknown, model: 'AMD EPYC' },
    memory: { type: null, generation: null },
    storage: { type: 'SSD' },
  });
  const overrides = JSON.stringify({ cpu: { generation: '3' }, storage: { type: 'HDD' } });
  await database.updateTable('host').set({ hardware_overrides: overrides }).where('id', '=', id).execute();
  await noteHealth(context, id, inventory, []);
  const { cores: _cores, threads: _threads, ...cpu } = hardware.cpu;
  assert.deepEqual((await row(id)).hardware, {
    cpu: { ...cpu, generation: '3' },
    memory: { type: 'DDR', generation: '4' },
    storage: { type: 'HDD' },
  });
});

test("a server that was down, or cut off, or whose clock was set, does not take that for its hosts' silence", async () => {
  const context = await server();
  const id = await ensureLocalHost(context, 'fourth', '127.46.4.0/24');
  await noteHealth(context, id, inventory, []);
  await pass(context, 4, () => noteHealth(context, id, inventory, []));
  now = new Date(now.getTime() + 3_600_000);
  const restarted = await server();
  await pass(restarted, 18);
  assert.equal((await row(id)).reachable, true, 'the first server after an hour of none');
  await noteHealth(restarted, id, inventory, []);
  await pass(restarted, 10);
  now = new Date(now.getTime() + 86_400_000);
  await pass(restarted, 18);
  assert.equal((await row(id)).reachable, true, 'a clock that jumped');
  await pass(restarted, 6);
  assert.equal((await row(id)).reachable, false, 'but it is given one such time only');
  await noteHealth(restarted, id, inventory, []);
  now = new Date(now.getTime() + 18_000);
  await pass(restarted, 18);
  assert.equal((await row(id)).reachable, true, 'a pause is given back as long as it was');
  await pass(restarted, 4);
  assert.equal((await row(id)).reachable, false, 'and no longer');
});

test("the agents' API takes reports without the newer fields, and refuses hardware without bounds", async (t) => {
  const berth = await startTestBerth({ agent: { behaviour: calm, capacity: roomy }, addressPool: '127.46.5.0/24' });
  t.after(() => berth.close());
  const enrol = (changes: object) => {
    const said = { acceleration: 'tcg', accelerationReason: '', hypervisor: 'qemu', agentVersion: '0.1.0' };
    return berth.call('POST', '/agent/v1/enrol', { token: 'wrong', inventory: { ...older, ...said, ...changes } });
  };
  assert.equal((await enrol({})).status, 401, 'the token is what is wrong with it');
  assert.equal((await enrol({ hardware })).status, 401);
  const addresses = Array.from({ length: 257 }, (_, index) => `192.0.2.${index % 256}`);
  assert.equal((await enrol({ hardware: { ...hardware, addresses } })).status, 400);
  const cpu = { ...hardware.cpu, model: 'x'.repeat(101) };
  assert.equal((await enrol({ hardware: { ...hardware, cpu } })).status, 400);
});
