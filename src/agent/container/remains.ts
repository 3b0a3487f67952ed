// What a killed Engine may leave of a container that it was just starting: processes that it knows nothing of when it is back,
// and that keep it from starting the container again.

import { readFile } from 'node:fs/promises';
import { processIds, processProgram } from '../../host/process.ts';

/** Ends every process in a container's control group. @param containerId the Engine's, all 64 digits */
export async function killRemains(containerId: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(containerId)) return;
  await killWhere(async (pid) => (await textOf(pid, 'cgroup')).includes(containerId));
}

/**
 * Ends the programs that a killed Engine had listening on an address. The address is one container's alone, and that one does
 * not run.
 */
export async function killProxies(address: string): Promise<void> {
  const isProxy = (pid: number) => processProgram(pid) === 'docker-proxy';
  await killWhere(async (pid) => isProxy(pid) && (await textOf(pid, 'cmdline')).includes(`\0-host-ip\0${address}\0`));
}

const textOf = (pid: number, name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');

async function killWhere(isMeant: (pid: number) => Promise<boolean>): Promise<void> {
  for (const pid of processIds()) {
    if (!(await isMeant(pid))) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  }
}
