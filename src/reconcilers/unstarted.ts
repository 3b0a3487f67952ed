// Ends containers that never came up.

import type { Context } from '../app/context.ts';
import { failUnstarted } from '../app/unstarted.ts';

/** One pass. */
export async function reconcileUnstarted(context: Context): Promise<void> {
  await failUnstarted(context);
}
