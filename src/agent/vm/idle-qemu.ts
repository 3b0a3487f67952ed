// A QEMU without a guest: it has the disks of a VM that is off, to be read, so that a backup of them is made in the one way
// that there is. It dies with the agent.

import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { qemuProgram } from './command-line.ts';
import { Descriptors } from './descriptors.ts';
import { type DiscFiles, discNode, readOnlyNodes } from './discs.ts';
import { type Command, Qmp } from './qmp.ts';

const qmpSocketName = 'idle-qmp.sock';

/**
 * Lets somebody use a QEMU that has a disk, and ends it then.
 * @param runDirectory where it works; it belongs to `user`
 * @throws Error when it does not start, and whatever `use` throws
 */
export async function withIdleQemu<Result>(
  disc: DiscFiles,
  {
    runDirectory,
    user,
    timeoutMs,
  }: { runDirectory: string; user: { uid: number; gid: number } | null; timeoutMs: number },
  use: (command: Command, node: string) => Promise<Result>,
): Promise<Result> {
  const descriptors = new Descriptors();
  const nodes = readOnlyNodes(disc, descriptors);
  const identity = user === null ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const args = [
    ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-S'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...descriptors.arguments(),
    ...nodes.flatMap((node) => ['-blockdev', JSON.stringify(node)]),
    ...['-chardev', `socket,id=qmp,path=${qmpSocketName},server=on,wait=off`, '-mon', 'chardev=qmp,mode=control'],
  ];
  const opened: FileHandle[] = [];
  try {
    for (const { path } of descriptors.files) opened.push(await open(path, 'r'));
    const child = spawn('setpriv', [...identity, '--no-new-privs', '--pdeathsig=KILL', '--', qemuProgram, ...args], {
      cwd: runDirectory,
      stdio: ['ignore', 'ignore', 'ignore', ...opened.map(({ fd }) => fd)],
      env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin` },
    });
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    try {
      const bounds = { connectMs: timeoutMs, commandMs: timeoutMs };
      const qmp = await Qmp.connect(runDirectory, qmpSocketName, bounds, () => child.exitCode === null);
      try {
        return await use((name, given) => qmp.execute(name, given), discNode(disc.id));
      } finally {
        qmp.close();
      }
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  } finally {
    for (const handle of opened) await handle.close();
  }
}
