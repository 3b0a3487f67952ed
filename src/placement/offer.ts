// Offers: what can be rented now, computed from the market for every search (Fluence API: search offers). One offer is one
// configuration in one class of hosts.

import type { Size } from '../model/configuration.ts';
import { additionalGibOf, type Constraints } from '../model/constraints.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { Hardware } from '../model/hardware.ts';
import type { MicroUsd } from '../model/money.ts';
import { pricePerResource, type RateCard, type ResourcePrices } from '../model/price.ts';
import type { SoldGrades } from '../model/storage-pool.ts';
import { isAskedFor, keepersOf, rulesOf } from './filter.ts';
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
  rates: RateCard;
  grades: SoldGrades;
  hardware: Hardware;
  datacenter: Datacenter | null;
  /** How many instances fit now, each with the additional storage that was asked for. */
  available: number;
  /** At most {@link serversMax}: how many instances fit into each, and how many GiB beyond the configuration's storage. */
  servers: { available: number; additionalGib: number }[];
  /** What one instance may have beyond the configuration's storage as a rule; null is no limit. */
  additionalGibMax: number | null;
  /** What one instance could have now. */
  additionalGib: number;
}

/** What was made of a class, until one of its hosts changes: most searches ask for what others asked for before. */
const made = new WeakMap<HostClass, { revision: number; offers: Map<string, Offer> }>();

/**
 * The offers that keep the constraints, cheapest first, from `offset` on and at most `limit`. An offer that has not changed
 * since another search is the same object, which nobody may change.
 */
export function searchOffers(market: Market, constraints: Constraints, offset: number, limit: number): Offer[] {
  const { configuration: slug, maxPricePerEpoch: max } = constraints;
  const keepers = keepersOf(rulesOf(constraints));
  const extraGib = additionalGibOf(constraints);
  const offers: Offer[] = [];
  let skipped = 0;
  for (const listing of slug === null ? market.listings() : market.listingsOf(slug)) {
    const { tier, configuration, price } = listing;
    if (!isAskedFor(constraints, configuration)) continue;
    if (max !== null && price + BigInt(extraGib) * tier.rates.storageGibMicroUsd > max) continue;
    for (const hostClass of keepers(tier)) {
      if (!hostClass.available.get(configuration.slug)) continue;
      if (extraGib > 0 && !hasRoom(hostClass, configuration.size, extraGib)) continue;
      if (skipped < offset) skipped += 1;
      else if (offers.push(offerOf(hostClass, listing, extraGib)) === limit) return offers;
    }
  }
  return offers;
}

function hasRoom({ groups, largest }: HostClass, size: Size, extraGib: number): boolean {
  const wanted = { ...size, diskGib: size.diskGib + extraGib };
  if (largest.diskGib < wanted.diskGib) return false;
  return groups.some(({ free }) => room(free, wanted) > 0);
}

function offerOf(hostClass: HostClass, listing: Listing, extraGib: number): Offer {
  if (extraGib > 0) return makeOffer(hostClass, listing, extraGib);
  let known = made.get(hostClass);
  if (known?.revision !== hostClass.revision) {
    known = { revision: hostClass.revision, offers: new Map() };
    made.set(hostClass, known);
  }
  const { slug } = listing.configuration;
  const offer = known.offers.get(slug) ?? makeOffer(hostClass, listing, 0);
  known.offers.set(slug, offer);
  return offer;
}

function makeOffer(hostClass: HostClass, { tier, configuration, price }: Listing, extraGib: number): Offer {
  const { size } = configuration;
  const wanted = { ...size, diskGib: size.diskGib + extraGib };
  const limit = hostClass.additionalGibMax ?? Number.POSITIVE_INFINITY;
  const servers: Offer['servers'] = [];
  let additionalGib = 0;
  let available = 0;
  for (const { free, hosts } of hostClass.groups) {
    const fitting = room(free, wanted);
    if (fitting === 0) continue;
    available += fitting * hosts.size;
    const left = free.diskGib - size.diskGib;
    additionalGib = Math.max(additionalGib, Math.min(left, limit));
    for (let index = 0; index < hosts.size && servers.length < serversMax; index += 1) {
      servers.push({ available: room(free, size), additionalGib: left });
    }
  }
  return {
    configuration: configuration.slug,
    price,
    resources: pricePerResource(tier.rates, size),
    storageGibPrice: tier.rates.storageGibMicroUsd,
    rates: tier.rates,
    grades: hostClass.grades,
    hardware: hostClass.hardware,
    datacenter: hostClass.datacenter,
    available,
    servers,
    additionalGibMax: hostClass.additionalGibMax,
    additionalGib,
  };
}
