// Offers: what can be rented now, computed from the market for every search (Fluence API: search offers). One offer is one
// configuration in one class of hosts.

import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { Hardware } from '../model/hardware.ts';
import type { MicroUsd } from '../model/money.ts';
import { pricePerResource, type ResourcePrices } from '../model/price.ts';
import { brokenBy } from './filter.ts';
import { type HostClass, type Listing, type Market, room } from './market.ts';

/** Servers that one offer lists; the rest are no different, and a list of thousands would help nobody. */
export const serversMax = 20;

/** An offer. Prices are for one epoch, without additional storage. */
export interface Offer {
  configuration: string;
  price: MicroUsd;
  /** What each resource adds to the price. */
  resources: ResourcePrices;
  /** One GiB beyond the configuration's storage. */
  storageGibPrice: MicroUsd;
  hardware: Hardware;
  datacenter: Datacenter | null;
  /** At most {@link serversMax}: how many instances fit into each, and how many GiB beyond the configuration's storage. */
  servers: { available: number; additionalGib: number }[];
  /** What one instance may have beyond the configuration's storage as a rule; null is no limit. */
  additionalGibMax: number | null;
  /** What one instance could have now. */
  additionalGib: number;
}

/** The offers that keep the constraints, cheapest first, from `offset` on and at most `limit`. */
export function searchOffers(market: Market, constraints: Constraints, offset: number, limit: number): Offer[] {
  const matches = new Map<HostClass, boolean>();
  const extraGib = additionalGibOf(constraints);
  const offers: Offer[] = [];
  let skipped = 0;
  for (const listing of market.listings()) {
    const { hostClass, configuration, price } = listing;
    if (constraints.configuration !== null && configuration.slug !== constraints.configuration) continue;
    if (!hostClass.available.get(configuration.slug)) continue;
    if (constraints.maxPricePerEpoch !== null) {
      if (price + BigInt(extraGib) * hostClass.rates.storageGibMicroUsd > constraints.maxPricePerEpoch) continue;
    }
    let match = matches.get(hostClass);
    if (match === undefined) {
      match = brokenBy(hostClass, constraints) === null;
      matches.set(hostClass, match);
    }
    if (!match) continue;
    const offer = offerOf(listing, extraGib);
    if (offer.servers.length === 0) continue;
    if (skipped < offset) skipped += 1;
    else if (offers.push(offer) === limit) break;
  }
  return offers;
}

function offerOf({ hostClass, configuration, price }: Listing, extraGib: number): Offer {
  const { size } = configuration;
  const wanted = { ...size, diskGib: size.diskGib + extraGib };
  const limit = hostClass.additionalGibMax ?? Number.POSITIVE_INFINITY;
  const servers: Offer['servers'] = [];
  let additionalGib = 0;
  for (const { free, hosts } of hostClass.groups) {
    if (room(free, wanted) === 0) continue;
    const left = free.diskGib - size.diskGib;
    additionalGib = Math.max(additionalGib, Math.min(left, limit));
    for (let index = 0; index < hosts.size && servers.length < serversMax; index += 1) {
      servers.push({ available: room(free, size), additionalGib: left });
    }
  }
  return {
    configuration: configuration.slug,
    price,
    resources: pricePerResource(hostClass.rates, size),
    storageGibPrice: hostClass.rates.storageGibMicroUsd,
    hardware: hostClass.hardware,
    datacenter: hostClass.datacenter,
    servers,
    additionalGibMax: hostClass.additionalGibMax,
    additionalGib,
  };
}
