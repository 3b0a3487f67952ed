/**
 * What /proc says of other processes: whether a process id still means the same process, and what it runs. A process id
 * alone is no identity, because the kernel gives it out again; id and start time together are one. Linux only.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

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
