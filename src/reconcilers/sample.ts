// Makes averages of what hosts have measured, as soon as a step has ended.

import type { Context } from '../app/context.ts';
import { makeAverages } from '../app/sample.ts';

/** One pass. */
export async function reconcileSamples(context: Context): Promise<void> {
  await makeAverages(context);
}
