// Notices hosts that have gone silent. Their word that they are back comes with their reports.

import type { Context } from '../app/context.ts';
import { noteSilentHosts } from '../app/host.ts';

/** One pass. */
export async function reconcileHostHealth(context: Context): Promise<void> {
  await noteSilentHosts(context);
}
