// Pages of other sites. Browsers let them read answers only where their origin is one that the operator has named; none is unless he
// does. Cookies are never taken from them: such pages send a key or a token that somebody gave them.

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../../app/context.ts';
import type { App } from '../types.ts';

/** What pages may send beside what they always may. */
const takenHeaders = [
  ...['Authorization', 'Content-Type', 'Idempotency-Key', 'If-Match', 'If-None-Match', 'Last-Event-ID', 'X-API-Key'],
].join(', ');
/** What they may read of an answer's head. */
const shownHeaders = [
  ...['Request-Id', 'ETag', 'Location', 'Idempotent-Replayed', 'Dry-Run', 'RateLimit', 'RateLimit-Policy'],
  'Retry-After',
].join(', ');
/** How long a browser goes by what it was told; Chromium takes no more than this. */
const rememberedSeconds = 7_200;

/** Says in every answer whether the page that asked may read it. */
export function showToOrigins(app: App, { settings }: Context): void {
  const allowed = new Set(settings?.api.allowedOrigins ?? []);
  if (allowed.size === 0) return;
  app.addHook('onRequest', async ({ headers: { origin } }, reply) => {
    addVary(reply, 'Origin');
    if (origin === undefined || !(allowed.has(origin) || allowed.has('*'))) return;
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', shownHeaders);
  });
}

/** Answers a browser that asks what a page may send. */
export function answerPreflight({ headers }: FastifyRequest, reply: FastifyReply, methods: readonly string[]): void {
  if (headers['access-control-request-method'] === undefined) return;
  if (!reply.hasHeader('access-control-allow-origin')) return;
  reply.header('access-control-allow-methods', methods.join(', '));
  reply.header('access-control-allow-headers', takenHeaders);
  reply.header('access-control-max-age', String(rememberedSeconds));
}

/** Names one more header of requests that an answer depends on. */
export function addVary(reply: FastifyReply, header: string): FastifyReply {
  const known = reply.getHeader('vary');
  return reply.header('vary', known === undefined ? header : `${known}, ${header}`);
}
