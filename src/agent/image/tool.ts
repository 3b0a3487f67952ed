// Runs a program that has to look at a customer's file, under limits: memory, processor time, wall time, output, no core
// file, no environment of ours, and as an unprivileged user where the agent is root. What it prints is for the caller.

import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { DriverFailure } from '../driver.ts';
import { errorCode, imageFailure } from './failure.ts';

/** The user that such programs run as. */
export interface Unprivileged {
  uid: number;
  gid: number;
}

export interface ToolOptions {
  /** Open files that the program gets as its standard input and as descriptor 3. */
  stdinFd?: number;
  extraFd?: number;
  timeoutMs: number;
  memoryBytes: number;
  unprivileged?: Unprivileged | undefined;
  signal: AbortSignal;
}

export interface ToolResult {
  exitCode: number;
  /** Whether it was ended for taking longer than allowed. */
  timedOut: boolean;
  stderr: string;
}

/** Of whatever a program prints, more than this is not read for. */
const outputBytesMax = 1024 * 1024;

/** prlimit's and the shell's codes for "there is no such program". */
const missingExitCodes: ReadonlySet<number> = new Set([126, 127]);

function missing(program: string): DriverFailure {
  return imageFailure('host.tool', `The host can't run ${program}, which it needs to check images; tell its operator.`);
}

function start(program: string, args: readonly string[], options: ToolOptions): ChildProcess {
  // In seconds, and a little more than the wall time, so that the clearer of the two limits is met first.
  const cpuSeconds = Math.ceil(options.timeoutMs / 1000) + 1;
  const limits = [`--as=${options.memoryBytes}`, `--cpu=${cpuSeconds}`, '--core=0', '--fsize=0', '--nofile=64'];
  const user = process.getuid?.() === 0 ? options.unprivileged : undefined;
  return spawn('prlimit', [...limits, program, ...args], {
    cwd: '/',
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: [options.stdinFd ?? 'ignore', 'pipe', 'pipe', ...(options.extraFd === undefined ? [] : [options.extraFd])],
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
}

/** Reads a stream to its end and keeps what fits. */
async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= outputBytesMax) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Runs a program and hands its standard output to `consume` as it comes. When `consume` throws, the program is ended and
 * the error passed on; nothing is left running in any case.
 * @throws DriverFailure `host.tool` when it can't be started; what `consume` throws; the signal's reason
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions,
  consume: (stdout: Readable) => Promise<void>,
): Promise<ToolResult> {
  options.signal.throwIfAborted();
  const child = start(program, args, options);
  const { stdout, stderr } = child;
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => reject(errorCode(error) === 'ENOENT' ? missing(program) : error));
    child.once('close', (code) => resolve(code ?? 128));
  });
  // Awaited below; until then a failure to start must not count as unhandled.
  ended.catch(() => {});
  if (!stdout || !stderr) throw await ended.then(() => missing(program));

  let timedOut = false;
  const kill = () => child.kill('SIGKILL');
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, options.timeoutMs);
  options.signal.addEventListener('abort', kill, { once: true });
  const complaints = textOf(stderr);
  complaints.catch(() => {});
  try {
    await consume(stdout);
    const exitCode = await ended;
    options.signal.throwIfAborted();
    if (missingExitCodes.has(exitCode)) throw missing(program);
    return { exitCode, timedOut, stderr: await complaints };
  } catch (error) {
    kill();
    await ended.catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', kill);
  }
}

/** Runs a program whose output is short. */
export async function runToolForText(
  program: string,
  args: readonly string[],
  options: ToolOptions,
): Promise<ToolResult & { stdout: string }> {
  let output = '';
  const result = await runTool(program, args, options, async (stdout) => {
    output = await textOf(stdout);
  });
  return { ...result, stdout: output };
}
