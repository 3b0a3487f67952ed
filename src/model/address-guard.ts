// Holds a connection to a customer's URL against the table of public addresses. The check is made on the very addresses that
// the connection will use, so a name that changes its answer gains nothing.

import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { endpointOf, isPublicAddress } from './public-address.ts';

/** `dns.lookup`, as far as it is used here. */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** How a URL's addresses are found and judged. */
export interface Guard {
  /** `HOST:PORT` of those that may have a private address. */
  allowed: ReadonlySet<string>;
  lookup: Lookup;
  /** The refusal of an address that is not public; `found` tells which it is and where it was found. */
  refuse(found: string): Error;
}

/**
 * Checks a URL whose host is a literal address, for which no lookup will be made, and gives the lookup to connect with.
 * @throws what `guard.refuse` makes
 */
export function guardedLookup(url: URL, { allowed, lookup, refuse }: Guard): LookupFunction {
  const mayBePrivate = allowed.has(endpointOf(url));
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (!mayBePrivate && isIP(literal) && !isPublicAddress(literal)) throw refuse(literal);

  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      // One private address among public ones is as good as an attack; none of them is tried.
      const bad = mayBePrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
      const first = addresses[0];
      if (bad) callback(refuse(`${hostname} is at ${bad.address}, which`), []);
      else if (!first) callback(Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND' }), []);
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
