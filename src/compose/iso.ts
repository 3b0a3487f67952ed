// Looking at an ISO image over the network before a VM is told to have it in its drive: at the one sector that says what it
// is. The host that fetches it later makes its own checks; this one is for a clear answer at once.

import { lookup as dnsLookup } from 'node:dns';
import type { IsoReader } from '../app/iso.ts';
import { readPart } from '../host/http-read.ts';
import { guardedLookup, type Lookup } from '../model/address-guard.ts';

/** Mirrors redirect once or twice. */
const redirectsMax = 5;
/** A customer waits for the answer. */
const timeoutMs = 5_000;

/** The system area comes first; then the volume descriptors, which begin with a type and this. */
const descriptorAt = 32_768;
const descriptorMark = 'CD001';

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A way to look at ISO images. @param allowed `HOST:PORT` of those that may have a private address */
export function isoReader(allowed: () => ReadonlySet<string>, lookup: Lookup = dnsLookup): IsoReader {
  return async (first) => {
    const signal = AbortSignal.timeout(timeoutMs);
    let url = first;
    try {
      for (let hop = 0; hop <= redirectsMax; hop += 1) {
        const refuse = (found: string) => new NotPublic(found);
        const guard = guardedLookup(url, { allowed: allowed(), lookup, refuse });
        const part = { firstByte: descriptorAt, length: 1 + descriptorMark.length, lookup: guard };
        const { status, location, body } = await readPart(url, part, signal);
        if (redirects.has(status)) {
          const next = location === null ? null : URL.parse(location, url.href);
          if (next === null || !/^https?:$/.test(next.protocol)) return 'leads to nothing that can be fetched';
          url = next;
          continue;
        }
        if (status === 416) return 'is not an ISO image';
        if (status !== 200 && status !== 206) return `can't be fetched: its server answers ${status}`;
        return body.toString('latin1', 1) === descriptorMark ? null : 'is not an ISO image';
      }
      return 'redirects too often';
    } catch (error) {
      if (error instanceof NotPublic) return 'must be on a public server';
      if (signal.aborted) return `can't be fetched: its server does not answer within ${timeoutMs / 1000} s`;
      return "can't be fetched: its server can't be reached";
    }
  };
}

/** An address that customers' URLs must not lead to. */
class NotPublic extends Error {
  override readonly name = 'NotPublic';
}
