// What is free where: for each datacenter and configuration how many instances still fit, for a picture of the market.

import type { Size } from '../model/configuration.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { MicroUsd } from '../model/money.ts';
import { pricePerEpoch } from '../model/price.ts';
import type { Context } from './context.ts';

/** How many instances of a configuration fit into a datacenter. */
export interface Capacity {
  /** Null is for the hosts of which nobody has said where they stand. */
  datacenter: Datacenter | null;
  configuration: { slug: string; size: Size };
  /** Hosts that take instances, whether or not one of this configuration fits. */
  hosts: number;
  available: number;
  /** What the cheapest of these hosts with room takes for one, an epoch; null where none has room. */
  price: MicroUsd | null;
}

/** The capacity of every datacenter with hosts that take instances, by their slugs, and in each from the smallest size. */
export async function listCapacity(context: Context): Promise<Capacity[]> {
  const market = await context.market.now();
  const byDatacenter = Map.groupBy(market.classes(), ({ datacenter }) => datacenter?.slug ?? null);
  const places = [...byDatacenter].sort(([one], [other]) => bySlug(one, other));
  return places.flatMap(([, classes]) =>
    market.configurations.map((configuration): Capacity => {
      const counted = classes.map(({ available, tier }) => {
        return { available: available.get(configuration.slug) ?? 0, rates: tier.rates };
      });
      const withRoom = counted.filter(({ available }) => available > 0);
      const prices = withRoom.map(({ rates }) => pricePerEpoch(rates, configuration.size));
      return {
        datacenter: classes[0]?.datacenter ?? null,
        configuration,
        hosts: classes.reduce((sum, { hosts }) => sum + hosts, 0),
        available: counted.reduce((sum, { available }) => sum + available, 0),
        price: prices.sort((one, other) => (one < other ? -1 : 1))[0] ?? null,
      };
    }),
  );
}

/** Hosts of which nobody has said where they stand come last. */
function bySlug(one: string | null, other: string | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return one < other ? -1 : 1;
}
