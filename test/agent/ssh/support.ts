// What the tests of the SSH front share: fronts on addresses of their own, keys, OpenSSH's client, and in place of a container
// a process of this machine.

import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerExec, ExecRequest, Execution } from '../../../src/agent/container/exec.ts';

const run = promisify(execFile);

/** A key pair for one test. */
export interface KeyPair {
  path: string;
  line: string;
}

/** Makes a key pair with OpenSSH. */
export async function keyPair(directory: string, name: string, type = 'ed25519'): Promise<KeyPair> {
  const path = join(directory, name);
  await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', path]);
  return { path, line: (await readFile(`${path}.pub`, 'utf8')).trim() };
}

/** What a program said, and how it ended. */
export interface Ended {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs a program to its end, whatever that is. */
export function runToEnd(file: string, args: readonly string[], input: Buffer | string = ''): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: 'pipe',
      timeout: 60_000,
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8' },
    });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    child.stdin.on('error', () => {}); // it ended without reading all of its input
    child.stdin.end(input);
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** Options that make OpenSSH's programs ask nothing, know nobody and use this key alone. */
export function clientOptions(key: KeyPair, more: readonly string[] = []): string[] {
  const options = [
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'StrictHostKeyChecking=no',
    'UserKnownHostsFile=/dev/null',
    'LogLevel=ERROR',
    'ConnectTimeout=20',
    ...more,
  ];
  return ['-F', 'none', '-i', key.path, ...options.flatMap((option) => ['-o', option])];
}

/** A test double of containers: every command runs on this machine, and ends with its session. */
export class LocalContainers {
  /** Everything that was asked for. */
  readonly requests: ExecRequest[] = [];
  /** What commands run under, such as a namespace of their own. */
  wrapper: readonly string[] = [];

  readonly exec: ContainerExec = async (_instanceId, request) => {
    this.requests.push(request);
    const { command, tty, environment } = request;
    if (tty) return inTerminal(command, tty, environment);
    const [file = '', ...args] = [...this.wrapper, ...command];
    const child = spawn(file, args, { stdio: 'pipe', env: { PATH: process.env.PATH, ...environment } });
    return executionOf(child, async () => {});
  };
}

/** util-linux's `script` gives a command a terminal; its first line tells which, so that its size can be changed. */
async function inTerminal(
  command: readonly string[],
  tty: NonNullable<ExecRequest['tty']>,
  environment: ExecRequest['environment'],
): Promise<Execution> {
  const quoted = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const size = (columns: number, rows: number) => ['columns', String(columns), 'rows', String(rows)];
  const line = `tty; stty ${size(tty.columns, tty.rows).join(' ')}; exec ${quoted}`;
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    stdio: 'pipe',
    env: { PATH: process.env.PATH, SHELL: '/bin/sh', TERM: tty.term, ...environment },
  });
  const terminal = await new Promise<string>((resolve) => child.stdout.once('data', (text) => resolve(String(text))));
  const [device = '', ...rest] = terminal.split('\r\n');
  if (rest.join('\r\n')) child.stdout.unshift(rest.join('\r\n'));
  return executionOf(child, async (columns, rows) => {
    await run('stty', ['-F', device, ...size(columns, rows)]);
  });
}

function executionOf(
  child: ReturnType<typeof spawn> & Pick<Execution, 'stdin' | 'stdout' | 'stderr'>,
  resize: Execution['resize'],
): Execution {
  const { stdin, stdout, stderr } = child;
  const exitCode = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? -1));
  });
  return { stdin, stdout, stderr, resize, exitCode, end: () => void child.kill('SIGKILL') };
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
