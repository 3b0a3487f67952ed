// Which registries images may come from. The Engine pulls from inside the operator's network, so a registry's name must lead
// to the internet, unless the operator allows it.

import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { defaultRegistry, type ImageReference, registryEndpoint } from '../../model/image-reference.ts';
import { isPublicAddress } from '../../model/public-address.ts';
import { DriverFailure } from '../driver.ts';

/** Looks at where registries are. */
export class RegistryGuard {
  readonly #allowed: ReadonlySet<string>;

  /** @param allowHosts `HOST:PORT` of registries that may have a private address */
  constructor(allowHosts: readonly string[]) {
    this.#allowed = new Set(allowHosts);
  }

  /** @throws DriverFailure when the registry has an address that is not public */
  async check({ registry }: ImageReference): Promise<void> {
    const { hostname, endpoint } = registryEndpoint(registry ?? defaultRegistry);
    if (this.#allowed.has(endpoint)) return;
    // One that nobody knows the Engine does not find either, and says so.
    const found = isIP(hostname) ? [{ address: hostname }] : await lookup(hostname, { all: true }).catch(() => []);
    const closed = found.find(({ address }) => !isPublicAddress(address));
    if (!closed) return;
    const where = `The registry ${registry} is at ${closed.address}, which is not a public address`;
    throw new DriverFailure('IMAGE_NOT_FOUND', `${where}; ask the operator to allow ${endpoint}.`, true);
  }
}
