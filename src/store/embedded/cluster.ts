/**
 * Makes a new database cluster, and holds the settings that a cluster runs with. A cluster appears under its final name
 * only when it is complete and on the disk: a start that is killed at any moment leaves nothing to be mended by hand.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFile, chmod, chown, mkdir, open, readdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { commandAs, type SystemUser } from '../../host/system-user.ts';
import type { PostgresBinaries } from './binaries.ts';
import { untilOrphansLeft } from './processes.ts';

const run = promisify(execFile);
/** initdb takes one to three seconds; a minute or two on a disk with slow syncs. */
const INIT_TIMEOUT_MS = 180_000;

/** Berth's database and the role that owns it: not a superuser, so that nothing said in SQL reaches the machine. */
export const DATABASE_NAME = 'berth';
/** The socket's name needs a port even where nothing listens on one. */
export const SOCKET_PORT = 5432;
const SUPERUSER_NAME = 'postgres';

/**
 * Given on the command line at every start, where neither the configuration files nor ALTER SYSTEM can change them:
 * what Berth promises (nothing lost once answered) and who may connect (who may pass the socket's directory).
 */
export function fixedSettings(socketDir: string): Record<string, string> {
  return {
    listen_addresses: '',
    port: String(SOCKET_PORT),
    // A list separated by commas; quoted, so that a path may hold one.
    unix_socket_directories: `"${socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    timezone: 'UTC',
    // Seven files, one per weekday, each begun anew after a week. `terse` leaves out rows and key values.
    logging_collector: 'on',
    log_destination: 'stderr',
    log_directory: 'log',
    log_filename: 'postgresql-%a.log',
    log_rotation_age: '1d',
    log_rotation_size: '0',
    log_truncate_on_rotation: 'on',
    log_timezone: 'UTC',
    log_error_verbosity: 'terse',
    log_min_error_statement: 'panic',
  };
}

/** Written into a new cluster's postgresql.conf, where an operator of a large machine may change them. */
const INITIAL_SETTINGS = `
# Set by Berth when it made this cluster; yours to change. What Berth relies on (fsync, the socket, the logs) it gives
# on the command line at every start.
max_connections = 100
shared_buffers = 128MB
# Berth's queries are short: compiling them costs more than it saves.
jit = off
max_wal_size = 512MB
min_wal_size = 64MB
wal_level = replica
`;

/** Only those who may pass the socket's directory get this far, and those are root and the server's own user. */
const HOST_BASED_AUTHENTICATION = 'local all all trust\n';

/**
 * Run in the new cluster before anybody can connect. What clients do wrong is told to them and not to the log, which
 * they could fill otherwise; background processes' errors still are.
 */
const FIRST_STATEMENTS = `
CREATE ROLE ${DATABASE_NAME} LOGIN;
ALTER ROLE ${DATABASE_NAME} SET log_min_messages = 'log';
CREATE DATABASE ${DATABASE_NAME} OWNER ${DATABASE_NAME};
`;

/** Only what a database process needs of our environment; no secret of the operator's shell is among it. */
export function databaseEnvironment(): Record<string, string> {
  const environment: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC' };
  // BERTH_TEST_RUN marks what a test run has started, so that the runner finds what was left running.
  for (const name of ['PATH', 'BERTH_TEST_RUN']) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/**
 * Makes a cluster with Berth's role and database at `dataDir`, which must not exist yet, owned by `user` (undefined:
 * ourselves). Throws an Error with PostgreSQL's own words when it fails; nothing is left at `dataDir` then.
 */
export async function makeCluster(options: {
  binaries: PostgresBinaries;
  dataDir: string;
  user: SystemUser | undefined;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  const { binaries, dataDir, user, signal } = options;
  const parent = dirname(dataDir);
  const draftPrefix = `${basename(dataDir)}.draft-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(draftPrefix)) await rm(join(parent, name), { recursive: true, force: true, maxRetries: 3 });
  }
  const draft = join(parent, `${draftPrefix}${randomUUID()}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    await chmod(draft, 0o700);
    if (user !== undefined) await chown(draft, user.uid, user.gid);
    const form = ['--encoding=UTF8', '--locale=C', '--data-checksums', '--auth=trust', '--no-instructions'];
    await runTool(binaries, 'initdb', ['-D', draft, '-U', SUPERUSER_NAME, ...form], user, signal);
    await appendFile(join(draft, 'postgresql.conf'), INITIAL_SETTINGS);
    await writeFile(join(draft, 'pg_hba.conf'), HOST_BASED_AUTHENTICATION);
    const single = ['--single', '-D', draft, '-c', 'exit_on_error=on', 'postgres'];
    await runTool(binaries, 'postgres', single, user, signal, FIRST_STATEMENTS);
    for (const name of ['postgresql.conf', 'pg_hba.conf']) await syncPath(join(draft, name));
    await rename(draft, dataDir);
    await syncPath(parent);
  } catch (error) {
    // What initdb has started outlives it for a moment, and would go on writing to what is removed here.
    await untilOrphansLeft(join(await realpath(parent), basename(draft)), () => {});
    await rm(draft, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

async function runTool(
  binaries: PostgresBinaries,
  tool: string,
  toolArguments: string[],
  user: SystemUser | undefined,
  signal: AbortSignal | undefined,
  input?: string,
): Promise<void> {
  const { file, args } = commandAs(user, join(binaries.binDir, tool), toolArguments);
  const child = run(file, args, {
    cwd: '/',
    env: databaseEnvironment(),
    timeout: INIT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  const ended = new Promise<void>((resolve) => child.child.once('exit', () => resolve()));
  child.child.stdin?.on('error', () => {}); // it may end before it has read all; its exit code tells
  child.child.stdin?.end(input ?? '');
  await child.catch(async (error: Error & { stderr?: string }) => {
    // Called off, it is told at once, and ends a moment later.
    if (child.child.pid !== undefined) await ended;
    signal?.throwIfAborted();
    const words = (error.stderr ?? '').trim().split('\n').slice(-10).join('\n');
    throw new Error(`The database could not be made: ${tool} (PostgreSQL ${binaries.version}) failed: ${words}`, {
      cause: error,
    });
  });
}

/** Hands a cluster that was copied or restored by root over to the database's user, as PostgreSQL insists. */
export async function handOver(dataDir: string, user: SystemUser): Promise<void> {
  const args = ['--recursive', '--no-dereference', `${user.uid}:${user.gid}`, '--', dataDir];
  await run('chown', args, { timeout: INIT_TIMEOUT_MS });
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
