// Runs of `./berth demo` as child processes, in a scratch directory of their own, and a look at what they leave.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processIds, processProgram, processWorkingDirectory } from '../../src/host/process.ts';

const program = join(import.meta.dirname, '../../berth');
/** An image is built first, and a guest runs under emulation on a machine that may be busy. */
const boundMs = 10 * 60_000;

/** A part of its own, so that a second run of the suite on this machine is not in the way. */
const addressPool = `127.47.${process.pid % 256}.0/24`;

/** One run of the demo. */
export interface Demo {
  child: ChildProcess;
  output(): string;
  /** Resolves when the output matches. */
  says(pattern: RegExp): Promise<void>;
  /** Resolves to the exit status, and the signal that ended it where one did. */
  ended: Promise<[number | null, NodeJS.Signals | null]>;
}

/** Runs of the demo in one scratch directory. */
export class DemoRun {
  readonly #scratch: string;

  private constructor(scratch: string) {
    this.#scratch = scratch;
  }

  /** Makes the directory. */
  static async open(): Promise<DemoRun> {
    const scratch = await mkdtemp(join(tmpdir(), 'berth-demo-test-'));
    await chmod(scratch, 0o755); // the database's user passes through
    return new DemoRun(scratch);
  }

  /** Starts the demo with these options. */
  start(...options: string[]): Demo {
    const child = spawn(program, ['demo', '--address-pool', addressPool, ...options], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: this.#scratch },
      timeout: boundMs,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const listeners = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        for (const listener of listeners) listener();
      });
    }
    const ended = once(child, 'close') as Demo['ended'];
    return {
      child,
      ended,
      output: () => output,
      says: (pattern) =>
        new Promise((resolve, reject) => {
          const look = () => {
            if (!pattern.test(output)) return;
            listeners.delete(look);
            resolve();
          };
          listeners.add(look);
          look();
          void ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${output}`)));
        }),
    };
  }

  /** What works in the scratch directory - hypervisors, databases, engines -, and what lies in it. */
  async leftovers(): Promise<string[]> {
    const processes = processIds().flatMap((pid) => {
      const directory = processWorkingDirectory(pid);
      return directory?.startsWith(`${this.#scratch}/`) ? [`${processProgram(pid)} (${pid}) in ${directory}`] : [];
    });
    return [...processes, ...(await readdir(this.#scratch))];
  }

  /** Removes the directory. */
  close(): Promise<void> {
    return rm(this.#scratch, { recursive: true, force: true });
  }
}
