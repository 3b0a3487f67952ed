// What the tests of what containers cost share: slots of a market with a clock of its own, and requests to rent them.

import type { Principal } from '../../src/app/authenticate.ts';
import { findContainer, type StartFields, type StartRequest, startContainer } from '../../src/app/container.ts';
import { addSlot, type SlotFields } from '../../src/app/slot-terms.ts';
import type { MoneyWorld } from './world.ts';

export const slotFields: SlotFields = {
  ...{ name: 'name', vcpus: 'vcpus', memoryGib: 'memory', diskGib: 'disk', gpus: 'gpus' },
  ...{ hour: 'hour', epoch: 'epoch' },
};
export const startFields: StartFields = {
  ...{ slotId: 's', priceId: 'p', externalId: 'e', image: 'i', registryAuth: 'a', sshKeys: 'k', ports: 'o', port: 'o' },
  ...{ protocol: 'r', environment: 'v', startupScript: 'u', metadata: 'm' },
};
let slots = 0;

/** Lets a slot for these prices. @returns its id */
export async function letSlot(world: MoneyWorld, prices: { hour?: string; epoch?: string }): Promise<string> {
  slots += 1;
  const size = { vcpus: 1, memoryGib: 1, diskGib: 1, gpus: [] };
  return addSlot(world.context, { host: world.hostId, name: `slot-${slots}`, ...size, prices }, slotFields);
}

/** The price that a slot has for a unit now. */
export async function priceIdOf(world: MoneyWorld, slotId: string, unit: 'hour' | 'epoch'): Promise<string> {
  const { id } = await world.database
    .selectFrom('slot_price')
    .where('slot_id', '=', slotId)
    .where('unit', '=', unit)
    .where('withdrawn_at', 'is', null)
    .select('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** The smallest request to rent a slot. */
export function startRequest(slotId: string, priceId: string): StartRequest {
  const nothing = { externalId: null, registryAuth: null, startupScript: null, environment: {}, metadata: {} };
  return { slotId, priceId, image: 'nginx', ports: [], sshKeys: [], ...nothing };
}

/** Rents a slot by its price for a unit. */
export async function rent(world: MoneyWorld, principal: Principal, slotId: string, unit: 'hour' | 'epoch') {
  const request = startRequest(slotId, await priceIdOf(world, slotId, unit));
  const { deploymentId } = await startContainer(world.context, principal, request, startFields);
  return findContainer(world.context, principal, deploymentId);
}
