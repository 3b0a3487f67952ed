// QEMU as processes of this host: starting one that outlives the agent, finding those that belong to a directory, and
// ending one for certain. The process table is the truth; no pid file is kept that could name somebody else.

import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { instanceOfArguments } from './command-line.ts';
import { isVmUserId } from './user-id.ts';

/** A QEMU that was found or started. */
export interface QemuProcess {
  pid: number;
  instanceId: string;
}

/** How often a process that should end is looked at. */
const endPollMs = 20;
/** When the host runs out of memory a guest should go before the database and the agent do. */
const oomScoreAdjust = 200;

/** The QEMUs whose disks lie in one directory of VMs, whether that still exists or not. */
export class QemuProcesses {
  readonly #vmDirectory: string;
  readonly #userIds: ReadonlySet<number>;

  /** @param userIds users that QEMUs of this agent may run as, beside those that are made for one VM each */
  constructor(vmDirectory: string, userIds: readonly number[]) {
    this.#vmDirectory = vmDirectory;
    this.#userIds = new Set(userIds);
  }

  /** All of them. */
  find(): QemuProcess[] {
    const found: QemuProcess[] = [];
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const instanceId = this.#instanceOf(Number(name));
      if (instanceId !== null) found.push({ pid: Number(name), instanceId });
    }
    return found;
  }

  /** Whether a process still is what it was when it was found. */
  isAlive({ pid, instanceId }: QemuProcess): boolean {
    return this.#instanceOf(pid) === instanceId;
  }

  /** Waits until a process has ended. False when it still runs after `timeoutMs`. */
  async waitForEnd(process: QemuProcess, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (this.isAlive(process)) {
      if (performance.now() >= deadline) return false;
      await sleep(endPollMs);
    }
    return true;
  }

  /**
   * Kills a process, if it still is what it was, and waits until it is gone.
   * @throws Error when the kernel can't end it within `timeoutMs`
   */
  async kill(found: QemuProcess, timeoutMs: number): Promise<void> {
    if (!this.isAlive(found)) return;
    try {
      process.kill(found.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    if (!(await this.waitForEnd(found, timeoutMs))) {
      throw new Error(`QEMU of ${found.instanceId} (process ${found.pid}) did not end ${timeoutMs} ms after SIGKILL`);
    }
  }

  /** The instance that a process runs, or null when it is gone, a zombie, or none of ours. */
  #instanceOf(pid: number): string | null {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const instanceId = instanceOfArguments(args, this.#vmDirectory);
      if (instanceId === null) return null;
      // Anybody can write anything on a command line; only what the agent started has one of these users.
      const userId = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
      return this.#userIds.has(userId) || isVmUserId(userId) ? instanceId : null;
    } catch {
      return null;
    }
  }
}

/**
 * Starts a process in a session of its own, so that it outlives the agent and its terminal.
 * @param options.files descriptors that it inherits as 3, 4, …
 * @throws Error when the program can't be started at all
 */
export async function startDetached(
  command: { file: string; args: string[] },
  options: { cwd: string; log: number; files: number[] },
): Promise<{ pid: number; child: ChildProcess }> {
  const child = spawn(command.file, command.args, {
    cwd: options.cwd,
    detached: true,
    stdio: ['ignore', options.log, options.log, ...options.files],
    env: daemonEnvironment(),
  });
  child.unref();
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', resolve);
  });
  if (child.pid === undefined) throw new Error(`${command.file} has no process id`);
  await writeFile(`/proc/${child.pid}/oom_score_adj`, String(oomScoreAdjust)).catch(() => {}); // already gone
  return { pid: child.pid, child };
}

/** QEMU gets nothing of the agent's environment, which may hold secrets, but the mark that a test run finds it by. */
function daemonEnvironment(): NodeJS.ProcessEnv {
  const { BERTH_TEST_RUN, PATH = '' } = process.env;
  const path = `${PATH}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
  return { PATH: path, ...(BERTH_TEST_RUN === undefined ? {} : { BERTH_TEST_RUN }) };
}
