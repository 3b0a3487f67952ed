// Runs one of the small programs that make disks and volumes, with a bound, and turns its failure into a sentence. Which
// program and with what arguments is its callers' matter.

import { spawn } from 'node:child_process';

/** qemu-img and genisoimage take milliseconds here; a disk that makes them take this long is not usable. */
const toolTimeoutMs = 60_000;
/** Only the last words of a program are shown. */
const outputLengthMax = 64 * 1024;

/** A reason and what followed from it; more is noise. */
const reasonLinesMax = 3;

/** What a program did. */
export interface ToolResult {
  /** null when it was ended by a signal. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program to its end.
 * @param input what it gets on its standard input
 * @throws Error with code ENOENT when there is no such program
 */
export function runTool(file: string, args: readonly string[], input = ''): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`, LC_ALL: 'C' },
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] = name === 'stdout' ? output[name] + text : (output[name] + text).slice(-outputLengthMax);
      });
    }
    child.stdin.on('error', () => {}); // it ended without reading all of its input; its status says why
    child.stdin.end(input);
    // Not spawn's own timeout: that one goes on, and holds the process up, when the program can't be started at all.
    const timer = setTimeout(() => child.kill('SIGKILL'), toolTimeoutMs);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    });
  });
}

/**
 * Runs a program that has to succeed.
 * @throws Error with what it said
 */
export async function requireTool(file: string, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runTool(file, args, input);
  if (code === 0) return stdout;
  const said = stderr.trim().split('\n').slice(-reasonLinesMax).join('; ');
  throw new Error(`${file} ${code === null ? 'was stopped' : `ended with status ${code}`}: ${said}`);
}
