// Sessions of web pages: their token is in a cookie that no script can read. A browser sends it along with whatever any page
// makes it send, so a change that comes with a cookie is taken only from pages of Berth's own site.

import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { BerthError } from '../../model/errors.ts';

const name = 'berth_session';
const pattern = new RegExp(`(?:^|;)\\s*${name}=([^;\\s]+)`);

/** The token of a request's cookie, or undefined where it has none. */
export const tokenOfCookie = ({ cookie }: IncomingHttpHeaders): string | undefined => pattern.exec(cookie ?? '')?.[1];

/** The header that gives a browser a session's token. The cookie ends with the browser, and the token with the session. */
export const cookieWith = (token: string, request: FastifyRequest): Record<string, string> => ({
  'set-cookie': `${name}=${token}; ${attributesFor(request)}`,
});

/** The header that takes it away again. */
export const cookieAway = (request: FastifyRequest): Record<string, string> => ({
  'set-cookie': `${name}=; Max-Age=0; ${attributesFor(request)}`,
});

function attributesFor({ protocol, headers }: FastifyRequest): string {
  // Who lies about how he came only keeps his own cookie from being sent.
  const isSecure = protocol === 'https' || headers['x-forwarded-proto'] === 'https';
  return `Path=/; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
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
  throw new BerthError('cross_site', `A change that comes with the cookie ${name} ${rule}.`);
}

/**
 * Holds a login that asks for a cookie not to be made in a page of another site, which would log somebody in as somebody else.
 * @throws BerthError `cross_site`
 */
export function requireNoOtherSite({ headers }: FastifyRequest): void {
  if (siteOf(headers) !== 'other') return;
  throw new BerthError('cross_site', `This site's cookie ${name} is not given to pages of other sites.`);
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
