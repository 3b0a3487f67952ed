// One GET of an image, over as many redirects as are allowed, up to the moment the answer's head is there. It holds the
// rules of where a request may go; what the answer means, and its body, are `download.ts`'s business.

import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { DriverFailure } from '../driver.ts';
import type { AddressGuard } from './address-guard.ts';
import { BodyReader } from './body-reader.ts';
import { errorCode, imageFailure, shownUrl } from './failure.ts';

/** An answer whose body has not been read. Whoever gets one reads the body to its end or discards it. */
export interface Answer {
  status: number;
  statusText: string;
  headers: IncomingHttpHeaders;
  body: BodyReader;
  /** Whether the server sent more than the answer it had announced; known once the body has been read. */
  sentMore: () => boolean;
}

/** How to reach image servers. */
export interface Network {
  guard: AddressGuard;
  /** PEM certificates to trust beside the usual ones, for an operator's own mirror. */
  certificateAuthorities?: string | undefined;
}

/** A failure that another attempt may get past; `failure` is what to say when none does. */
export class Transient extends Error {
  readonly failure: DriverFailure;
  /** How long the server asked to wait, if it did. */
  readonly retryAfterMs: number | null;
  /** What the server is busy with, when it is still making the image. */
  readonly building: string | null;

  constructor(failure: DriverFailure, retryAfterMs: number | null = null, building: string | null = null) {
    super(failure.message);
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
    this.building = building;
  }
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** OpenSSL's verdicts on a certificate that no retry changes. */
const certificateErrors =
  /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(VERIFY|GET_ISSUER)|HOSTNAME_MISMATCH|INVALID_(CA|PURPOSE))/;

/** What an error of the connection means for the image at `url`. Errors that are already failures stay what they are. */
function connectionFailure(error: unknown, url: URL): unknown {
  const code = errorCode(error);
  const detail = error instanceof Error && error.message ? error.message : code;
  if (code.startsWith('image.')) return error;
  if (certificateErrors.test(code)) {
    return imageFailure('image.tls', `The image server at ${url.host} can't be trusted: ${detail}.`);
  }
  if (code.startsWith('HPE_')) {
    return imageFailure('image.http', `The image server at ${url.host} answered something that is not HTTP (${code}).`);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') {
    return new Transient(
      imageFailure('image.unreachable', `The image server's name ${url.hostname} can't be resolved.`),
    );
  }
  return new Transient(
    imageFailure('image.unreachable', `The image at ${shownUrl(url)} can't be reached (${detail}).`),
  );
}

/** Sends one request and waits for the head of its answer, `timeoutMs` at most. */
function send(
  url: URL,
  headers: Record<string, string>,
  network: Network,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const secure = url.protocol === 'https:';
  const lookup = network.guard.lookupFor(url);
  return new Promise((resolve, reject) => {
    let sentMore = false;
    // Agents of their own: the global one may have been told by the environment to use a proxy, which would connect
    // to addresses that nobody here has seen.
    const request = secure
      ? httpsRequest(url, {
          headers,
          lookup,
          signal,
          agent: new HttpsAgent({ keepAlive: false }),
          ...(network.certificateAuthorities ? { ca: network.certificateAuthorities } : {}),
        })
      : httpRequest(url, { headers, lookup, signal, agent: new HttpAgent({ keepAlive: false }) });
    const late = setTimeout(() => {
      const seconds = Math.round(timeoutMs / 1000);
      const text = `The image server did not answer for ${shownUrl(url)} within ${seconds} s.`;
      request.destroy(new Transient(imageFailure('image.timeout', text)));
    }, timeoutMs);

    request.on('response', (body) => {
      clearTimeout(late);
      resolve({
        status: body.statusCode ?? 0,
        statusText: body.statusMessage ?? '',
        headers: body.headers,
        body: new BodyReader(body),
        sentMore: () => sentMore,
      });
    });
    request.on('error', (error) => {
      clearTimeout(late);
      // After a complete answer the parser complains about whatever follows it.
      if (errorCode(error).startsWith('HPE_')) sentMore = true;
      reject(signal.aborted ? signal.reason : error instanceof Transient ? error : connectionFailure(error, url));
    });
    request.end();
  });
}

/**
 * Gets a URL, following redirects; each step is checked like the first.
 * @param timeoutMs for each answer's head
 * @throws DriverFailure when a step is not allowed; Transient when another try may help; the signal's reason
 */
export async function get(
  start: URL,
  headers: Record<string, string>,
  network: Network,
  limits: { redirectsMax: number; timeoutMs: number },
  signal: AbortSignal,
): Promise<Answer> {
  let url = start;
  for (let step = 0; step <= limits.redirectsMax; step += 1) {
    const answer = await send(url, headers, network, limits.timeoutMs, signal);
    if (!redirectStatuses.has(answer.status)) return answer;
    answer.body.discard();
    url = redirectTarget(url, answer.headers.location);
  }
  throw imageFailure(
    'image.redirect',
    `The image at ${shownUrl(start)} redirects more than ${limits.redirectsMax} times; give the URL where it ends.`,
  );
}

/** Where a redirect leads, if it may. */
function redirectTarget(from: URL, location: string | undefined): URL {
  const fail = (why: string) => imageFailure('image.redirect', `The image at ${shownUrl(from)} redirects ${why}.`);
  if (!location) throw fail('without saying where to');
  const target = URL.parse(location, from.href);
  if (!target) throw fail('to something that is not a URL');
  if (target.protocol !== 'https:' && target.protocol !== 'http:') {
    throw fail(`to a ${target.protocol} URL; only https and http are followed`);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw fail(`from https to http (${shownUrl(target)}), which would let anyone change it on its way`);
  }
  if (target.username || target.password) throw fail('to a URL with a user name or password in it');
  return target;
}

/** At most the first `bytesMax` bytes of a body, as text. Anything that goes wrong ends it early. */
export async function bodyStart(answer: Answer, bytesMax: number, timeoutMs: number): Promise<string> {
  const late = setTimeout(() => answer.body.discard(), timeoutMs);
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= bytesMax) break;
    }
  } finally {
    clearTimeout(late);
    answer.body.discard();
  }
  return Buffer.concat(chunks).subarray(0, bytesMax).toString('utf8');
}
