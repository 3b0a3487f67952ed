// The Hiveon dialect: its routes, its way to send a key, its errors.

import { defineDialect } from '../dialect.ts';
import { openApiDocument } from '../document.ts';
import { noSuchPath } from '../failure.ts';
import type { Api } from '../types.ts';
import { deploymentRoutes } from './deployment.ts';
import { ErrorSchema, hiveonError } from './error.ts';
import { logRoutes } from './log.ts';
import { machineRoutes } from './machine.ts';
import { readProtoJson } from './proto-json.ts';
import { webhookRoutes } from './webhook.ts';

/** Its clients read one error shape, also where they have asked for what is nowhere. */
function nowhereRoutes({ app }: Api): void {
  app.all('/vendors/*', { config: { reads: true }, schema: { hide: true } }, async (request) => {
    throw noSuchPath(request);
  });
}

/** The Hiveon dialect as a Fastify plugin. */
export const hiveonDialect = defineDialect({
  name: 'hiveon',
  document: openApiDocument('Berth: Hiveon dialect', 'Containers through the calls of the Hiveon vendors API.', {
    ApiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    Bearer: { type: 'http', scheme: 'bearer' },
  }),
  errorSchema: ErrorSchema,
  toError: hiveonError,
  readKey: (headers) => {
    const own = headers['x-api-key'];
    return typeof own === 'string' && own ? own : /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  },
  routes: [({ app }) => readProtoJson(app), machineRoutes, deploymentRoutes, logRoutes, webhookRoutes, nowhereRoutes],
});
