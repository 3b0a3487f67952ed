// What a terminal does that goes away: it hangs up, so that a shell that nobody sees any more ends. The Engine leaves it running, one
// for each page that was closed, until the container may have no more processes.

import { readFile } from 'node:fs/promises';
import { identifyProcess, signalProcess } from '../../host/process.ts';
import type { Engine } from './engine.ts';

/** Hangs up on a command that was given a terminal, if it still runs. */
export async function hangUp(engine: Engine, execId: string): Promise<void> {
  const state = await engine.find((docker) => docker.getExec(execId).inspect());
  if (!state?.Running || state.Pid <= 1) return;
  const found = identifyProcess(state.Pid);
  const groups = await readFile(`/proc/${state.Pid}/cgroup`, 'utf8').catch(() => '');
  // The Engine's word is a moment old; only the container's own processes are meant.
  if (found && groups.includes(state.ContainerID)) signalProcess(found, 'SIGHUP');
}
