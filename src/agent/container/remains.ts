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
 * Ends the programs that a killed Engine had listening for a container which does not run.
 * @param address the container's own
 * @param ip where it is in its own network: another agent on this machine may have given the same address to another
 */
export async function killProxies(address: string, ip: string): Promise<void> {
  const ends = [`\0-host-ip\0${address}\0`, `\0-container-ip\0${ip}\0`];
  await killWhere(async (pid) => {
    if (processProgram(pid) !== 'docker-proxy') return false;
    const command = await textOf(pid, 'cmdline');
    return ends.every((end) => command.includes(end));
  });
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
