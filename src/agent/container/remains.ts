// What a killed Engine may leave of a container that it was just starting: processes that it knows nothing of when it is back, and
// the shim above them, for whose sake the Engine says "task already exists" whenever it is to start the container again. With the
// processes gone the shim stays; with the shim gone the way is free.

import { readFile } from 'node:fs/promises';
import { identifyProcess, processIds, processProgram, signalProcess } from '../../host/process.ts';

/** Such as `containerd-shim-runc-v2`. */
const shimProgram = /^containerd-shim/;

/**
 * Ends every process in a container's control group, and then its shim. Only for a container that does not run as far as the
 * Engine knows.
 * @param containerId the Engine's, all 64 digits
 */
export async function killRemains(containerId: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(containerId)) return;
  const namedIn = async (pid: number, file: 'cgroup' | 'cmdline') =>
    (await readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')).includes(containerId);
  const isShim = (pid: number) => shimProgram.test(processProgram(pid) ?? '');
  for (const pid of processIds()) {
    const found = identifyProcess(pid);
    if (found && (await namedIn(pid, 'cgroup')) && !isShim(pid)) signalProcess(found, 'SIGKILL');
  }
  for (const pid of processIds().filter(isShim)) {
    const found = identifyProcess(pid);
    if (found && (await namedIn(pid, 'cmdline'))) signalProcess(found, 'SIGKILL');
  }
}
