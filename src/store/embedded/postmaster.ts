// The server process of a cluster: find it, start it, wait for it, stop it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { identifyProcess, isAlive, type ProcessIdentity, signalProcess } from '../../host/process.ts';
import { commandAs, type SystemUser } from '../../host/system-user.ts';
import type { PostgresBinaries } from './binaries.ts';
import { databaseEnvironment, fixedSettings, SOCKET_PORT } from './cluster.ts';
import { POLL_MS, serverProcess, untilOrphansLeft } from './processes.ts';

/** A server that says it is ready, yet has no socket for so long, has lost it: somebody cleaned its directory up. */
const DEAF_AFTER_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** A fast shutdown writes one checkpoint. */
const FAST_STOP_MS = 30_000;
/** An immediate one writes nothing; PostgreSQL itself kills what is left after 5 s. */
const IMMEDIATE_STOP_MS = 15_000;

/** The pid file's name inside the cluster. */
const PID_FILE = 'postmaster.pid';
/** The pid file's eighth line. */
const STATUS_LINE = 7;

export type Postmaster = ProcessIdentity;

/** The living server that the cluster's pid file names; `dataDir` without symbolic links. */
async function findPostmaster(dataDir: string): Promise<Postmaster | undefined> {
  const pid = Number((await readPidFile(dataDir))[0]);
  return Number.isInteger(pid) && pid > 0 ? serverProcess(pid, dataDir) : undefined;
}

async function readPidFile(dataDir: string): Promise<string[]> {
  const text = await readFile(join(dataDir, PID_FILE), 'utf8').catch(() => '');
  return text.split('\n').map((line) => line.trim());
}

/** The cluster's living server, if there is one. If not, what a killed one has left behind is gone when this resolves. */
export async function findPostmasterOrSettle(
  dataDir: string,
  warn: (message: string) => void,
): Promise<Postmaster | undefined> {
  let postmaster: Postmaster | undefined;
  await untilOrphansLeft(dataDir, warn, async () => {
    postmaster = await findPostmaster(dataDir);
    return postmaster !== undefined;
  });
  return postmaster;
}

/**
 * Removes the pid files that would keep PostgreSQL from starting although nothing runs: those that a crash left empty,
 * and those whose number some other program has by now. The rest is left to PostgreSQL, which knows stale ones itself
 * and checks the shared memory too. Only for a cluster without any living process.
 */
export async function removeMisleadingPidFiles(dataDir: string, socketDir: string): Promise<void> {
  for (const path of [join(dataDir, PID_FILE), join(socketDir, `.s.PGSQL.${SOCKET_PORT}.lock`)]) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const pid = Number.parseInt(text, 10);
    if (Number.isNaN(pid) || identifyProcess(pid) !== undefined) await rm(path, { force: true });
  }
}

/**
 * Starts a server in a session of its own, so that neither our Ctrl-C nor our death reaches it. What it says before its
 * log file is open goes to `startLog`. Returns at once; `onExit` is called if it ends while we live.
 */
export async function launchPostmaster(options: {
  binaries: PostgresBinaries;
  dataDir: string;
  socketDir: string;
  startLog: string;
  user: SystemUser | undefined;
  onExit: (what: string) => void;
}): Promise<Postmaster | undefined> {
  const settings = Object.entries(fixedSettings(options.socketDir)).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
  const program = join(options.binaries.binDir, 'postgres');
  const { file, args } = commandAs(options.user, program, ['-D', options.dataDir, ...settings]);
  const log = await open(options.startLog, 'w', 0o600);
  try {
    const child = spawn(file, args, {
      cwd: '/',
      env: databaseEnvironment(),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    child.on('exit', (code, signal) => options.onExit(signal ?? `exit code ${code}`));
    await once(child, 'spawn');
    child.unref();
    return child.pid === undefined ? undefined : identifyProcess(child.pid);
  } finally {
    await log.close();
  }
}

/**
 * Waits until the server answers a query. `ended`: it has exited; `deaf`: it says that it is ready, but its socket is
 * gone. Throws the last connection error after `timeoutMs`, or the signal's reason.
 */
export async function waitUntilReady(options: {
  postmaster: Postmaster;
  dataDir: string;
  connectionString: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}): Promise<'ready' | 'ended' | 'deaf'> {
  const startMs = performance.now();
  let lastError: unknown;
  while (performance.now() - startMs < options.timeoutMs) {
    options.signal?.throwIfAborted();
    if (!isAlive(options.postmaster)) return 'ended';
    try {
      await queryOnce(options.connectionString);
      return 'ready';
    } catch (error) {
      lastError = error;
      const code = (error as { code?: string }).code;
      if (code === '53300') return 'ready'; // too many clients: very much alive
      if (code === '3D000' || code === '28000') throw error; // no such database or role: waiting does not help
      const noSocket = code === 'ENOENT' || code === 'ECONNREFUSED';
      if (noSocket && performance.now() - startMs > DEAF_AFTER_MS) {
        if ((await readPidFile(options.dataDir))[STATUS_LINE] === 'ready') return 'deaf';
      }
    }
    await sleep(POLL_MS);
  }
  throw lastError;
}

async function queryOnce(connectionString: string): Promise<void> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => {}); // said by connect() or query() too
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => {});
  }
}

/**
 * Stops a server cleanly: it ends its connections, writes a checkpoint and exits. One that does not within the bound is
 * ended at once; the next start then recovers from the log, and nothing is lost. Throws if it outlives that too.
 */
export async function stopPostmaster(postmaster: Postmaster): Promise<void> {
  for (const [signal, boundMs] of [
    ['SIGINT', FAST_STOP_MS],
    ['SIGQUIT', IMMEDIATE_STOP_MS],
  ] as const) {
    signalProcess(postmaster, signal);
    const deadlineMs = performance.now() + boundMs;
    while (performance.now() < deadlineMs) {
      if (!isAlive(postmaster)) return;
      await sleep(POLL_MS);
    }
  }
  throw new Error(`PostgreSQL (process ${postmaster.pid}) does not stop: is its disk still answering?`);
}
