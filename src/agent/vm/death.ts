// Why a VM did not start or does not run any more, in words for its owner: gathered from how its process ended, what QEMU
// said last, and what the kernel did. Nothing of the host (paths, users) comes through.

import { bootId } from '../../host/process.ts';
import { DriverFailure } from '../driver.ts';
import type { Walls } from './confinement.ts';
import { lastWords, readRecord, type VmHome, withoutPaths } from './home.ts';
import type { VmLogger } from './logger.ts';

/**
 * Why there is no QEMU for a VM that should have one.
 * @param exit how its process ended, where this agent was there to see it
 */
export async function explainDeath(home: VmHome, exit: string | undefined, walls: Walls): Promise<string> {
  const record = await readRecord(home);
  if (record === null) return 'its start was interrupted';
  if (record.bootId !== bootId()) return 'the host was restarted';
  if ((await walls.memoryKills(home.instanceId)) > 0) return 'QEMU needed more memory than it may have, and was ended';
  const said = await lastWords(home);
  const ended = exit ?? 'QEMU ended unexpectedly';
  return said === '' ? ended : `${ended}: ${said}`;
}

/** Turns whatever went wrong at a start into what the caller is promised. */
export async function startFailure(home: VmHome, error: unknown, logger: VmLogger): Promise<DriverFailure> {
  if (error instanceof DriverFailure) return error;
  logger.error({ instanceId: home.instanceId, err: error }, 'A VM could not be started');
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || /No space left/i.test(message)) {
    return new DriverFailure('host.disk-full', "The host's disk is full.", false);
  }
  const said = await lastWords(home);
  const reason = withoutPaths(said === '' ? message : said);
  return new DriverFailure('vm.start-failed', `The VM could not be started: ${reason}`, false);
}
