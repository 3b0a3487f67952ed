/** The embedded PostgreSQL on real clusters: made, started, adopted, recovered, stopped. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { processIds, processWorkingDirectory } from '../../src/host/process.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import {
  collectingLogger,
  isGone,
  kill,
  killChild,
  killServers,
  query,
  scratch,
  serversIn,
  startChild,
  waitFor,
  whatItSays,
} from './embedded-scratch.ts';

const logger = collectingLogger();

test('the first start makes a cluster that keeps its promises: fsync, a role of its own, a socket only', async (t) => {
  const { directory, dataDir } = await scratch(t);
  const database = await startEmbeddedPostgres({ dataDir, logger });
  assert.equal(database.adopted, false);
  const settings: Record<string, string> = {
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    listen_addresses: '',
    data_checksums: 'on',
    server_encoding: 'UTF8',
    TimeZone: 'UTC',
    jit: 'off',
  };
  for (const [name, value] of Object.entries(settings)) {
    assert.deepEqual(await query(database.connectionString, `SHOW ${name}`), [[value]], name);
  }
  const self = 'SELECT usename, current_database(), usesuper FROM pg_user WHERE usename = current_user';
  assert.deepEqual(await query(database.connectionString, self), [['berth', 'berth', false]]);
  await query(database.connectionString, 'CREATE TABLE kept (a int)');

  const found = await stat(dataDir);
  assert.equal(found.mode & 0o777, 0o700);
  assert.equal((await stat(database.socketDir)).mode & 0o777, 0o700);
  assert.notEqual(found.uid, 0);
  assert.deepEqual(await listeningSockets(dataDir), []);
  assert.deepEqual((await readdir(directory)).sort(), ['postgres', 'postgres-socket', 'postgres-start.log']);
  await database.stop();
});

/** TCP sockets in state LISTEN that any process of the cluster holds. */
async function listeningSockets(dataDir: string): Promise<string[]> {
  const listening: string[] = [];
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (await readFile(table, 'utf8').catch(() => '')).split('\n')) {
      const fields = line.trim().split(/\s+/);
      if (fields[3] === '0A') listening.push(`socket:[${fields[9]}]`);
    }
  }
  const held: string[] = [];
  for (const pid of processIds().filter((one) => processWorkingDirectory(one) === dataDir)) {
    for (const fd of await readdir(`/proc/${pid}/fd`))
      held.push(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
  }
  assert.ok(held.some((link) => link.startsWith('socket:'))); // we do see its sockets
  return held.filter((link) => listening.includes(link));
}

test('a clean stop ends all processes, also with clients connected, and the second start finds the data', async (t) => {
  const { dataDir } = await scratch(t);
  const first = await startEmbeddedPostgres({ dataDir, logger });
  await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS a');
  const client = new Client({ connectionString: first.connectionString });
  client.on('error', () => {}); // the stop cuts it
  await client.connect();
  await Promise.all([first.stop(), first.stop()]);
  assert.deepEqual(serversIn(dataDir.replace(/\/postgres$/, '')), []);
  await assert.rejects(stat(join(dataDir, 'postmaster.pid')), { code: 'ENOENT' });

  const second = await startEmbeddedPostgres({ dataDir, logger });
  assert.equal(second.adopted, false);
  assert.equal(second.majorVersion, first.majorVersion);
  assert.deepEqual(await query(second.connectionString, 'SELECT a FROM kept'), [[42]]);
  const log = await readFile(join(dataDir, 'log', (await readdir(join(dataDir, 'log')))[0] ?? ''), 'utf8');
  assert.match(log, /database system was shut down at/);
  assert.doesNotMatch(log, /not properly shut down|automatic recovery/);
  await second.stop();
});

test('a database that outlived its killed parent is adopted as it is', async (t) => {
  const { dataDir } = await scratch(t);
  const child = startChild(t, 'start', dataDir);
  const { pid } = await whatItSays(child);
  assert.ok(pid);
  await killChild(child);
  const database = await startEmbeddedPostgres({ dataDir, logger });
  assert.equal(database.adopted, true);
  assert.equal(database.pid, pid);
  assert.deepEqual(await query(database.connectionString, 'SELECT 1'), [[1]]);
  await database.stop();
  assert.ok(isGone(pid));
});

test('a start killed at any moment leaves nothing that the next start needs help with', async (t) => {
  const { directory, dataDir } = await scratch(t);
  for (const delayMs of [100, 250, 400, 600, 800, 1_000, 1_200]) {
    const child = startChild(t, 'start', dataDir);
    await sleep(delayMs);
    await killChild(child);
  }
  const database = await startEmbeddedPostgres({ dataDir, logger });
  assert.deepEqual(await query(database.connectionString, 'SELECT 1'), [[1]]);
  assert.deepEqual((await readdir(directory)).sort(), ['postgres', 'postgres-socket', 'postgres-start.log']);
  await database.stop();
});

test('what was committed is there after kill -9 of all of PostgreSQL', async (t) => {
  const { directory, dataDir } = await scratch(t);
  const first = await startEmbeddedPostgres({ dataDir, logger });
  await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS a');
  await killServers(directory);
  await stat(join(dataDir, 'postmaster.pid')); // the stale file is what this is about
  const second = await startEmbeddedPostgres({ dataDir, logger });
  assert.equal(second.adopted, false);
  assert.deepEqual(await query(second.connectionString, 'SELECT a FROM kept'), [[42]]);
  await second.stop();
});

test('after kill -9 of the postmaster alone the start ends its busy children before it goes on', async (t) => {
  const { directory, dataDir } = await scratch(t);
  const first = await startEmbeddedPostgres({ dataDir, logger });
  const busy = new Client({ connectionString: first.connectionString });
  busy.on('error', () => {});
  await busy.connect();
  const { rows } = await busy.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const busyPid = rows[0]?.pid ?? 0;
  // It computes without ever looking whether its postmaster lives.
  const endless = busy
    .query('SELECT count(*) FROM generate_series(1, 1000000000000) a WHERE a % 2 = 3')
    .catch(() => {});
  await sleep(200);
  kill(first.pid);
  await waitFor(() => isGone(first.pid), 'the postmaster to die');
  const second = await startEmbeddedPostgres({ dataDir, logger });
  assert.equal(second.adopted, false);
  assert.ok(isGone(busyPid));
  await endless;
  assert.deepEqual(await query(second.connectionString, 'SELECT 1'), [[1]]);
  await second.stop();
  assert.deepEqual(serversIn(directory), []);
});

test('a pid file that names some other living program, or nothing, does not block the start', async (t) => {
  const { dataDir } = await scratch(t);
  const first = await startEmbeddedPostgres({ dataDir, logger });
  const pidFile = join(dataDir, 'postmaster.pid');
  const lockFile = join(first.socketDir, '.s.PGSQL.5432.lock');
  const content = await readFile(pidFile, 'utf8');
  await first.stop();
  const { uid, gid } = await stat(dataDir);
  // Of the same user, because PostgreSQL itself takes a process of another's for proof enough that its own is gone.
  const stranger = spawn('sleep', ['600'], { stdio: 'ignore', uid, gid });
  t.after(() => stranger.kill('SIGKILL'));
  await once(stranger, 'spawn');
  const misleading = content.replace(/^\d+/, String(stranger.pid));
  for (const text of [misleading, '']) {
    for (const path of [pidFile, lockFile]) await writeFile(path, text);
    const database = await startEmbeddedPostgres({ dataDir, logger });
    assert.equal(database.adopted, false);
    assert.notEqual(database.pid, stranger.pid);
    await database.stop();
  }
  assert.equal(stranger.exitCode, null);
  assert.equal(stranger.signalCode, null);
});

test('a running database whose socket was deleted is restarted', async (t) => {
  const { dataDir } = await scratch(t);
  const first = await startEmbeddedPostgres({ dataDir, logger });
  await rm(first.socketDir, { recursive: true });
  const second = await startEmbeddedPostgres({ dataDir, logger });
  assert.equal(second.adopted, false);
  assert.ok(isGone(first.pid));
  assert.deepEqual(await query(second.connectionString, 'SELECT 1'), [[1]]);
  await second.stop();
});

test('an older copy that root has put back, with the wrong owner and mode, starts', async (t) => {
  const { directory, dataDir } = await scratch(t);
  const first = await startEmbeddedPostgres({ dataDir, logger });
  await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS a');
  await first.stop();
  await cp(dataDir, join(directory, 'copy'), { recursive: true });
  await rm(dataDir, { recursive: true });
  await rename(join(directory, 'copy'), dataDir);
  await chmod(dataDir, 0o755);
  const second = await startEmbeddedPostgres({ dataDir, logger });
  assert.deepEqual(await query(second.connectionString, 'SELECT a FROM kept'), [[42]]);
  await second.stop();
});

test('paths with spaces, commas, quotes and percent signs work', async (t) => {
  const { directory } = await scratch(t);
  const dataDir = join(directory, `a b,c"d'e%41`, 'postgres');
  const database = await startEmbeddedPostgres({ dataDir, logger });
  assert.deepEqual(await query(database.connectionString, 'SELECT 1'), [[1]]);
  await database.stop();
});

test('a place that cannot work is refused with what to change', async (t) => {
  const { directory } = await scratch(t);
  const long = join(directory, 'x'.repeat(80), 'postgres');
  await assert.rejects(
    startEmbeddedPostgres({ dataDir: long, logger }),
    /bytes too long .* --data directory with a shorter/,
  );

  const full = join(directory, 'full');
  await mkdir(full);
  await writeFile(join(full, 'letters'), 'x');
  await assert.rejects(startEmbeddedPostgres({ dataDir: full, logger }), /no PostgreSQL data directory .*PG_VERSION/);

  const closed = join(directory, 'closed');
  await mkdir(join(closed, 'inner'), { recursive: true });
  await chmod(closed, 0o700);
  if (process.getuid?.() === 0) {
    const start = startEmbeddedPostgres({ dataDir: join(closed, 'inner', 'postgres'), logger });
    await assert.rejects(start, (error: Error) => error.message.includes(`"chmod o+x ${closed}"`));
  }

  const old = join(directory, 'old');
  await mkdir(old);
  await writeFile(join(old, 'PG_VERSION'), '9\n');
  await assert.rejects(startEmbeddedPostgres({ dataDir: old, logger }), /made by PostgreSQL 9, .*this machine has: /);
});

test('a server that cannot start fails with the end of its own log', async (t) => {
  const { dataDir } = await scratch(t);
  await (await startEmbeddedPostgres({ dataDir, logger })).stop();
  await writeFile(join(dataDir, 'postgresql.conf'), 'max_connections = many\n');
  await assert.rejects(
    startEmbeddedPostgres({ dataDir, logger }),
    /did not start[\s\S]*invalid value.*max_connections/,
  );
  await writeFile(join(dataDir, 'postgresql.conf'), '');
  await rm(join(dataDir, 'global', 'pg_control'));
  await assert.rejects(startEmbeddedPostgres({ dataDir, logger }), /did not start[\s\S]*pg_control/);
});

test('an aborted start leaves nothing running and nothing half made', async (t) => {
  const { directory, dataDir } = await scratch(t);
  for (const delayMs of [0, 100, 200, 300, 500, 700]) {
    const controller = new AbortController();
    const start = startEmbeddedPostgres({ dataDir, logger, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), delayMs);
    await start.then((database) => database.stop()).catch((error: Error) => assert.equal(error.message, 'enough'));
    assert.deepEqual(serversIn(directory), []);
    assert.deepEqual(
      (await readdir(directory)).filter((name) => name.includes('draft')),
      [],
    );
  }
});
