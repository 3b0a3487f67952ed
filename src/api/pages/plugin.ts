// Pages for people, beside the APIs: the reference, and the guide. They are for everybody and say nothing of anybody.

import type { App } from '../types.ts';
import { consolePages } from './console.ts';
import { guidePages } from './guide.ts';
import { referencePages } from './reference.ts';

/** Adds the pages. */
export async function pages(app: App): Promise<void> {
  await app.register(async (scope) => {
    await consolePages(scope as App);
    guidePages(scope as App);
    await referencePages(scope as App);
  });
}
