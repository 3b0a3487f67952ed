// How many hosts each constraint of a request turns down by itself, whatever the others do; beside the order in which an
// explanation counts them, this tells which one constraint is the hard one. Pure.

import type { Constraints } from '../model/constraints.ts';
import { affordableOf, sizesOf, whyNoSize, whyTooSmall } from './explain.ts';
import { rulesOf } from './filter.ts';
import type { Market } from './market.ts';

/** For each constraint the hosts that it turns down alone; those that turn down none are left out. */
export function turnedDownAlone(market: Market, constraints: Constraints): Map<string, number> {
  const counts = new Map<string, number>();
  const count = (reason: string | null, hosts: number) => {
    if (reason !== null && hosts > 0) counts.set(reason, (counts.get(reason) ?? 0) + hosts);
  };
  count('state', market.unsellable.state);
  count('reachable', market.unsellable.reachable);
  const rules = rulesOf(constraints);
  const sizes = sizesOf(market, constraints);
  for (const { tier, groups, hosts, ...traits } of market.classes()) {
    for (const rule of rules) if (!rule.keeps(traits)) count(rule.constraint, hosts);
    if (sizes.length === 0) {
      count(whyNoSize(market, constraints), hosts);
      continue;
    }
    if (affordableOf(tier, sizes, constraints).length === 0) count('maxPricePerEpoch', hosts);
    for (const group of groups) count(whyTooSmall(group.free, sizes), group.hosts.size);
  }
  return counts;
}
