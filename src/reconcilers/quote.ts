// Ends quotes whose time is over, and those that can't be kept as a host of theirs is closed or out of reach.

import type { Context } from '../app/context.ts';
import { endExpiredQuotes, endLostQuotes } from '../app/quote-end.ts';

/** One pass. */
export async function reconcileQuotes(context: Context): Promise<void> {
  await endExpiredQuotes(context);
  await endLostQuotes(context);
}
