// Making an instance, a VM where the market has room for it or a container on a slot, and what it would cost.

import type { Static } from 'typebox';
import Type from 'typebox';
import type { Caller } from '../../app/caller.ts';
import { findContainer, startContainer } from '../../app/container.ts';
import type { Context } from '../../app/context.ts';
import { createInstances, estimateInstances } from '../../app/instance-create.ts';
import { readInstanceById } from '../../app/instance-list.ts';
import { readQuoteOf } from '../../app/quote-use.ts';
import { chooseSlotPrice, estimateOnSlot } from '../../app/slot-choice.ts';
import { BerthError } from '../../model/errors.ts';
import { slotPriceUnits } from '../../model/slot.ts';
import type { Api } from '../types.ts';
import { readId } from './id.ts';
import { InstanceSchema, instanceKinds, toInstance } from './instance-shape.ts';
import {
  containerFields,
  groupOf,
  NewEstimateSchema,
  type NewInstance,
  NewInstanceSchema,
  newVmRefusals,
  placeRefusals,
  quoteOf,
  renames,
  requireOwnFields,
  slotOf,
  toInstancesRequest,
  toStartRequest,
  vmFields,
  withAdvice,
} from './new-instance.ts';
import { change } from './operation.ts';
import { Nullable, OneOf, Shape, Text, toUsd, Usd, Whole } from './shape.ts';

const EstimateSchema = Shape(
  'Estimate',
  {
    kind: OneOf(instanceKinds),
    count: Whole(1),
    configuration: Nullable(Text('cpu-2-ram-4gb-storage-25gb', 'Null for a size of its own, and for a container')),
    ...{ vcpus: Whole(2), memoryMib: Whole(4096), diskGib: Whole(25) },
    unit: OneOf(slotPriceUnits, 'What the prices are for'),
    price: Usd('US dollars for the dearest of them'),
    total: Usd('US dollars for all of them'),
    firstCharge: Usd('US dollars that are charged at once'),
    deposit: Usd('US dollars that are held as long as they are there'),
    needed: Usd('Both together'),
    available: Usd('US dollars that the account has to spend'),
    sufficient: Type.Boolean({ description: 'Whether that is enough', examples: [true] }),
  },
  'What instances would cost that were made now',
);

/** The slot and the price that a body names; what it leaves out is its quote's. */
async function slotWith(context: Context, accountId: string, body: NewInstance) {
  const quote = quoteOf(body);
  if (!quote || (body.slot !== undefined && body.slotPrice !== undefined)) return slotOf(body);
  const held = (await readQuoteOf(context.database, accountId, quote)).holds[0]?.slot;
  if (!held) throw new BerthError('quote_too_small', `The quote ${quote.shown} is for VMs.`, 'quote');
  const named = body.slot === undefined ? { slotId: held.id, priceId: null } : slotOf(body);
  const slotPrice = body.slotPrice === undefined ? held.priceId : readId('slotPrice', body.slotPrice, 'slotPrice');
  return { slotId: named.slotId, priceId: slotPrice };
}

/** @returns the instance's id */
async function createContainer(context: Context, caller: Caller, body: NewInstance): Promise<string> {
  const { principal, group } = await groupOf(context, caller, body);
  const { slotId, priceId } = await slotWith(context, principal.accountId, body);
  // A price that is named is held against its slot where the slot is taken: a repeat may name one that is withdrawn by now.
  const chosen = priceId ?? (await chooseSlotPrice(context, slotId, null, containerFields)).price.id;
  const request = toStartRequest(body, { slotId, priceId: chosen, groupId: group.id });
  try {
    const { deploymentId } = await startContainer(context, principal, request, containerFields);
    return (await findContainer(context, principal, deploymentId)).instanceId;
  } catch (error) {
    throw error instanceof BerthError ? inOwnWords(error, body, { slotId, priceId: chosen }) : error;
  }
}

/** A refusal that names a slot or its price by the database's id, in this API's words. */
function inOwnWords(
  error: BerthError,
  { slot, slotPrice }: NewInstance,
  ids: { slotId: string; priceId: string },
): BerthError {
  const { code, subject } = error;
  if (code === 'slot_not_available') {
    const message = `The slot ${slot} is rented, inactive or without an address to give; choose one that is available.`;
    return new BerthError(code, message, 'slot');
  }
  if (subject === ids.slotId) return new BerthError(code, `There is no slot ${slot}.`, 'slot');
  if (subject !== ids.priceId) return error;
  return new BerthError(
    code,
    `${slotPrice} is no price that the slot ${slot} has now; read the slot again.`,
    'slotPrice',
  );
}

async function estimateVms(
  context: Context,
  caller: Caller,
  body: NewInstance,
): Promise<Static<typeof EstimateSchema>> {
  const at = await groupOf(context, caller, body);
  const request = await toInstancesRequest(context, at, body);
  const costs = await withAdvice(estimateInstances(context, at, request, vmFields));
  const { count, configuration, vcpus, memoryMib, diskGib } = costs;
  return {
    ...{ kind: 'vm', count, configuration, vcpus, memoryMib, diskGib, unit: 'epoch' },
    ...{ price: toUsd(costs.price), total: toUsd(costs.total), firstCharge: toUsd(costs.firstCharge) },
    ...{ deposit: toUsd(costs.deposit), needed: toUsd(costs.needed), available: toUsd(costs.available) },
    sufficient: costs.available >= costs.needed,
  };
}

async function estimateContainer(
  context: Context,
  caller: Caller,
  body: NewInstance,
): Promise<Static<typeof EstimateSchema>> {
  if (body.count !== undefined && body.count !== 1) {
    throw new BerthError('unsupported', 'count is for VMs; a slot takes one container.', 'count');
  }
  const { account } = await groupOf(context, caller, body);
  const { slotId, priceId } = await slotWith(context, account.id, body);
  const asked = [context, account.id, slotId, priceId, containerFields, quoteOf(body)] as const;
  const { slot, price, unit, available } = await estimateOnSlot(...asked);
  const { vcpus, memoryMib, diskGib } = slot;
  return {
    ...{ kind: 'container', count: 1, configuration: null, vcpus, memoryMib, diskGib, unit },
    ...{ price: toUsd(price), total: toUsd(price), firstCharge: toUsd(0n), deposit: toUsd(price) },
    ...{ needed: toUsd(price), available: toUsd(available), sufficient: available >= price },
  };
}

/** Adds the routes. */
export function instanceCreateRoutes(api: Api): void {
  // Of a size of its own: what is sold is the operator's to say.
  const example = {
    ...{ account: 'default', name: 'web-1', image: 'debian-13-x64', vcpus: 2, memoryMib: 4096, diskGib: 25 },
    ports: [{ port: 443, protocol: 'tcp' }],
    firstBootScript: '#!/bin/sh\ntouch /etc/hello\n',
  };

  change(
    api,
    {
      id: 'createInstance',
      tag: 'instances',
      summary: 'Make a VM where the market has room for it, or a container on a slot',
      description:
        'The cheapest host that keeps the constraints takes the VM. It is answered as soon as it is accepted; its host brings it up afterwards. `dryRun` answers what it would be and cost.',
      method: 'POST',
      path: '/instances',
      body: NewInstanceSchema,
      status: 201,
      result: InstanceSchema,
      location: ({ id }) => `/instances/${id}`,
      refusals: [...newVmRefusals, 'slot_not_available', 'price_stale', 'external_id_reused'],
      renames,
      example: { body: example },
    },
    async ({ context, caller, body }) => {
      requireOwnFields(body);
      if (body.kind === 'container') {
        return toInstance(await readInstanceById(context, await createContainer(context, caller, body)));
      }
      const at = await groupOf(context, caller, body);
      const request = await toInstancesRequest(context, at, body);
      const made = await withAdvice(createInstances(context, at, request, vmFields));
      return toInstance(await readInstanceById(context, made.instanceIds[0] ?? ''));
    },
  );

  change(
    api,
    {
      id: 'estimateInstances',
      tag: 'instances',
      summary: 'What instances would cost that were made now',
      description:
        'Takes the body of the request that would make them, its `quote` too, and whoever may make them. Nothing is kept, and no quote used up.',
      method: 'POST',
      path: '/estimates',
      body: NewEstimateSchema,
      result: EstimateSchema,
      refusals: [...placeRefusals, 'slot_not_available', 'price_stale'],
      renames,
      example: { body: { ...example, count: 2 } },
    },
    async ({ context, caller, body }) => {
      requireOwnFields(body);
      return body.kind === 'container' ? estimateContainer(context, caller, body) : estimateVms(context, caller, body);
    },
  );
}
