// What is asked for below `/berth/v1` and is not there is answered as a problem, to whoever asks.

import { noSuchPath } from '../failure.ts';
import type { Api } from '../types.ts';
import { base } from './operation.ts';

/** Adds the route that leads nowhere. */
export function nowhereRoutes({ app }: Api): void {
  app.all(`${base}/*`, {
    schema: { hide: true },
    config: { isPublic: true },
    handler: (request) => {
      throw noSuchPath(request);
    },
  });
}
