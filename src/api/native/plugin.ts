// Berth's own API, `/berth/v1`.

import Type from 'typebox';
import { defineDialect } from '../dialect.ts';
import { openApiDocument } from '../document.ts';
import { nativeError } from './error.ts';
import { eventRoutes } from './event.ts';

const ProblemSchema = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  subject: Type.Optional(Type.String()),
});

/** Berth's own API as a Fastify plugin. */
export const nativeDialect = defineDialect({
  name: 'native',
  document: openApiDocument('Berth', 'What Berth offers beyond the dialects.', {
    Bearer: { type: 'http', scheme: 'bearer' },
  }),
  errorSchema: ProblemSchema,
  toError: nativeError,
  readKey: (headers) => /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1],
  routes: [eventRoutes],
});
