// Which processes belong to a cluster. One does when it runs `postgres` in the cluster's directory (PostgreSQL changes there
// first thing); a pid file alone proves nothing, because process ids are given out again.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  identifyProcess,
  type ProcessIdentity,
  processIds,
  processProgram,
  processWorkingDirectory,
  signalProcess,
} from '../../host/process.ts';

/** How often what changes by itself is looked at. */
export const POLL_MS = 20;
/** Servers' children leave by themselves when their parent has died, at the latest after the query they are in. */
const ORPHANS_LEAVE_MS = 5_000;

/** The process of this id, if it is one of the cluster's; `dataDir` without symbolic links. */
export function serverProcess(pid: number, dataDir: string): ProcessIdentity | undefined {
  if (processProgram(pid) !== 'postgres' || processWorkingDirectory(pid) !== dataDir) return undefined;
  return identifyProcess(pid);
}

/**
 * Waits until the children of a killed server or tool have gone (two generations on the same files would destroy them),
 * and ends those that do not go.
 * @param dataDir the cluster's directory, without symbolic links
 * @param isOver asked before each look; true ends the wait
 */
export async function untilOrphansLeft(
  dataDir: string,
  warn: (message: string) => void,
  isOver: () => Promise<boolean> = async () => false,
): Promise<void> {
  let deadlineMs = performance.now() + ORPHANS_LEAVE_MS;
  while (!(await isOver())) {
    const orphans = processIds().flatMap((pid) => serverProcess(pid, dataDir) ?? []);
    if (orphans.length === 0) return;
    if (performance.now() > deadlineMs) {
      warn(`ending the processes that a killed PostgreSQL left behind: ${orphans.map((one) => one.pid).join(', ')}`);
      for (const orphan of orphans) signalProcess(orphan, 'SIGKILL');
      deadlineMs = performance.now() + ORPHANS_LEAVE_MS;
    }
    await sleep(POLL_MS);
  }
}
