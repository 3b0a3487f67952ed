// What a killed Engine may leave of a container that it was just starting: processes that it knows nothing of when it is back,
// and that keep it from starting the container again.

import { readFile } from 'node:fs/promises';
import { identifyProcess, processIds, signalProcess } from '../../host/process.ts';

/** Ends every process in a container's control group. @param containerId the Engine's, all 64 digits */
export async function killRemains(containerId: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(containerId)) return;
  for (const pid of processIds()) {
    const found = identifyProcess(pid);
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (!found || !groups.includes(containerId)) continue;
    signalProcess(found, 'SIGKILL');
  }
}
