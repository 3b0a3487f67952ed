// Who asks, and how often he may. A request that names nobody who may ask counts, too, so that nobody tries keys without end; and
// whatever is answered says how much is left (draft-ietf-httpapi-ratelimit-headers-10).

import rateLimit from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { Context } from '../../app/context.ts';
import { BerthError } from '../../model/errors.ts';
import type { App } from '../types.ts';
import { authenticate, ownerOf } from './caller.ts';
import { authenticateAtDoor } from './door.ts';

const windowMs = 60_000;
/** What the one policy is called; a client may see others of proxies beside it. */
const policy = 'requests';

/** Finds out who asks, and holds everybody to his rate. */
export async function holdRates(app: App, context: Context): Promise<void> {
  app.decorateRequest('caller', null);
  await app.register(rateLimit, {
    global: false,
    // The document is made without any settings; it says that there is a limit, not which.
    max: context.settings?.api.requestsPerMinute ?? 1,
    timeWindow: windowMs,
    keyGenerator: ({ caller, ip, routeOptions }) => {
      if (caller) return ownerOf(caller);
      return `${routeOptions.config.isPublic ? 'from' : 'refused'}:${ip}`;
    },
  });
  const count = app.createRateLimit();
  app.addHook('onRequest', async (request, reply) => {
    const refused = await letIn(context, request);
    const rate = await count(request);
    if (!rate.isAllowed) {
      const { max, remaining, ttlInSeconds } = rate;
      reply.header('ratelimit-policy', `"${policy}";q=${max};w=${windowMs / 1000}`);
      reply.header('ratelimit', `"${policy}";r=${remaining};t=${ttlInSeconds}`);
      if (rate.isExceeded) {
        reply.header('retry-after', String(ttlInSeconds));
        const message = `More than ${max} requests in ${windowMs / 1000} s; the next is taken in ${ttlInSeconds} s.`;
        throw new BerthError('too_many_requests', message);
      }
    }
    if (refused) throw refused.error;
  });
}

/** Notes who sends a request. @returns what he is refused with, where he is */
async function letIn(context: Context, request: FastifyRequest): Promise<{ error: unknown } | null> {
  const { isPublic, door } = request.routeOptions.config;
  try {
    if (door) request.caller = await authenticateAtDoor(context, request, door);
    else if (!isPublic) request.caller = await authenticate(context, request);
    return null;
  } catch (error) {
    return { error };
  }
}
