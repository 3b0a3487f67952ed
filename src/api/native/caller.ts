// Who a request comes from: the bearer of an API key or of a session's token.

import type { FastifyRequest } from 'fastify';
import { authenticateBearer, type Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';

/** What sessions' tokens begin with; everything else that is shown is an API key. */
const sessionPrefix = 'session_';

/**
 * Who sends this request: `Authorization: Bearer` and a key or a session's token, or `X-API-Key` and a key.
 * @throws BerthError `unauthenticated`
 */
export function authenticate(context: Context, { headers, ip }: FastifyRequest): Promise<Caller> {
  const own = headers['x-api-key'];
  const shown = typeof own === 'string' && own ? own : /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  const token = shown === undefined || shown.startsWith(sessionPrefix) ? shown : `apikey.${shown}`;
  return authenticateBearer(context, token, ip);
}

/** Whose idempotency keys and rate a caller's requests count for. */
export function ownerOf({ user, grants, actor }: Caller): string {
  if (user) return `user:${user.id}`;
  const [grant] = grants;
  return grant?.accountId === undefined ? actor : `account:${grant.accountId}`;
}
