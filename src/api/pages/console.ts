// The web console at `/`: the files that Vite built into console/dist. What the page does, it does through /berth/v1 like any other
// client; here it is only handed out, under a policy that lets nothing but its own files run.

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { App } from '../types.ts';

const built = fileURLToPath(new URL('../../../console/dist/', import.meta.url));
/** Where the page and its files are; the paths at the root belong to the dialects. */
const prefix = '/console/';
/** Names of files have a hash of what is in them, so that they never change. */
const assetsKeptMs = 365 * 86_400_000;
const nonceBytes = 16;

const notBuilt =
  'The console is not built: run ./berth up or npm run build in the directory of Berth, and restart the server.\n';

/**
 * Nothing inline, nothing from elsewhere, and nobody may frame it. The nonce is for the style sheets that the terminal makes as it runs;
 * scripts have none.
 */
const policyWith = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Adds the pages. */
export async function consolePages(app: App): Promise<void> {
  const index = `${built}index.html`;
  const page = existsSync(index) ? readFileSync(index, 'utf8') : undefined;
  const paths = ['/', prefix.slice(0, -1), `${prefix}*`];
  for (const path of paths) {
    app.get(path, { schema: { hide: true } }, async (request, reply) => {
      if (request.url.startsWith(`${prefix}assets/`)) return reply.callNotFound();
      if (page === undefined) return reply.code(503).type('text/plain; charset=utf-8').send(notBuilt);
      const nonce = randomBytes(nonceBytes).toString('base64');
      return reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', policyWith(nonce))
        .header('cache-control', 'no-store')
        .send(page.replace('</head>', `<meta name="style-nonce" nonce="${nonce}"></head>`));
    });
  }
  if (page === undefined) return;
  await app.register(fastifyStatic, {
    root: `${built}assets/`,
    prefix: `${prefix}assets/`,
    preCompressed: true,
    immutable: true,
    maxAge: assetsKeptMs,
    index: false,
    decorateReply: false,
  });
  const icon = readFileSync(`${built}favicon.svg`);
  app.get(`${prefix}favicon.svg`, { schema: { hide: true } }, async (_request, reply) =>
    reply.type('image/svg+xml').header('cache-control', 'max-age=86400').send(icon),
  );
}
