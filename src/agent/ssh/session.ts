// One SSH session: a shell, a command, or file transfer, run inside the container.

import { finished } from 'node:stream/promises';
import type { PseudoTtyInfo, ServerChannel, Session, WindowChangeInfo } from 'ssh2';
import { type ContainerExec, type Execution, loginShell } from '../container/exec.ts';
import { DriverFailure } from '../driver.ts';

/** What a client may set in the environment; everything else is the image's business. */
const passedOn = /^(LANG|LC_[A-Z]+)$/;
const environmentMax = 50;
const valueLengthMax = 1_024;

/** Where distributions keep it. */
const sftpServers = ['/usr/lib/openssh/sftp-server', '/usr/lib/ssh/sftp-server', '/usr/libexec/sftp-server'];
const sftpMissing = 'sftp needs an sftp-server in the image; "scp -O" or "ssh ... tar" do without';

/** What OpenSSH says of a command of which it does not know how it ended. */
const noExitCode = 255;

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

  const run = async (channel: ServerChannel | undefined, command: readonly string[]) => {
    // A session runs one command; ssh2 gives no channel for a second.
    if (!channel) return;
    let isGone = false;
    channel.on('error', () => {});
    channel.once('close', () => {
      isGone = true;
      running?.end();
    });
    try {
      running = await exec(instanceId, { command, tty, environment });
      if (isGone) running.end();
      const { stdin, stdout, stderr, exitCode } = running;
      stdin.on('error', () => {});
      channel.pipe(stdin);
      stdout.pipe(channel, { end: false });
      stderr.pipe(channel.stderr, { end: false });
      const code = await exitCode;
      // What was said last may still be on its way.
      await Promise.all([finished(stdout), finished(stderr)]);
      channel.exit(code < 0 ? noExitCode : code);
    } catch (error) {
      if (isGone) return;
      logger.debug({ instanceId, err: error }, 'an SSH session failed');
      const reason = error instanceof DriverFailure ? error.message : 'The machine can run no command at the moment.';
      channel.stderr.write(`${reason}\r\n`);
      channel.exit(noExitCode);
    }
    channel.end();
  };

  session.on('shell', (accept) => void run(accept(), loginShell));
  session.on('exec', (accept, _reject, { command }) => void run(accept(), ['/bin/sh', '-c', command]));
  session.on('subsystem', (accept, reject, { name }) => {
    if (name !== 'sftp') return reject?.();
    const tries = sftpServers.map((path) => `[ -x ${path} ] && exec ${path}`);
    void run(accept(), ['/bin/sh', '-c', `${tries.join('; ')}; echo '${sftpMissing}' >&2; exit 1`]);
  });
}
