// Which host a request comes from: agents show a credential of their own; customers' keys count for nothing here.

import type { FastifyRequest } from 'fastify';
import { authenticateAgent } from '../../app/authenticate.ts';
import type { Context } from '../../app/context.ts';

/** The host whose agent sends this request. @throws BerthError `unauthenticated` */
export function hostOf(context: Context, request: FastifyRequest): Promise<string> {
  return authenticateAgent(context, /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1]);
}
