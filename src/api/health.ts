// Whether Berth is alive and can deploy: for people, load balancers and scripts that wait for it.

import type { Context } from '../app/context.ts';
import { isReadyToDeploy } from '../app/host.ts';
import type { App } from './types.ts';

/** Adds the route. 200 means that a deployment could be taken now: the database answers and a host is there. */
export function healthRoutes(app: App, context: Context): void {
  app.get('/healthz', { schema: { hide: true } as object }, async (request, reply) => {
    try {
      if (await isReadyToDeploy(context)) return { status: 'ok' };
      return reply.code(503).send({ status: 'unavailable', reason: 'no host has reported lately' });
    } catch (error) {
      request.log.warn({ err: error }, 'health check failed');
      return reply.code(503).send({ status: 'unavailable', reason: 'the database does not answer' });
    }
  });
}
