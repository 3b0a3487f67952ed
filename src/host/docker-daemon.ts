// A Docker Engine of one's own, for a demo or a test on a machine where none runs: everything of it is below one directory.
// Its containers outlive it, as those of a production Engine with live restore do, and go with it when it is removed.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, open, readFile, readlink, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { processIds, processProgram, processStartTicks } from './process.ts';

const execute = promisify(execFile);
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

/**
 * How far the network of an Engine's containers reaches. `internet`: Docker puts its rules into the machine's packet filter.
 * `machine`: the filter stays as it is; published ports are answered, and nothing gets out.
 */
export type DockerReach = 'internet' | 'machine';

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
 * @param reach left out: `internet` where no other Engine runs. A starting one empties Docker's chains in the packet filter,
 *   which all Engines of a machine share: published ports and the isolation of the others would be gone
 * @throws Error with the end of what it complained about
 */
export async function startDockerDaemon(
  directory: string,
  signal?: AbortSignal,
  reach?: DockerReach,
): Promise<DockerDaemon> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const socketPath = join(directory, 'docker.sock');
  const pidFile = join(directory, 'docker.pid');
  let child: ChildProcess | undefined;
  let failure = '';
  if ((await runningDaemon(pidFile, directory)) === undefined) {
    await removeStaleNumbers(directory);
    child = await spawnDaemon(directory, reach ?? ((await otherEngineRuns()) ? 'machine' : 'internet'));
    child.once('error', (error) => {
      failure = `dockerd can't be started: ${error.message}`;
    });
    child.once('exit', () => {
      failure = 'dockerd has ended';
    });
  }
  try {
    const deadline = performance.now() + startTimeoutMs;
    while (!(await answersAt(socketPath))) {
      signal?.throwIfAborted();
      if (performance.now() > deadline) failure = `dockerd did not answer within ${startTimeoutMs / 1000} s`;
      if (failure !== '') throw new Error(`${failure}: ${await endOf(join(directory, 'dockerd.log'))}`);
      await sleep(pollMs);
    }
  } catch (error) {
    if (child?.pid !== undefined) await stopProcess(child.pid);
    throw error;
  }
  const pid = Number(await readFile(pidFile, 'utf8'));
  return { socketPath, pid, stop: () => stopProcess(pid) };
}

/**
 * Removes an Engine: its containers and networks, the daemon, and all of its files. One that has been killed is started for
 * it once more, since nobody else can tell what is its own.
 * @param reach as it was started with
 */
export async function removeDockerDaemon(directory: string, reach?: DockerReach): Promise<void> {
  const { socketPath, pid } = await startDockerDaemon(directory, undefined, reach);
  const docker = new Docker({ socketPath });
  const deadline = performance.now() + stopTimeoutMs;
  for (;;) {
    const containers = await docker.listContainers({ all: true });
    if (containers.length === 0) break;
    const removals = containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true, v: true }));
    // One that is being removed already is refused, and gone a moment later.
    const [failed] = (await Promise.allSettled(removals)).filter(({ status }) => status === 'rejected');
    if (failed && performance.now() > deadline) throw (failed as PromiseRejectedResult).reason;
    if (failed) await sleep(pollMs);
  }
  for (const { Id, Driver } of await docker.listNetworks()) {
    if (Driver === 'bridge') await docker.getNetwork(Id).remove();
  }
  await stopProcess(pid);
  // Its containerd is a child that outlives it when it is killed.
  const own = /^(containerd|containerd-shim|containerd-shim-runc-v2)$/;
  for (const other of processIds()) {
    const isOurs = own.test(processProgram(other) ?? '') && (await argumentsOf(other)).includes(`${directory}/`);
    if (isOurs) await stopProcess(other);
  }
  // A daemon unmounts what it has mounted itself, and not what one before it has that was killed. Lazily, since the kernel may
  // take a moment to let go of what ended processes had open.
  for (const mount of (await mountsBelow(directory)).reverse()) await execute('umount', ['--lazy', mount]);
  await rm(directory, { recursive: true, force: true });
}

async function spawnDaemon(directory: string, reach: DockerReach): Promise<ChildProcess> {
  const log = await open(join(directory, 'dockerd.log'), 'a');
  const places = [
    ...['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')],
    ...['--pidfile', join(directory, 'docker.pid'), '--host', `unix://${join(directory, 'docker.sock')}`],
  ];
  // No bridge of its own: each container brings its network, and another Engine may have the usual one.
  const network = ['--bridge', 'none', ...(reach === 'machine' ? ['--iptables=false', '--ip-forward=false'] : [])];
  const child = spawn('dockerd', [...places, ...network, '--live-restore'], {
    detached: true,
    // So that it can be told whose it is.
    cwd: directory,
    // Its containerd writes down what it was doing when it is told to stop, and nobody would look for that elsewhere.
    env: { ...process.env, TMPDIR: directory },
    stdio: ['ignore', log.fd, log.fd],
  });
  child.unref();
  await log.close();
  return child;
}

/** The daemon of a directory: its process may be there, and not answer yet. */
async function runningDaemon(pidFile: string, directory: string): Promise<number | undefined> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  const isOurs = pid > 0 && processProgram(pid) === 'dockerd' && (await argumentsOf(pid)).includes(`${directory}/`);
  return isOurs && processStartTicks(pid) !== undefined ? pid : undefined;
}

/**
 * Forgets the processes of a daemon that was killed. Their numbers may be another's by now, and even a dead process that
 * nobody has waited for is one that dockerd takes to be running: it would wait for an answer of its containerd.
 */
async function removeStaleNumbers(directory: string): Promise<void> {
  await rm(join(directory, 'docker.pid'), { force: true });
  const containerdFile = join(directory, 'exec/containerd/containerd.pid');
  const pid = Number(await readFile(containerdFile, 'utf8').catch(() => ''));
  const isThere = pid > 0 && processStartTicks(pid) !== undefined && processProgram(pid) === 'containerd';
  if (!isThere) await rm(containerdFile, { force: true });
}

/** Whether an Engine shares this machine's packet filter. */
async function otherEngineRuns(): Promise<boolean> {
  const ours = await networkOf('self');
  for (const pid of processIds()) {
    if (processProgram(pid) === 'dockerd' && (await networkOf(pid)) === ours) return true;
  }
  return false;
}

const networkOf = (pid: number | 'self') => readlink(`/proc/${pid}/ns/net`).catch(() => '');

async function mountsBelow(directory: string): Promise<string[]> {
  const lines = (await readFile('/proc/mounts', 'utf8')).split('\n');
  return lines.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${directory}/`));
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
