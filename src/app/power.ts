// Power as a person asks for it: the order is written, the VM's host is waited for, and only then there is an answer. Where the
// host can't be reached it is said at once, and nothing is ordered that would happen by surprise later.

import { BerthError } from '../model/errors.ts';
import { hasReached, type PowerGoal } from '../model/power.ts';
import type { Tx } from '../store/database.ts';
import { isReachable } from '../store/host.ts';
import { readPower } from '../store/vm-change.ts';
import type { Context } from './context.ts';

/** Longer than a host takes to pull a plug or to start QEMU; a first image takes longer, and is not waited for. */
const waitMsMax = 20_000;
/** Whoever waits looks for himself this often: another server may be told by the host. */
const lookMs = 250;

const outOfReach = (name: string) =>
  new BerthError('unavailable', `The host of ${name} does not answer at the moment; try again.`);

/** @throws BerthError `unavailable` while a VM's host is out of reach */
export async function requireReachable(tx: Tx, { hostId, name }: { hostId: string; name: string }): Promise<void> {
  if (!(await isReachable(tx, hostId))) throw outOfReach(name);
}

/**
 * Waits until a VM's host has done what was ordered; what takes longer goes on without anybody waiting.
 * @throws BerthError `unavailable` when the host goes out of reach meanwhile
 */
export async function powerReached(
  { database, wakeups }: Context,
  { id, name }: { id: string; name: string },
  goal: PowerGoal,
): Promise<void> {
  const end = performance.now() + waitMsMax;
  while (performance.now() < end) {
    const looked = new AbortController();
    // Listening begins before looking, so that nothing is missed in between.
    const woken = wakeups.next(id, lookMs, looked.signal);
    try {
      const found = await readPower(database, id);
      if (!found || hasReached(found.state, goal)) return;
      if (!found.isReachable) throw outOfReach(name);
      await woken;
    } finally {
      looked.abort();
    }
  }
}
