// Placement of one VM of any size, with disks of any grades: the cheapest host first, and among those of one price the best
// fit. Pure, as all placement.

import { gibTaken, type Size } from '../model/configuration.ts';
import type { MicroUsd } from '../model/money.ts';
import { type PricedVm, priceOfVm } from '../model/price.ts';
import { sells } from '../model/storage-pool.ts';
import type { HostClass, Market, Tier } from './market.ts';
import { type Placed, placeAtOnePrice, type Wanted } from './place.ts';

/** A VM that is to be placed. */
export interface WantedVm extends Pick<Wanted, 'limits' | 'pick'> {
  vm: PricedVm;
  /** The slug of the datacenter that it must be in; null is any. */
  datacenter: string | null;
}

/** What a VM takes of its host, without disks of grades that have pools of their own there. */
export function sizeOfVm({ vcpus, memoryMib, disks }: PricedVm, apartGrades: readonly string[] = []): Size {
  const inDefaultPool = disks.filter(({ grade }) => !apartGrades.includes(grade));
  return { vcpus, memoryMib, diskGib: gibTaken(inDefaultPool.map(({ sizeMib }) => sizeMib)) };
}

/** Finds a host for a VM. */
export function placeVm(market: Market, { vm, datacenter, ...lessons }: WantedVm): Placed {
  const grades = vm.disks.map(({ grade }) => grade);
  const prices = new Map<Tier, MicroUsd>();
  // Classes are alike where they have one price and set the same of the VM's grades apart: there it has one size.
  const alike = new Map<string, { price: MicroUsd; apartGrades: string[]; size: Size; classes: HostClass[] }>();
  for (const hostClass of market.classes()) {
    const { tier, largest, grades: sold } = hostClass;
    if (datacenter !== null && hostClass.datacenter?.slug !== datacenter) continue;
    if (!sells(sold, grades)) continue;
    const price = prices.get(tier) ?? priceOfVm(tier.rates, vm);
    prices.set(tier, price);
    const apartGrades = sold.apart.filter((grade) => grades.includes(grade));
    const key = `${price} ${apartGrades}`;
    const known = alike.get(key) ?? { price, apartGrades, size: sizeOfVm(vm, apartGrades), classes: [] };
    const { size } = known;
    if (largest.vcpus < size.vcpus || largest.memoryMib < size.memoryMib || largest.diskGib < size.diskGib) continue;
    known.classes.push(hostClass);
    alike.set(key, known);
  }
  for (const { price, apartGrades, size, classes } of [...alike.values()].sort((a, b) =>
    a.price < b.price ? -1 : 1,
  )) {
    const [share] = placeAtOnePrice(classes, size, 1, market.configurations, lessons);
    if (share) return { configuration: null, size, placements: [{ ...share, price, apartGrades }], placed: 1 };
  }
  return { configuration: null, size: sizeOfVm(vm), placements: [], placed: 0 };
}
