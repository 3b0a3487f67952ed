// How a container is, in the agent's words: what the Engine shows of it, and how it was seen to end.

import type Docker from 'dockerode';
import { processAgeMs } from '../../host/process.ts';
import type { Found } from '../driver.ts';
import type { Memory } from './memory.ts';
import { oneLine } from './text.ts';
import type { Death } from './witness.ts';

/** What is known beside what the Engine shows. */
export interface Beside {
  ended: Memory['ended'];
  /** How it ended; undefined when nobody saw it. */
  death: () => Promise<Death | undefined>;
  /** The last line that it said. */
  lastLine: () => Promise<string | undefined>;
}

const lastLineLength = 200;
const mib = 1024 ** 2;

/** A container as it is. */
export async function foundOf(
  instanceId: string,
  { State: state, HostConfig }: Docker.ContainerInspectInfo,
  { ended, death: deathOf, lastLine }: Beside,
): Promise<Found> {
  const dead = (reason: string, more: Partial<Found> = {}): Found => ({ instanceId, power: 'dead', reason, ...more });
  if (state.Running) return { instanceId, power: 'running', runningMs: processAgeMs(state.Pid) ?? 0 };
  if (ended) return dead(ended.reason, { failureCode: ended.code });
  // Made and never started: whoever made it was interrupted.
  if (state.Status === 'created') return dead('it has not been started', { unwitnessed: true });
  const death = await deathOf();
  if (!death || death.wasKilled)
    return dead('the container engine has ended it, or was itself ended', { unwitnessed: true });
  if (death.exitCode === 0) return { instanceId, power: 'off', reason: 'it ended by itself with exit code 0' };
  if (death.ranOutOfMemory)
    return dead(`it ran out of its ${Math.round((HostConfig.Memory ?? 0) / mib)} MiB of memory`);
  const last = await lastLine();
  const said = last === undefined ? '' : `; the last that it said: ${oneLine(last, lastLineLength)}`;
  return dead(`it ended with exit code ${death.exitCode}${said}`);
}
