// Who a request comes from: the bearer of an API key or of a session's token, or a page with a session's cookie.

import type { FastifyRequest } from 'fastify';
import { authenticateBearer, type Caller } from '../../app/caller.ts';
import type { Context } from '../../app/context.ts';
import { requireSameSite, tokenOfCookie } from './cookie.ts';

/** What sessions' tokens begin with; everything else that is shown is an API key. */
const sessionPrefix = 'session_';

/**
 * Who sends this request: `Authorization: Bearer` and a key or a session's token, `X-API-Key` and a key, or a session's cookie
 * where there is none of them.
 * @throws BerthError `unauthenticated`, `cross_site`
 */
export async function authenticate(context: Context, request: FastifyRequest): Promise<Caller> {
  const { headers, ip } = request;
  const own = headers['x-api-key'];
  const shown = typeof own === 'string' && own ? own : /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  const ofCookie = shown === undefined && headers.authorization === undefined ? tokenOfCookie(request) : undefined;
  if (ofCookie !== undefined) requireSameSite(request);
  const token = shown === undefined || shown.startsWith(sessionPrefix) ? shown : `apikey.${shown}`;
  return authenticateBearer(context, token ?? ofCookie, ip);
}

/**
 * Whose idempotency keys a caller's are. Who may do less is not told what was answered to who may do more: each key of a user's
 * has its own, and so have an account's keys that only read.
 */
export function repeatsOf(caller: Caller): string {
  const { apiKeyId, accountKeyId, grants } = caller;
  const owner = ownerOf(caller);
  if (apiKeyId !== null) return `${owner}/key:${apiKeyId}`;
  const isFull = accountKeyId === undefined || grants.some(({ level }) => level === 'account_admin');
  return isFull ? owner : `${owner}/read-only`;
}

/** Whose rate, streams and doors a caller's requests count for. */
export function ownerOf({ user, grants, actor }: Caller): string {
  if (user) return `user:${user.id}`;
  const [grant] = grants;
  return grant?.accountId === undefined ? actor : `account:${grant.accountId}`;
}
