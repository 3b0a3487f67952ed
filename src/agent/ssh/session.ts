// One SSH session: a shell, a command, or file transfer, run inside the container.

import { finished } from 'node:stream/promises';
import type { PseudoTtyInfo, ServerChannel, Session, WindowChangeInfo } from 'ssh2';
import type { ContainerExec, Execution } from '../container/exec.ts';

/** What a client may set in the environment; everything else is the image's business. */
const passedOn = /^(LANG|LC_[A-Z]+)$/;
const environmentMax = 50;
const valueLengthMax = 1_024;

/** A login shell: the best one that the image has. */
const loginShell = 'if [ -x /bin/bash ]; then exec /bin/bash -l; else exec /bin/sh -l; fi';
/** Where distributions keep it. */
const sftpServers = ['/usr/lib/openssh/sftp-server', '/usr/lib/ssh/sftp-server', '/usr/libexec/sftp-server'];
const sftpMissing = 'sftp needs an sftp-server in the image; "scp -O" or "ssh ... tar" do without';

/** What a session is given. */
export interface SessionParts {
  exec: ContainerExec;
  logger: { debug(fields: object, message: string): void };
}

/** Serves one session. */
export function serveSession(session: Session, instanceId: string, { exec, logger }: SessionParts): void {
  const environment: Record<string, string> = {};
  let tty: { columns: number; rows: number; term: string } | null = null;
  let running: Execution | null = null;

  session.on('pty', (accept, _reject, { cols, rows, term }: PseudoTtyInfo & { term?: string }) => {
    tty = { columns: cols, rows, term: term || 'xterm' };
    accept?.();
  });
  session.on('window-change', (accept, _reject, { cols, rows }: WindowChangeInfo) => {
    if (tty) tty = { ...tty, columns: cols, rows };
    running?.resize(cols, rows).catch(() => {});
    accept?.();
  });
  session.on('env', (accept, _reject, { key, val }: { key: string; val: string }) => {
    const fits = passedOn.test(key) && val.length <= valueLengthMax && Object.keys(environment).length < environmentMax;
    if (fits) environment[key] = val;
    accept?.();
  });
  session.on('signal', (accept) => accept?.());

  const run = async (channel: ServerChannel, command: readonly string[]) => {
    channel.on('error', () => {});
    try {
      const execution = await exec(instanceId, { command, tty, environment });
      running = execution;
      channel.on('close', () => execution.end());
      execution.stdin.on('error', () => {});
      channel.pipe(execution.stdin);
      execution.stdout.pipe(channel, { end: false });
      execution.stderr.pipe(channel.stderr, { end: false });
      const exitCode = await execution.exitCode;
      // What was said last may still be on its way.
      await Promise.all([finished(execution.stdout), finished(execution.stderr)]);
      channel.exit(exitCode < 0 ? 255 : exitCode);
    } catch (error) {
      logger.debug({ instanceId, err: error }, 'an SSH session failed');
      channel.stderr.write('The container does not run at the moment.\r\n');
      channel.exit(255);
    }
    channel.end();
  };

  session.on('shell', (accept) => void run(accept(), ['/bin/sh', '-c', loginShell]));
  session.on('exec', (accept, _reject, { command }) => void run(accept(), ['/bin/sh', '-c', command]));
  session.on('subsystem', (accept, reject, { name }) => {
    if (name !== 'sftp') return reject();
    const tries = sftpServers.map((path) => `[ -x ${path} ] && exec ${path}`);
    void run(accept(), ['/bin/sh', '-c', `${tries.join('; ')}; echo '${sftpMissing}' >&2; exit 1`]);
  });
}
