// Tells an account why a request of its found nothing: an event, written apart from whatever the request was doing, which
// is rolled back or was never begun.

import { formatUsd } from '../model/money.ts';
import { type Explanation, explain, type Relaxation } from '../placement/explain.ts';
import type { Market } from '../placement/market.ts';
import type { Wanted } from '../placement/place.ts';
import { insertEventUnflushed } from '../store/event.ts';
import type { Principal } from './authenticate.ts';
import { apart, type Context } from './context.ts';

/** Writes the event `offer.not_found`. */
export async function tellNotFound(
  context: Context,
  principal: Principal,
  market: Market,
  { constraints, count }: Wanted,
): Promise<void> {
  const explanation = explain(market, { constraints, count });
  const event = {
    accountId: principal.accountId,
    instanceId: null,
    hostId: null,
    kind: 'offer.not_found',
    message: sentence(explanation),
    actor: principal.actor,
    data: {
      hosts: explanation.hosts,
      fitting: explanation.fitting,
      removed: explanation.removed,
      relaxations: explanation.relaxations.map(toData),
    },
    createdAt: context.clock.now(),
  };
  await apart(context, ({ database }) => insertEventUnflushed(database, event));
}

function sentence({ hosts, removed, relaxations }: Explanation): string {
  const why = removed.map((one) => `${one.constraint} turned down ${one.hosts}`).join(', ');
  const [first] = relaxations;
  const hint = first
    ? ` It would have worked with another ${first.changed.join(' and ')}, for ${formatUsd(first.totalPrice)} an epoch.`
    : '';
  return `Of ${hosts} ${hosts === 1 ? 'host' : 'hosts'} none could take all of it${why && `: ${why}`}.${hint}`;
}

function toData({ changed, constraints, instances, maxPrice, totalPrice }: Relaxation) {
  const { maxPricePerEpoch: max, ...rest } = constraints;
  return {
    changed,
    constraints: { ...rest, maxPricePerEpoch: max === null ? null : formatUsd(max) },
    instances,
    maxPricePerEpoch: formatUsd(maxPrice),
    totalPricePerEpoch: formatUsd(totalPrice),
  };
}
