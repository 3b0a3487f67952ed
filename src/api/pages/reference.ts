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
  { file: 'agent', name: "The agents' API" },
];

const textOf = (file: string): string =>
  readFileSync(new URL(`../../../openapi/${file}.json`, import.meta.url), 'utf8');

const logo = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><text x="0" y="29" fill="#fff"
  font-family="system-ui, sans-serif" font-size="26" font-weight="600">Berth</text></svg>`;

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
      logo: { type: 'image/svg+xml', content: Buffer.from(logo), href: '/docs/guide/', target: '_self' },
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
