// The agents' API, `/agent/v1`.

import Type from 'typebox';
import { errorTable } from '../../model/errors.ts';
import { defineDialect } from '../dialect.ts';
import { openApiDocument } from '../document.ts';
import { hostRoutes } from './host.ts';
import { streamRoutes } from './stream.ts';

/** The agents' API as a Fastify plugin. */
export const agentDialect = defineDialect({
  name: 'agent',
  document: openApiDocument("Berth: agents' API", 'How a host learns what it should do and tells what it sees.', {
    Bearer: { type: 'http', scheme: 'bearer' },
  }),
  errorSchema: Type.Object({ error: Type.String() }),
  toError: (error) => ({ status: errorTable[error.code].status, body: { error: error.message } }),
  readKey: null,
  routes: [hostRoutes, streamRoutes],
});
