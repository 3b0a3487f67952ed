// Sessions of web pages: their token is in a cookie that no script can read. A browser sends it along with whatever any page
// makes it send, so a change that comes with a cookie is taken only from pages of Berth's own site.

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { BerthError } from '../../model/errors.ts';

const bareName = 'berth_session';
/** A browser takes a cookie of such a name from this very site over HTTPS alone, and from no neighbour below the same domain. */
const hostName = `__Host-${bareName}`;
const patterns = new Map([bareName, hostName].map((name) => [name, new RegExp(`(?:^|;)\\s*${name}=([^;\\s]+)`)]));

/** The token of a request's cookie, or undefined where it has none. */
export const tokenOfCookie = (request: FastifyRequest): string | undefined =>
  patterns.get(nameFor(request))?.exec(request.headers.cookie ?? '')?.[1];

/** The header that gives a browser a session's token. The cookie ends with the browser, and the token with the session. */
export const cookieWith = (token: string, request: FastifyRequest): Record<string, string> => ({
  'set-cookie': `${nameFor(request)}=${token}; ${attributesFor(request)}`,
});

/** The header that takes it away again. */
export const cookieAway = (request: FastifyRequest): Record<string, string> => ({
  'set-cookie': `${nameFor(request)}=; Max-Age=0; ${attributesFor(request)}`,
});

const nameFor = (request: FastifyRequest) => (isSecure(request) ? hostName : bareName);

const attributesFor = (request: FastifyRequest): string =>
  `Path=/; HttpOnly; SameSite=Strict${isSecure(request) ? '; Secure' : ''}`;

/** Whether the browser has come by HTTPS. Who lies about that only keeps his own cookie from being sent. */
function isSecure({ protocol, headers }: FastifyRequest): boolean {
  const [first] = String(headers['x-forwarded-proto'] ?? '').split(',', 1);
  return protocol === 'https' || first?.trim() === 'https';
}

/** What tells where a request of a browser was made: in a page of this site, in another, or nothing tells. */
function siteOf(headers: IncomingHttpHeaders): 'same' | 'other' | 'unknown' {
  // Browsers write the first, and no script can. Over bare HTTP, and where they are old, they write the second alone.
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' ? 'same' : 'other';
  const { origin, host } = headers;
  if (origin === undefined) return 'unknown';
  return URL.canParse(origin) && new URL(origin).host === host ? 'same' : 'other';
}

/**
 * Holds a change that comes with a cookie to be made in a page of this site.
 * @throws BerthError `cross_site`
 */
export function requireSameSite({ method, headers }: FastifyRequest): void {
  const isReading = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  if (isReading || siteOf(headers) === 'same') return;
  const rule = 'needs Sec-Fetch-Site: same-origin, or an Origin that is this site';
  throw new BerthError('cross_site', `A change that comes with the cookie ${bareName} ${rule}.`);
}

/**
 * Holds a login that asks for a cookie not to be made in a page of another site, which would log somebody in as somebody else.
 * @throws BerthError `cross_site`
 */
export function requireNoOtherSite({ headers }: FastifyRequest): void {
  if (siteOf(headers) !== 'other') return;
  throw new BerthError('cross_site', `This site's cookie ${bareName} is not given to pages of other sites.`);
}

/**
 * Holds a WebSocket not to be opened by a page of another site: browsers send the cookie along with it, and let whoever opened it
 * read. They write where the page is, and no script can; nor can it write what a proxy says of the name by which it was reached.
 * @throws BerthError `cross_site`
 */
export function requireOwnOrigin({ headers }: FastifyRequest): void {
  const { origin, host } = headers;
  if (origin === undefined || headers['sec-fetch-site'] === 'same-origin') return;
  const forwarded = String(headers['x-forwarded-host'] ?? '')
    .split(',', 1)[0]
    ?.trim();
  if (URL.canParse(origin) && [host, forwarded].includes(new URL(origin).host)) return;
  throw new BerthError('cross_site', `A WebSocket is opened by pages of this site (${host}), and Origin is ${origin}.`);
}
