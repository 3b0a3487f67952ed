// Closes epochs: settles what is due, follows up how bills stand, and ends what nothing has paid for longer than the grace.

import { findOverdue, followFunds, settleDue } from '../app/billing.ts';
import type { Context } from '../app/context.ts';
import { terminateInstances } from '../app/instance-end.ts';

/** Instances ended in one pass. */
const endedMax = 100;

/** One pass. */
export async function reconcileBilling(context: Context): Promise<void> {
  const periods = await settleDue(context);
  if (periods > 0) context.logger.info({ periods }, 'periods were settled');
  await followFunds(context);
  for (const id of await findOverdue(context, endedMax)) await terminateInstances(context, [id]);
}
