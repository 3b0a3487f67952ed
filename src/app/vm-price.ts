// What a VM costs follows what it has. Whoever changes that calls this in the same transaction, after the change was written.

import { mibPerGib } from '../model/configuration.ts';
import { type PricedVm, paidForOf, priceOfVm } from '../model/price.ts';
import type { Tx } from '../store/database.ts';
import { listBilledVms } from '../store/vm-price.ts';
import { changePrices } from './bill-change.ts';
import type { Context } from './context.ts';

/**
 * Brings the prices of VMs to what they have now, at the rates that they were deployed at. All VMs that a transaction changes
 * are named at once. The caller holds their hosts' and their own rows, and no bills or balances.
 * @param actor who brought it about, as events name him
 * @throws BerthError `insufficient_balance`, `unavailable` as {@link changePrices} does
 */
export async function repriceVms(
  context: Context,
  tx: Tx,
  instanceIds: readonly string[],
  actor: string,
): Promise<void> {
  const vms = await listBilledVms(tx, instanceIds);
  const prices = vms.map(({ instanceId, status, rates, vm }) => {
    const held = paidForOf(vm, status);
    return { instanceId, price: priceOfVm(rates, held), paidFor: describe(held) };
  });
  await changePrices(context, tx, prices, actor);
}

function describe({ vcpus, memoryMib, disks, addresses }: PricedVm): string {
  const storageGib = disks.reduce((sum, { sizeMib }) => sum + sizeMib, 0) / mibPerGib;
  const storage = `${Number(storageGib.toFixed(1))} GiB on ${plural(disks.length, 'disk')}`;
  return `${plural(vcpus, 'vCPU')}, ${memoryMib} MiB of memory, ${storage}, ${plural(addresses, 'address', 'addresses')}`;
}

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
