/**
 * Finds what a test run has started and not ended. Every process that a test starts inherits the run's mark in its
 * environment, also through daemons that outlive their parent on purpose, which is what Berth's do.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Environment variable with the run's id. Code that starts daemons with a short environment passes it on. */
export const TEST_RUN_VARIABLE = 'BERTH_TEST_RUN';

export interface MarkedProcess {
  pid: number;
  parentPid: number;
  commandLine: string;
}

/** The living processes that carry the mark, without this one. */
export function findMarkedProcesses(runId: string): MarkedProcess[] {
  const mark = `${TEST_RUN_VARIABLE}=${runId}`;
  const found: MarkedProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').split('\0').includes(mark)) continue;
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const [state, parentPid] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') continue;
      const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      found.push({ pid: Number(name), parentPid: Number(parentPid), commandLine });
    } catch {
      // Ended meanwhile, or not ours to see.
    }
  }
  return found;
}

/** Kills a process found above. */
export function endProcess(found: MarkedProcess): void {
  try {
    process.kill(found.pid, 'SIGKILL');
  } catch {
    // Ended meanwhile.
  }
}
