// The reference of every API at `/docs`, with a try-out: Swagger UI out of its package, so nothing is fetched from elsewhere. The documents
// are the committed ones, which a test holds to the code.

import { readFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { App } from '../types.ts';

/** Which documents there are, the one that is shown first at the front. */
const documents = [
  { file: 'native', name: "Berth's own API" },
  { file: 'fluence', name: 'Fluence dialect' },
  { file: 'hiveon', name: 'Hiveon dialect' },
  { file: 'bytemark', name: 'Bytemark dialect' },
];

const textOf = (file: string): string =>
  readFileSync(new URL(`../../../openapi/${file}.json`, import.meta.url), 'utf8');

/** Adds the pages. */
export async function referencePages(app: App): Promise<void> {
  for (const { file } of documents) {
    const text = textOf(file);
    app.get(`/docs/openapi/${file}.json`, { schema: { hide: true } }, async (_request, reply) =>
      reply.type('application/json').send(text),
    );
  }
  await app.register(async (scope) => {
    await scope.register(swagger, { mode: 'static', specification: { document: JSON.parse(textOf('native')) } });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: {
        urls: documents.map(({ file, name }) => ({ url: `/docs/openapi/${file}.json`, name })),
        docExpansion: 'none',
        deepLinking: true,
        displayRequestDuration: true,
      } as never,
      theme: { title: 'Berth: API reference' },
      staticCSP: true,
      // Berth may be served by HTTP inside a network of one's own; and nothing is taken from anywhere else.
      transformStaticCSP: (header) =>
        header
          .replace(' upgrade-insecure-requests;', '')
          .replace("img-src 'self' data: validator.swagger.io", "img-src 'self' data:")
          .replaceAll(' https:', '')
          .replace("frame-ancestors 'self'", "frame-ancestors 'none'"),
    });
  });
}
