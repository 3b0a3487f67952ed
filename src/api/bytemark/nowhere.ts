// Whatever is asked for below this dialect's paths and is not there is answered as its clients read it, whatever was sent along.

import { noSuchPath } from '../failure.ts';
import type { Api } from '../types.ts';

const prefixes = [
  ...['accounts', 'groups', 'virtual_machines', 'discs', 'nics', 'ips', 'users', 'privileges', 'api_keys'],
  ...['session', 'definitions', 'vm_defaults', 'admin', 'api/v1'],
];

/** Adds the routes that lead nowhere; those that lead somewhere go before them. */
export function nowhereRoutes({ app }: Api): void {
  for (const prefix of prefixes) {
    app.all(`/${prefix}*`, {
      config: { reads: true },
      schema: { hide: true },
      onRequest: async (request) => {
        throw noSuchPath(request);
      },
      handler: () => undefined,
    });
  }
}
