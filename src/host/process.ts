/**
 * What /proc says of other processes: whether a process id still means the same process, and what it runs. A process id
 * alone is no identity, because the kernel gives it out again; id and start time together are one. Linux only.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** One process: what makes it itself, and no other that the kernel gives its id later. */
export interface ProcessIdentity {
  pid: number;
  startTicks: string;
}

/** Who has a process id now; undefined when nobody does. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTicks = processStartTicks(pid);
  return startTicks === undefined ? undefined : { pid, startTicks };
}

/** Whether a process still runs. */
export const isAlive = ({ pid, startTicks }: ProcessIdentity): boolean => processStartTicks(pid) === startTicks;

/** Signals a process, unless it has ended. @throws Error when it may not be signalled */
export function signalProcess(found: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(found)) return;
  try {
    process.kill(found.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** How often a process that should end is looked at. */
const endPollMs = 20;

/** Asks a process to end and waits for that; one that has not after `timeoutMs` is killed. */
export async function endProcess(found: ProcessIdentity, timeoutMs: number): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalProcess(found, signal);
    const deadline = performance.now() + timeoutMs;
    while (isAlive(found) && performance.now() < deadline) await sleep(endPollMs);
  }
}

/** The kernel's start time of a living process, in clock ticks since boot; undefined when it is gone or a zombie. */
export function processStartTicks(pid: number): string | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
  const [state, ...rest] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' || state === 'X' ? undefined : rest[18];
}

/** Linux tells start times in hundredths of a second, on every architecture. */
const msPerTick = 10;

/**
 * How long a living process has run, in milliseconds, by the clock that counts from the boot of the machine and that
 * nobody can set; undefined when it is gone.
 */
export function processAgeMs(pid: number): number | undefined {
  const startTicks = processStartTicks(pid);
  if (startTicks === undefined) return undefined;
  const sinceBootMs = Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]) * 1000;
  return Math.max(0, Math.round(sinceBootMs - Number(startTicks) * msPerTick));
}

/** The kernel's id of this boot: process ids and start times mean nothing beyond it. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}

/** Name of the program file that a process runs, without its directory; undefined when gone or not ours to see. */
export function processProgram(pid: number): string | undefined {
  const path = readProcessLink(pid, 'exe');
  // An upgraded package leaves the old file running without a name.
  return path?.replace(/ \(deleted\)$/, '').replace(/^.*\//, '');
}

/** Working directory of a process, without symbolic links; undefined when gone or not ours to see. */
export function processWorkingDirectory(pid: number): string | undefined {
  return readProcessLink(pid, 'cwd');
}

/** Process ids of all living processes that we may see. */
export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
}

function readProcessLink(pid: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`);
  } catch {
    return undefined;
  }
}
