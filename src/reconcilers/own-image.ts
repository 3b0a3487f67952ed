// Looks at the URLs of accounts' own images.

import type { Context } from '../app/context.ts';
import { checkOwnImages } from '../app/own-image-check.ts';

/** One pass. */
export async function reconcileOwnImages(context: Context): Promise<void> {
  await checkOwnImages(context);
}
