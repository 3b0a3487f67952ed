// The Fluence dialect: its routes, its ways to send a key, its errors.

import { defineDialect } from '../dialect.ts';
import { openApiDocument } from '../document.ts';
import { fluenceError } from './error.ts';
import { imageRoutes } from './image.ts';
import { instanceRoutes } from './instance.ts';
import { offerRoutes } from './offer.ts';
import { ErrorSchema } from './schema.ts';
import { sshKeyRoutes } from './ssh-key.ts';

/** `Authorization: Bearer K`, `Authorization: X-API-KEY K`, `X-API-KEY: K`: all three are in use by its clients. */
const authorizationPattern = /^(?:bearer|x-api-key)\s+(\S+)\s*$/i;

/** The Fluence dialect as a Fastify plugin. */
export const fluenceDialect = defineDialect({
  name: 'fluence',
  document: openApiDocument(
    'Berth: Fluence dialect',
    'Virtual machines through the calls of the Fluence marketplace API.',
    {
      ApiKeyHeader: { type: 'apiKey', in: 'header', name: 'X-API-KEY' },
      Bearer: { type: 'http', scheme: 'bearer' },
    },
  ),
  errorSchema: ErrorSchema,
  toError: fluenceError,
  readKey: (headers) => {
    const own = headers['x-api-key'];
    return typeof own === 'string' && own ? own : authorizationPattern.exec(headers.authorization ?? '')?.[1];
  },
  routes: [offerRoutes, instanceRoutes, imageRoutes, sshKeyRoutes],
});
