// Who a request comes from: the bearer of a session's token or of an API key, which the calls of billing name in their own way.

import type { FastifyRequest } from 'fastify';
import { authenticateBearer, type Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';

/** Who sends this request. @throws BerthError `unauthenticated` */
export function callerOf(context: Context, request: FastifyRequest): Promise<Caller> {
  const token = /^(?:bearer\s+|token\s+token=)(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1];
  return authenticateBearer(context, token, request.ip);
}
