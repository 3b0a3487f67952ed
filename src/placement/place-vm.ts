// Placement of VMs of any size, with disks of any grades: the cheapest host first, and among those of one price the best
// fit. Pure, as all placement.

import { gibTaken, type Size } from '../model/configuration.ts';
import { type Constraints, noConstraints } from '../model/constraints.ts';
import type { MicroUsd } from '../model/money.ts';
import { type PricedVm, priceOfVm } from '../model/price.ts';
import { sells } from '../model/storage-pool.ts';
import { rulesOf } from './filter.ts';
import type { HostClass, Market, Tier } from './market.ts';
import { type Placed, type Placement, placeAtOnePrice, type Wanted } from './place.ts';

/** A VM that is to be placed. */
export interface WantedVm extends Pick<Wanted, 'limits' | 'pick'> {
  vm: PricedVm;
  /** The slug of the datacenter that it must be in; null is any. */
  datacenter: string | null;
  /** What is asked of its host beside that, and the price that it may have; what they say of sizes does not count here. */
  constraints?: Constraints;
  /** How many of it; one unless said otherwise. */
  count?: number;
  /** Whether all of its disks are to lie in its host's default pool. */
  isInDefaultPool?: boolean;
}

/** What a VM takes of its host, without disks of grades that have pools of their own there. */
export function sizeOfVm({ vcpus, memoryMib, disks }: PricedVm, apartGrades: readonly string[] = []): Size {
  const inDefaultPool = disks.filter(({ grade }) => !apartGrades.includes(grade));
  return { vcpus, memoryMib, diskGib: gibTaken(inDefaultPool.map(({ sizeMib }) => sizeMib)) };
}

/** Finds hosts for a VM, or for several that are alike. */
export function placeVm(
  market: Market,
  { vm, datacenter, constraints = noConstraints, count = 1, isInDefaultPool = false, ...lessons }: WantedVm,
): Placed {
  const rules = rulesOf(constraints);
  const { maxPricePerEpoch: max } = constraints;
  const grades = vm.disks.map(({ grade }) => grade);
  const prices = new Map<Tier, MicroUsd>();
  // Classes are alike where they have one price and set the same of the VM's grades apart: there it has one size.
  const alike = new Map<string, { price: MicroUsd; apartGrades: string[]; size: Size; classes: HostClass[] }>();
  for (const hostClass of market.classes()) {
    const { tier, largest, grades: sold } = hostClass;
    if (datacenter !== null && hostClass.datacenter?.slug !== datacenter) continue;
    if (!sells(sold, grades) || !rules.every((rule) => rule.keeps(hostClass))) continue;
    const price = prices.get(tier) ?? priceOfVm(tier.rates, vm);
    prices.set(tier, price);
    if (max !== null && price > max) continue;
    const apartGrades = sold.apart.filter((grade) => grades.includes(grade));
    if (isInDefaultPool && apartGrades.length > 0) continue;
    const key = `${price} ${apartGrades}`;
    const known = alike.get(key) ?? { price, apartGrades, size: sizeOfVm(vm, apartGrades), classes: [] };
    const { size } = known;
    if (largest.vcpus < size.vcpus || largest.memoryMib < size.memoryMib || largest.diskGib < size.diskGib) continue;
    known.classes.push(hostClass);
    alike.set(key, known);
  }
  const placements: Placement[] = [];
  let left = count;
  let largest: Size | null = null;
  for (const { price, apartGrades, size, classes } of [...alike.values()].sort((a, b) =>
    a.price < b.price ? -1 : 1,
  )) {
    if (left === 0) break;
    for (const share of placeAtOnePrice(classes, size, left, market.configurations, lessons)) {
      placements.push({ ...share, price, apartGrades });
      left -= share.count;
      // They differ in what goes to pools set apart alone.
      if (largest === null || size.diskGib > largest.diskGib) largest = size;
    }
  }
  return { configuration: null, size: largest ?? sizeOfVm(vm), placements, placed: count - left };
}
