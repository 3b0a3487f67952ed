// A connection that breaks while a transaction commits leaves its client without a word of how it ended. Who can tell by what
// was written asks, before it answers with an error something that was done.

import { setTimeout as sleep } from 'node:timers/promises';
import { isUnavailable } from '../store/database.ts';

const askMsMax = 5_000;
const askEveryMs = 200;
/** The database may still be at it when it is asked first. */
const settleMs = 500;

/**
 * Whether a transaction whose end nobody was told of has been committed.
 * @param isThere asks the database, on another connection, for something that it wrote
 * @returns false also when the database does not answer for some seconds
 */
export async function wasCommitted(isThere: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + askMsMax;
  let deniedAtMs: number | null = null;
  while (performance.now() < end) {
    try {
      if (await isThere()) return true;
      deniedAtMs ??= performance.now();
      if (performance.now() - deniedAtMs > settleMs) return false;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    await sleep(askEveryMs);
  }
  return false;
}
