// The market for customers: searching offers, estimating what a deployment would cost, and what can be asked for.

import { type ConstraintFields, type Constraints, checkConstraints } from '../model/constraints.ts';
import type { Datacenter } from '../model/datacenter.ts';
import { BerthError, shown } from '../model/errors.ts';
import { largestOf, type MicroUsd } from '../model/money.ts';
import { type Offer, searchOffers as search } from '../placement/offer.ts';
import { type Placed, place } from '../placement/place.ts';
import { listDatacenters as readDatacenters } from '../store/datacenter.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';
import { tellNotFound } from './offer-not-found.ts';

export type { Offer } from '../placement/offer.ts';

/** Instances that one request may ask for. */
export const instancesMax = 10;
/** Offers in one answer, the cheapest; further ones are on further pages. */
export const offersMax = 100;

/**
 * Offers that keep the constraints now, the cheapest first.
 * @param window which page of them, the first when left out
 * @throws BerthError `invalid_value` naming the constraint that can't be
 */
export async function searchOffers(
  context: Context,
  principal: Principal,
  given: Constraints,
  fields: ConstraintFields,
  window: { page: number; perPage: number } = { page: 1, perPage: offersMax },
): Promise<Offer[]> {
  const constraints = checkConstraints(given, fields);
  const market = await context.market.now();
  const perPage = Math.min(window.perPage, offersMax);
  const offers = search(market, constraints, (window.page - 1) * perPage, perPage);
  if (offers.length === 0 && window.page === 1) {
    await tellNotFound(context, principal, market, { constraints, count: 1 });
  }
  return offers;
}

/** How Berth's own API calls the constraints that can be refused. */
export type PlaceFields = ConstraintFields & { datacenters: string };

/**
 * Constraints that may name datacenters by their ids as well, held against what they may be.
 * @returns them with datacenters by their slugs
 * @throws BerthError `invalid_value` naming the constraint that can't be
 */
export async function checkPlaceConstraints(
  context: Context,
  given: Constraints,
  fields: PlaceFields,
): Promise<Constraints> {
  const constraints = checkConstraints(given, fields);
  const { datacenters = [] } = constraints;
  if (datacenters.length === 0) return constraints;
  const known = await readDatacenters(context.database);
  const slugs = datacenters.map((wanted, index) => {
    const found = known.find(({ id, slug }) => id === wanted || slug === wanted);
    if (found) return found.slug;
    const field = `${fields.datacenters}[${index}]`;
    throw new BerthError('invalid_value', `${field} is ${shown(wanted)}, and there is no such datacenter.`, field);
  });
  return { ...constraints, datacenters: slugs };
}

/**
 * Offers that keep the constraints now, the cheapest first, from `offset` on. Nobody is told where there is none.
 * @throws BerthError `invalid_value` naming the constraint that can't be
 */
export async function listOffers(
  context: Context,
  given: Constraints,
  fields: PlaceFields,
  { offset, limit }: { offset: number; limit: number },
): Promise<Offer[]> {
  const constraints = await checkPlaceConstraints(context, given, fields);
  return search(await context.market.now(), constraints, offset, limit);
}

/** What a deployment would cost. Amounts are in micro-USD. */
export interface Estimate {
  /** What must be there to deploy: the first epoch and the deposit of all instances. */
  deposit: MicroUsd;
  depositEpochs: number;
  /** All instances, one epoch. */
  total: MicroUsd;
  /** The dearest instance, one epoch. */
  max: MicroUsd;
  instances: number;
}

/**
 * What a deployment under these constraints would cost now.
 * @throws BerthError `invalid_value`; `no_suitable_offer` when nothing fits, `not_enough_offers` when too little does
 */
export async function estimate(
  context: Context,
  principal: Principal,
  given: Constraints,
  instances: number,
  fields: ConstraintFields & { instances: string },
): Promise<Estimate> {
  checkInstances(instances, fields.instances);
  const constraints = checkConstraints(given, fields);
  const market = await context.market.now();
  const { placements, placed } = place(market, { constraints, count: instances });
  if (placed < instances) {
    await tellNotFound(context, principal, market, { constraints, count: instances });
    throw notEnoughOffers();
  }
  const total = placements.reduce((sum, { price, count }) => sum + price * BigInt(count), 0n);
  const depositEpochs = context.settings.billing.period === 'per-second' ? 1 : 2;
  return {
    deposit: total * BigInt(depositEpochs),
    depositEpochs,
    total,
    max: largestOf(placements.map(({ price }) => price)),
    instances,
  };
}

/**
 * Holds a number of instances against what one request may ask for.
 * @throws BerthError `invalid_value`
 */
export function checkInstances(instances: number, field: string): void {
  if (Number.isInteger(instances) && instances >= 1 && instances <= instancesMax) return;
  const message = `${field} is ${shown(instances)}; it must be a whole number from 1 to ${instancesMax}.`;
  throw new BerthError('invalid_value', message, field);
}

/** The refusal of a deployment that found no place for some of its instances, or for any. */
export function noOffer({ placed }: Pick<Placed, 'placed'>): BerthError {
  return placed === 0 ? new BerthError('no_suitable_offer', 'No suitable offer found') : notEnoughOffers();
}

const notEnoughOffers = () => new BerthError('not_enough_offers', 'Not enough offers found');

/** The configurations that are sold, from the smallest. */
export async function listConfigurations(context: Context): Promise<string[]> {
  return (await context.market.now()).configurations.map(({ slug }) => slug);
}

/** Countries with hosts that take instances, in alphabetical order. */
export async function listCountries(context: Context): Promise<string[]> {
  const market = await context.market.now();
  return [...new Set([...market.classes()].flatMap(({ datacenter }) => datacenter?.countryCode ?? []))].sort();
}

/** What can be asked for of hardware: what hosts that take instances are made of. */
export interface OfferedHardware {
  cpu: { manufacturer: string; architecture: string }[];
  memory: { type: string; generation: string }[];
  storage: { type: string }[];
}

/** The hardware of the hosts that take instances; what is unknown of one can't be asked for and is left out. */
export async function listHardware(context: Context): Promise<OfferedHardware> {
  const hardware = [...(await context.market.now()).classes()].map((hostClass) => hostClass.hardware);
  return {
    cpu: distinct(
      hardware.flatMap(({ cpu: { manufacturer, architecture } }) =>
        manufacturer === null || architecture === null ? [] : { manufacturer, architecture },
      ),
    ),
    memory: distinct(
      hardware.flatMap(({ memory: { type, generation } }) =>
        type === null || generation === null ? [] : { type, generation },
      ),
    ),
    storage: distinct(hardware.map(({ storage }) => ({ type: storage.type }))),
  };
}

/** Every datacenter of the market. */
export function listDatacenters(context: Context): Promise<Datacenter[]> {
  return readDatacenters(context.database);
}

function distinct<Value extends object>(values: readonly Value[]): Value[] {
  const byText = new Map(values.map((value) => [JSON.stringify(value), value]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
