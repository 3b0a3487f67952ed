// Where a QEMU writes a backup to: a file that a program of its own serves to it over a socket, since QEMU opens no paths. The
// program runs as the VM's user with the file as an open descriptor, and dies with the agent.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { chown, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exists } from './home.ts';

/** A served file. */
export interface BackupTarget {
  /** The socket's name in the directory that QEMU works in. */
  socket: string;
  /** Waits for the program's end, after QEMU has hung up; what was written is on the disk then. */
  finish(): Promise<void>;
  /** Ends the program, whatever QEMU does. */
  abort(): Promise<void>;
}

const program = 'qemu-nbd';
const startTimeoutMs = 10_000;
const startPollMs = 10;
/** It writes down what it still holds, then ends; a slow disk stretches that. */
const finishTimeoutMs = 60_000;

/**
 * Serves a qcow2 file to one QEMU.
 * @param runDirectory where QEMU works, and the socket appears
 * @throws Error when the program does not start
 */
export async function serveTarget(
  path: string,
  runDirectory: string,
  socket: string,
  user: { uid: number; gid: number } | null,
): Promise<BackupTarget> {
  const readyFile = `${socket}.pid`;
  for (const name of [socket, readyFile]) await rm(join(runDirectory, name), { force: true });
  // The descriptor is opened once more through /proc, which asks who owns the file.
  if (user !== null) await chown(path, user.uid, user.gid);
  const file = await open(path, constants.O_RDWR);
  const identity = user === null ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const confined = [...identity, '--no-new-privs', '--pdeathsig=KILL', '--', program];
  const here = (name: string) => `/proc/self/cwd/${name}`;
  const served = ['--format=qcow2', '--discard=unmap', '--cache=writeback', '--socket', here(socket)];
  const child = spawn('setpriv', [...confined, ...served, '--pid-file', here(readyFile), '/proc/self/fd/3'], {
    cwd: runDirectory,
    stdio: ['ignore', 'ignore', 'ignore', file.fd],
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin` },
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve()); // there is no such program
  });
  const end = async (timeoutMs: number) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    await ended;
    clearTimeout(timer);
    if (user !== null) await chown(path, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  };
  await once(child, 'spawn').finally(() => file.close());
  // Not by a connection: the first one is the one that it serves. Nor by the socket, which is there before it listens.
  for (const deadline = performance.now() + startTimeoutMs; !(await exists(join(runDirectory, readyFile))); ) {
    const isOver = child.exitCode !== null || child.signalCode !== null || performance.now() > deadline;
    if (isOver) await end(0);
    if (isOver) throw new Error(`${program} does not serve ${path}.`);
    await sleep(startPollMs);
  }
  await rm(join(runDirectory, readyFile), { force: true });
  return {
    socket,
    async finish() {
      await end(finishTimeoutMs);
      const written = await open(path, constants.O_RDWR);
      await written.sync().finally(() => written.close());
    },
    abort: () => end(0),
  };
}
