// Notes which operations are over, also where nobody looks at them: what an instance says of one may be gone later.

import type { Context } from '../app/context.ts';
import { settleOperations } from '../app/operation.ts';

/** One pass. */
export async function reconcileOperations(context: Context): Promise<void> {
  await settleOperations(context);
}
