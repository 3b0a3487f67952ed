// Every outside program that builds an image is started here: with a bound on its time, stopped as a whole family when
// the build is given up, and with the end of what it complained about in the error. What to run is the callers' matter.

import { spawn } from 'node:child_process';

/** Says which step of an image build failed, with the last lines that the tool wrote to its standard error. */
export class ImageBuildError extends Error {
  override name = 'ImageBuildError';
}

/** A program and its arguments; `timeoutMs` is what it may take at most. */
export interface Command {
  program: string;
  args: readonly string[];
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  cwd?: string;
  /** Called with each line of standard error as it comes. */
  onErrorLine?: (line: string) => void;
}

/** Enough to show what a tool complained about, and little enough to read. */
const errorLinesMax = 12;
/** What a tool may print before the rest is dropped: the largest answer read here is one package's description. */
const outputBytesMax = 8 * 1024 * 1024;
/** What a stopped tool gets to clean up after itself before it is killed. */
const stopGraceMs = 5_000;

/**
 * Runs a program to its end and returns what it printed to standard output.
 *
 * @throws {ImageBuildError} when it is not installed, ends with another status than 0, takes too long or is given up.
 */
export async function runCommand(command: Command): Promise<string> {
  const { program, args, timeoutMs, signal, onErrorLine } = command;
  if (signal?.aborted) throw new ImageBuildError('The image build was stopped.');
  // A process group of its own (detached), so that what the tool started ends with it.
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    cwd: command.cwd,
    // File system tools live in sbin, which is not on everybody's path.
    env: {
      ...process.env,
      PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`,
      LC_ALL: 'C.UTF-8',
      DEBIAN_FRONTEND: 'noninteractive',
      ...command.env,
    },
  });

  const output: Buffer[] = [];
  let outputBytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes <= outputBytesMax) output.push(chunk);
  });
  const errorLines: string[] = [];
  let partialLine = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partialLine + text).split(/[\r\n]+/);
    partialLine = (lines.pop() ?? '').slice(-4096);
    for (const line of lines.filter((candidate) => candidate.trim() !== '')) {
      errorLines.push(line);
      if (errorLines.length > errorLinesMax) errorLines.shift();
      onErrorLine?.(line);
    }
  });

  const killGroup = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended meanwhile, which is what was wanted.
    }
  };
  let givenUp: 'timeout' | 'stopped' | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const giveUp = (why: 'timeout' | 'stopped'): void => {
    if (givenUp) return;
    givenUp = why;
    killGroup('SIGTERM');
    killTimer = setTimeout(() => killGroup('SIGKILL'), stopGraceMs);
  };
  const timer = setTimeout(() => giveUp('timeout'), timeoutMs);
  const onAbort = (): void => giveUp('stopped');
  signal?.addEventListener('abort', onAbort, { once: true });

  try {
    const status = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signalName) => resolve(code ?? signalName ?? 'unknown'));
    });
    if (givenUp === 'stopped') throw new ImageBuildError('The image build was stopped.');
    const complaint = [...errorLines, partialLine].filter((line) => line.trim() !== '').join('\n');
    if (givenUp === 'timeout') {
      throw new ImageBuildError(
        `${program} took longer than ${timeoutMs / 1000} s and was stopped.\n${complaint}`.trim(),
      );
    }
    if (status !== 0) {
      throw new ImageBuildError(
        `${program} failed (${typeof status === 'number' ? `status ${status}` : status}).\n${complaint}`.trim(),
      );
    }
    return Buffer.concat(output).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new ImageBuildError(`${program} is not installed on this machine.`, { cause: error });
    }
    throw error;
  } finally {
    clearTimeout(timer);
    clearTimeout(killTimer);
    signal?.removeEventListener('abort', onAbort);
  }
}
