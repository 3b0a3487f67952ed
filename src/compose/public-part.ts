// A part of a file that a customer's URL leads to, over redirects, and never from an address that is not public.

import { lookup as dnsLookup } from 'node:dns';
import { readPart } from '../host/http-read.ts';
import { guardedLookup, type Lookup } from '../model/address-guard.ts';

/** Mirrors redirect once or twice. */
const redirectsMax = 5;
/** For all of it: somebody waits for the answer. */
const timeoutMs = 5_000;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** How the last server answered; or what is wrong on the way to it, as the end of a sentence, and whether that stays so. */
export type PublicPart = { status: number; body: Buffer } | { fault: string; lasting: boolean };

/**
 * Reads a part of a file.
 * @param allowed `HOST:PORT` of servers that may have a private address
 */
export async function readPublicPart(
  first: URL,
  part: { firstByte: number; length: number },
  allowed: ReadonlySet<string>,
  lookup: Lookup = dnsLookup,
): Promise<PublicPart> {
  const signal = AbortSignal.timeout(timeoutMs);
  let url = first;
  try {
    for (let hop = 0; hop <= redirectsMax; hop += 1) {
      const refuse = (found: string) => new NotPublic(found);
      const guard = guardedLookup(url, { allowed, lookup, refuse });
      const { status, location, body } = await readPart(url, { ...part, lookup: guard }, signal);
      if (!redirects.has(status)) return { status, body };
      const next = location === null ? null : URL.parse(location, url.href);
      if (next === null || !/^https?:$/.test(next.protocol)) {
        return { fault: 'leads to nothing that can be fetched', lasting: true };
      }
      url = next;
    }
    return { fault: 'redirects too often', lasting: true };
  } catch (error) {
    if (error instanceof NotPublic) return { fault: 'must be on a public server', lasting: true };
    const why = signal.aborted ? `does not answer within ${timeoutMs / 1000} s` : "can't be reached";
    return { fault: `can't be fetched: its server ${why}`, lasting: false };
  }
}

/** An address that customers' URLs must not lead to. */
class NotPublic extends Error {
  override readonly name = 'NotPublic';
}
