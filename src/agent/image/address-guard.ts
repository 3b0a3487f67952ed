// Decides where the connections of a download may go, in the words of images.

import type { LookupFunction } from 'node:net';
import { guardedLookup, type Lookup } from '../../model/address-guard.ts';
import { endpointOf, parseAllowedHost } from '../../model/public-address.ts';
import { imageFailure, shownUrl } from './failure.ts';

export type { Lookup } from '../../model/address-guard.ts';

/** Decides for each URL, redirects included, where a connection may go. */
export class AddressGuard {
  readonly #allowed: ReadonlySet<string>;
  readonly #lookup: Lookup;

  /** @throws Error when an entry of `allowHosts` is not HOST:PORT */
  constructor(allowHosts: readonly string[], lookup: Lookup) {
    this.#allowed = new Set(allowHosts.flatMap(parseAllowedHost));
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
    return guardedLookup(url, { allowed: this.#allowed, lookup: this.#lookup, refuse });
  }
}
