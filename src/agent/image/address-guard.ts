// Holds every connection of a download against the table of public addresses. The check is made on the very addresses that
// the connection will use, so a name that changes its answer gains nothing.

import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { endpointOf, isPublicAddress, parseAllowedHost } from '../../model/public-address.ts';
import { imageFailure, shownUrl } from './failure.ts';

/** `dns.lookup`, as far as it is used here. */
export type Lookup = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** Decides for each URL, redirects included, where a connection may go. */
export class AddressGuard {
  readonly #allowed: ReadonlySet<string>;
  readonly #lookup: Lookup;

  /** @throws Error when an entry of `allowHosts` is not HOST:PORT */
  constructor(allowHosts: readonly string[], lookup: Lookup) {
    this.#allowed = new Set(allowHosts.map(parseAllowedHost));
    this.#lookup = lookup;
  }

  /**
   * Checks a URL whose host is a literal address, for which no lookup will be made, and gives the lookup to connect with.
   * @throws DriverFailure `image.address`
   */
  lookupFor(url: URL): LookupFunction {
    const refuse = (found: string) =>
      imageFailure(
        'image.address',
        `The image at ${shownUrl(url)} is refused: ${found} is not a public address. Serve it from the internet, or ask the operator to allow ${endpointOf(url)}.`,
      );
    const allowed = this.#allowed.has(endpointOf(url));
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    if (!allowed && isIP(literal) && !isPublicAddress(literal)) throw refuse(literal);

    return (hostname, options, callback) => {
      this.#lookup(hostname, { ...options, all: true }, (error, addresses) => {
        if (error) return callback(error, []);
        // One private address among public ones is as good as an attack; none of them is tried.
        const bad = allowed ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
        const first = addresses[0];
        if (bad) callback(refuse(`${hostname} is at ${bad.address}, which`), []);
        else if (!first) callback(Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND' }), []);
        else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      });
    };
  }
}
