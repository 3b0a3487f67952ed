// A Docker Engine of one's own, for a demo or a test on a machine where none runs: everything of it is below one directory.
// Its containers outlive it, as those of a production Engine with live restore do.

import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processIds, processProgram, processStartTicks } from './process.ts';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const pollMs = 100;
const answerTimeoutMs = 2_000;

/** An Engine of one's own. */
export interface DockerDaemon {
  socketPath: string;
  pid: number;
  /** Stops the daemon; its containers run on, and its networks stay. */
  stop(): Promise<void>;
}

/** Whether an Engine answers at a socket. */
export function answersAt(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ask = request({ socketPath, path: '/_ping', timeout: answerTimeoutMs }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    ask.on('timeout', () => ask.destroy());
    ask.on('error', () => resolve(false));
    ask.end();
  });
}

/**
 * Starts an Engine and resolves when it answers. One that is still there from before under this directory is used.
 * @param directory short enough for a socket's path: some 80 characters
 * @throws Error with the end of what it complained about
 */
export async function startDockerDaemon(directory: string, signal?: AbortSignal): Promise<DockerDaemon> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const socketPath = join(directory, 'docker.sock');
  const pidFile = join(directory, 'docker.pid');
  if (!(await answersAt(socketPath))) {
    await rm(pidFile, { force: true });
    const log = await open(join(directory, 'dockerd.log'), 'a');
    const places = ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')];
    const child = spawn(
      'dockerd',
      // No bridge of its own: each container brings its network, and another Engine may have the usual one.
      [...places, '--pidfile', pidFile, '--host', `unix://${socketPath}`, '--bridge', 'none', '--live-restore'],
      { detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    child.unref();
    const failed = new Promise<Error>((resolve) => child.once('error', resolve));
    await log.close();
    const deadline = performance.now() + startTimeoutMs;
    while (!(await answersAt(socketPath))) {
      signal?.throwIfAborted();
      const error = await Promise.race([failed, sleep(pollMs, null)]);
      if (error) throw new Error(`dockerd can't be started: ${error.message}`);
      const hasEnded = child.exitCode !== null || performance.now() > deadline;
      if (hasEnded) throw new Error(`dockerd did not come up: ${await endOf(join(directory, 'dockerd.log'))}`);
    }
  }
  const pid = Number(await readFile(pidFile, 'utf8'));
  return { socketPath, pid, stop: () => stopProcess(pid) };
}

/**
 * Ends everything of an Engine whose containers have been removed: the daemon, and what it has left of its own.
 * @throws Error that names what can't be removed
 */
export async function removeDockerDaemon({ pid }: DockerDaemon, directory: string): Promise<void> {
  await stopProcess(pid);
  // Its containerd is a child that outlives it when it is killed; both name the directory in their arguments.
  for (const other of processIds()) {
    const isOurs = /^(containerd|containerd-shim|containerd-shim-runc-v2)$/.test(processProgram(other) ?? '');
    if (isOurs && (await argumentsOf(other)).includes(directory)) await stopProcess(other);
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

const argumentsOf = (pid: number) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');

async function stopProcess(pid: number): Promise<void> {
  const ticks = processStartTicks(pid);
  if (ticks === undefined) return;
  const end = (name: NodeJS.Signals) => {
    try {
      if (processStartTicks(pid) === ticks) process.kill(pid, name);
    } catch {
      // It has ended meanwhile.
    }
  };
  end('SIGTERM');
  const deadline = performance.now() + stopTimeoutMs;
  while (processStartTicks(pid) === ticks && performance.now() < deadline) await sleep(pollMs);
  end('SIGKILL');
}

async function endOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join(' | ');
}
