/** What the tests of the embedded PostgreSQL share: directories that clean up after themselves, queries, processes. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { processIds, processProgram, processStartTicks, processWorkingDirectory } from '../../src/host/process.ts';

const CHILD = join(import.meta.dirname, 'embedded-child.ts');

/** A logger that keeps what it was told. */
export function collectingLogger() {
  const messages: string[] = [];
  const keep = (message: string) => void messages.push(message);
  return { messages, info: keep, warn: keep, error: keep };
}

/** A directory whose databases are killed and whose files are removed when the test ends. */
export async function scratch(t: TestContext): Promise<{ directory: string; dataDir: string }> {
  const directory = await mkdtemp('/tmp/berth-embedded-');
  await chmod(directory, 0o755);
  t.after(async () => {
    await killServers(directory);
    await rm(directory, { recursive: true, force: true });
  });
  return { directory, dataDir: join(directory, 'postgres') };
}

/** All PostgreSQL processes on clusters below the directory. */
export function serversIn(directory: string): number[] {
  return processIds().filter(
    (pid) => processProgram(pid) === 'postgres' && processWorkingDirectory(pid)?.startsWith(`${directory}/`),
  );
}

export async function killServers(directory: string): Promise<void> {
  for (const pid of serversIn(directory)) kill(pid);
  await waitFor(() => serversIn(directory).length === 0, 'all servers to be gone');
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}

export function isGone(pid: number): boolean {
  return processStartTicks(pid) === undefined;
}

export async function waitFor(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 1_500; attempt++) {
    if (condition()) return;
    await sleep(20);
  }
  assert.fail(`waited in vain for ${what}`);
}

/** Rows of one query, each an array, over a connection of its own. */
export async function query(connectionString: string, text: string): Promise<unknown[][]> {
  const client = new Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

/** Starts embedded-child.ts, which is killed at the end of the test at the latest. */
export function startChild(t: TestContext, verb: 'start' | 'lock', directory: string): ChildProcess {
  const child = spawn(process.execPath, [CHILD, verb, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** What the child says once it has what it wanted, or an error. */
export async function whatItSays(child: ChildProcess): Promise<{ pid?: number; error?: string }> {
  assert.ok(child.stdout);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return JSON.parse(line.toString()) as { pid?: number; error?: string };
}

export async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
