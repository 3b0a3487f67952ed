// Ends containers that never came up, with the reason: their host was lost, or it took too long.

import type { FailureCode } from '../model/container.ts';
import { listUnstarted } from '../store/container.ts';
import type { Context } from './context.ts';
import { failInstance } from './instance-end.ts';

/** Longer than the longest pull of an image may take. */
const startMsMax = 30 * 60 * 1000;
/** A host that is out of reach for so long is not waited for. */
const lostMsMax = 5 * 60 * 1000;
const batchMax = 100;

/** Ends those that are overdue. */
export async function failUnstarted(context: Context): Promise<void> {
  const now = context.clock.now().getTime();
  const overdue = await listUnstarted(context.database, {
    begunBefore: new Date(now - startMsMax),
    lostBefore: new Date(now - lostMsMax),
    limit: batchMax,
  });
  for (const { id, isHostLost } of overdue) {
    const [failureCode, reason]: [FailureCode, string] = isHostLost
      ? ['MACHINE_OFFLINE', `Its machine has been out of reach for ${lostMsMax / 60_000} minutes.`]
      : ['START_TIMEOUT', `It has not come up within ${startMsMax / 60_000} minutes.`];
    await failInstance(context, id, failureCode, reason);
  }
}
