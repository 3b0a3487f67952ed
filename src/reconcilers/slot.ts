// Keeps what customers are told of slots in step with what is.

import type { Context } from '../app/context.ts';
import { tellSlots } from '../app/slot-news.ts';

/** One pass. */
export async function reconcileSlots(context: Context): Promise<void> {
  await tellSlots(context);
}
