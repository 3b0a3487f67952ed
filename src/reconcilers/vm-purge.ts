// Purges VMs that were deleted and that nobody brought back.

import type { Context } from '../app/context.ts';
import { purgeExpired } from '../app/vm-delete.ts';

/** One pass. */
export async function reconcileVmPurge(context: Context): Promise<void> {
  await purgeExpired(context);
}
