// Why the market has nothing for a request, or what it has: for each constraint how many hosts it turns down, and the smallest
// changes that would work. It only looks.

import type { Constraints } from '../model/constraints.ts';
import { type Explanation, explain } from '../placement/explain.ts';
import { place } from '../placement/place.ts';
import { turnedDownAlone } from '../placement/turned-down.ts';
import type { Context } from './context.ts';
import { checkInstances, checkPlaceConstraints, type PlaceFields } from './offer.ts';

/** An explanation, and how many of the instances have a place as it is. */
export interface OfferExplanation extends Omit<Explanation, 'removed'> {
  placed: number;
  /** For each constraint the hosts that it was the first to turn down, and those that it turns down by itself. */
  removed: { constraint: string; hosts: number; alone: number }[];
}

/**
 * Explains what the market has for so many instances under these constraints.
 * @throws BerthError `invalid_value`
 */
export async function explainOffers(
  context: Context,
  given: Constraints,
  count: number,
  fields: PlaceFields & { instances: string },
): Promise<OfferExplanation> {
  checkInstances(count, fields.instances);
  const constraints = await checkPlaceConstraints(context, given, fields);
  const market = await context.market.now();
  const { placed } = place(market, { constraints, count });
  const { removed, relaxations, ...explanation } = explain(market, { constraints, count });
  const alone = turnedDownAlone(market, constraints);
  const first = new Map(removed.map((one) => [one.constraint, one.hosts]));
  const all = [...new Set([...first.keys(), ...alone.keys()])].map((constraint) => ({
    ...{ constraint, hosts: first.get(constraint) ?? 0, alone: alone.get(constraint) ?? 0 },
  }));
  // Where all have a place, nothing has to give way.
  return { ...explanation, placed, removed: all, relaxations: placed === count ? [] : relaxations };
}
