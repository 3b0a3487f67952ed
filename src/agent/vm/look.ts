// What is seen of one VM of this host: from its files while it has no QEMU, else by asking QEMU.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Found } from '../driver.ts';
import type { Attachment } from './attachment.ts';
import type { Walls } from './confinement.ts';
import { explainDeath } from './death.ts';
import { boundQemuLog, exists, readOffMark, type VmHome } from './home.ts';
import type { QemuLimits } from './limits.ts';
import type { QemuProcess, QemuProcesses } from './process.ts';

/** What is seen of a VM beside its name. */
export type Power = Pick<Found, 'power' | 'reason' | 'bootNumber'>;

/**
 * What a VM without QEMU is; null when nothing of it is here.
 * @param exit how its QEMU ended, where somebody saw it
 */
export async function lookAtFiles(home: VmHome, exit: string | undefined, walls: Walls): Promise<Power | null> {
  if (!(await exists(home.directory))) return null;
  const bootNumber = await readOffMark(home);
  if (bootNumber !== undefined) return { power: 'off', bootNumber };
  return { power: 'dead', reason: await explainDeath(home, exit, walls) };
}

/** What QEMU says; null when it has ended meanwhile. @param attach opens the line to it */
export async function lookAtQemu(
  home: VmHome,
  process: QemuProcess,
  processes: QemuProcesses,
  attach: () => Promise<Attachment>,
  limits: QemuLimits,
): Promise<Power | null> {
  await boundQemuLog(home, limits.qemuLogBytes).catch(() => {}); // the files may be gone
  const calledOff = new AbortController();
  const silence = sleep(limits.observeTimeoutMs, 'silent' as const, { signal: calledOff.signal });
  const asked = attach().then((attachment) => attachment.state());
  const state = await Promise.race([asked, silence]).catch(() => 'silent' as const);
  calledOff.abort();
  for (const late of [asked, silence]) late.catch(() => {}); // nobody waits for it any more
  switch (state) {
    case 'running':
      return { power: 'running' };
    case 'disk-full':
      return { power: 'running', reason: "paused: the host's disk is full" };
    case 'off':
      await processes.waitForEnd(process, limits.quitTimeoutMs);
      return { power: 'off', bootNumber: (await readOffMark(home)) ?? 1 };
    case 'never-ran':
      return { power: 'dead', reason: 'its start was interrupted' };
    case 'broken':
      return { power: 'dead', reason: 'QEMU met an internal error' };
    case 'silent': {
      if (!processes.isAlive(process)) return null;
      const isWhole = await exists(home.directory);
      return { power: 'running', reason: isWhole ? 'QEMU does not answer' : 'its files are gone' };
    }
  }
}
