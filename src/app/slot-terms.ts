// Slots, by the operator's hand: what is let of a host, for how much, and whether it is let at all. What customers are told of
// it is slot-news.ts's business.

import type { Size } from '../model/configuration.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import { checkName } from '../model/name.ts';
import * as rules from '../model/slot.ts';
import { type Database, inTransaction, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { findHost, listHosts, readInventory } from '../store/host-terms.ts';
import { countSlots, listSlots, type SlotRow } from '../store/slot-list.ts';
import * as store from '../store/slot-terms.ts';
import type { Context } from './context.ts';
import { containerPartsOf, type HostInventory } from './host.ts';
import { operatorActor, operatorEvent, unknownName } from './operator.ts';

export type { SlotFields } from '../model/slot.ts';

/** A slot as its operator sees it, with why it can't be rented although nobody rents it. */
export type SlotTermsView = SlotRow & { whyInactive: string | null };

/** Every slot that was not removed, oldest first. */
export async function listSlotTerms(context: Context): Promise<SlotTermsView[]> {
  const limit = await countSlots(context.database, {});
  const slots = await listSlots(context.database, { filter: {}, limit, offset: 0 });
  return slots.map((slot) => ({ ...slot, whyInactive: rules.whyInactive(slot) }));
}

/** Prices as decimal strings of US dollars; null is none, and what is undefined stays as it is. */
export type GivenPrices = { [Unit in rules.SlotPriceUnit]?: string | null | undefined };

/** A slot as the operator states it. */
export interface GivenSlot extends rules.SlotSize {
  /** A host's name or id. */
  host: string;
  name: string;
  /** Ids of GPUs. */
  gpus: readonly string[];
  prices: GivenPrices;
}

/**
 * Lets a slice of a host.
 * @returns the slot's id
 * @throws BerthError `invalid_value`, `not_found`; `name_taken` when the host has a slot of this name; `wrong_state` when it
 *   has not told yet what it can hold
 */
export async function addSlot(
  context: Context,
  given: GivenSlot,
  fields: rules.SlotFields,
  actor = operatorActor,
): Promise<string> {
  const name = checkName(given.name, fields.name);
  const prices = readPrices(given.prices, fields);
  if (prices.size === 0) throw noPrice(fields);
  return inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, given.host, { lock: true });
    if (!host) throw unknownName('host', given.host);
    const machine = await readMachine(tx, host.id);
    if (!machine) {
      const message = `Host ${host.name} has not told yet what it can hold; start its agent first.`;
      throw new BerthError('wrong_state', message, 'host');
    }
    const size = rules.checkSlotSize(given, machine.room, fields);
    rules.checkSlotGpus(given.gpus, machine.gpuIds, await store.listGpusInSlots(tx, host.id), fields);
    const slot = { hostId: host.id, hostName: host.name, name, size, gpus: given.gpus, prices };
    const id = await insertSlot(context, tx, slot, actor);
    if (id !== null) return id;
    throw new BerthError('name_taken', `Host ${host.name} has a slot ${shown(name)} already.`, fields.name);
  });
}

function readPrices(given: GivenPrices, fields: rules.SlotFields): Map<rules.SlotPriceUnit, MicroUsd> {
  const prices = new Map<rules.SlotPriceUnit, MicroUsd>();
  for (const unit of rules.slotPriceUnits) {
    const text = given[unit];
    if (typeof text === 'string') prices.set(unit, rules.parseSlotPrice(text, fields[unit]));
  }
  return prices;
}

const noPrice = ({ hour, epoch }: rules.SlotFields) =>
  new BerthError('invalid_value', `A slot has at least one price; give ${hour} or ${epoch}.`, hour);

/** A host's machine, as far as it matters to containers. */
interface Machine {
  room: Size;
  gpuIds: string[];
  runsContainers: boolean;
}

/** What a host has told of its machine; null when it has not yet. */
async function readMachine(database: Database, hostId: string): Promise<Machine | null> {
  const inventory = (await readInventory(database, hostId)) as HostInventory | undefined;
  const [host] = await listHosts(database, { id: hostId });
  if (!inventory || !host) return null;
  // Processors may be sold over, but no container gets more of them than there are.
  const vcpus = Math.min(host.limit.vcpus, inventory.cores);
  return { room: { ...host.limit, vcpus }, ...containerPartsOf(inventory) };
}

interface PricedSlot {
  hostId: string;
  hostName: string;
  name: string;
  size: Size;
  gpus: readonly string[];
  prices: ReadonlyMap<rules.SlotPriceUnit, MicroUsd>;
}

/** @returns its id, or null when its host has a slot of this name already */
async function insertSlot(context: Context, tx: Tx, slot: PricedSlot, actor: string): Promise<string | null> {
  const { hostId, hostName, name, size, gpus, prices } = slot;
  const now = context.clock.now();
  const id = newUuid(context.entropy);
  if (!(await store.insertSlot(tx, { id, hostId, name, ...size, gpus, createdAt: now }))) return null;
  for (const [unit, amountMicroUsd] of prices) {
    await store.insertSlotPrice(tx, { id: newUuid(context.entropy), slotId: id, amountMicroUsd, unit, now });
  }
  const message = `Slot ${name} of host ${hostName} is let.`;
  await insertEvents(tx, [operatorEvent(context, 'slot.added', message, { hostId, data: { slotId: id } }, actor)]);
  return id;
}

/**
 * Sets what a slot costs from now on; whoever rents it keeps the price that he began with. An equal price stays the price
 * that it is.
 * @param slot its id, or `HOST/NAME`
 * @throws BerthError `invalid_value`, `not_found`; `wrong_state` when no price would be left
 */
export async function setSlotPrices(
  context: Context,
  slot: string,
  given: GivenPrices,
  fields: rules.SlotFields,
  actor = operatorActor,
): Promise<void> {
  const units = rules.slotPriceUnits.filter((unit) => given[unit] !== undefined);
  if (units.length === 0) {
    throw new BerthError('invalid_value', `Give at least one price: ${fields.hour} or ${fields.epoch}.`, fields.hour);
  }
  const prices = readPrices(given, fields);
  const now = context.clock.now();
  await inTransaction(context.database, async (tx) => {
    const { id, name, hostId, hostName } = await lockSlot(tx, slot);
    const before = await store.readSlotPrices(tx, id);
    const after = new Map([...before].filter(([unit]) => !units.includes(unit)).concat([...prices]));
    if (after.size === 0) {
      throw new BerthError('wrong_state', `Slot ${name} would have no price left; close it to let it no more.`, slot);
    }
    const changed = units.filter((unit) => before.get(unit) !== after.get(unit));
    if (changed.length === 0) return;
    for (const unit of changed) {
      await store.withdrawSlotPrice(tx, id, unit, now);
      const amountMicroUsd = after.get(unit);
      if (amountMicroUsd === undefined) continue;
      await store.insertSlotPrice(tx, { id: newUuid(context.entropy), slotId: id, amountMicroUsd, unit, now });
    }
    const message = `Slot ${name} of host ${hostName} costs ${shownPrices(after)}; who rents it keeps the price it has.`;
    await insertEvents(tx, [operatorEvent(context, 'slot.priced', message, { hostId, data: { slotId: id } }, actor)]);
  });
}

const shownPrices = (prices: ReadonlyMap<rules.SlotPriceUnit, MicroUsd>) =>
  rules.slotPriceUnits
    .flatMap((unit) => (prices.has(unit) ? `${formatUsd(prices.get(unit) ?? 0n)} USD an ${unit}` : []))
    .join(' or ');

/** What becomes of a slot in each state. */
const outcomes: Record<rules.SlotState, { kind: string; text: string }> = {
  open: { kind: 'slot.opened', text: 'is let' },
  closed: { kind: 'slot.closed', text: 'is let no more; who rents it keeps it' },
  removed: { kind: 'slot.retired', text: 'is removed' },
};

/**
 * Lets a slot, lets it no more, or removes it.
 * @param slot its id, or `HOST/NAME`
 * @returns whether it was in another state before
 * @throws BerthError `not_found`; `wrong_state` when one that is rented is to be removed
 */
export async function setSlotState(
  context: Context,
  slot: string,
  state: rules.SlotState,
  actor = operatorActor,
): Promise<boolean> {
  return inTransaction(context.database, async (tx) => {
    const found = await lockSlot(tx, slot);
    const { id, name, hostId, hostName } = found;
    if (found.state === state) return false;
    if (state === 'removed' && found.isRented) {
      const message = `Slot ${name} of host ${hostName} is rented; close it, and remove it when it is free.`;
      throw new BerthError('wrong_state', message, slot);
    }
    await store.writeSlotState(tx, id, state, context.clock.now());
    const { kind, text } = outcomes[state];
    const message = `Slot ${name} of host ${hostName} ${text}.`;
    await insertEvents(tx, [operatorEvent(context, kind, message, { hostId, data: { slotId: id } }, actor)]);
    return true;
  });
}

async function lockSlot(tx: Tx, nameOrId: string): Promise<store.SlotTerms> {
  const slot = await store.lockSlot(tx, nameOrId);
  if (!slot) throw unknownName('slot', nameOrId);
  return slot;
}

/**
 * Makes sure that a host which runs containers has or had a slot: what `up` begins with. One that the operator has removed
 * does not come back.
 * @returns whether there is nothing left to do
 */
export async function ensureFirstSlot(context: Context, hostId: string): Promise<boolean> {
  const { database } = context;
  if (await store.hadSlots(database, hostId)) return true;
  const machine = await readMachine(database, hostId);
  const size = machine?.runsContainers ? rules.firstSlotSize(machine.room) : null;
  if (!machine || !size) return false;
  return inTransaction(database, async (tx) => {
    const host = await findHost(tx, hostId, { lock: true });
    if (!host || (await store.hadSlots(tx, hostId))) return true;
    const { hour, epoch } = rules.pricesByRates(host.rates, size);
    const prices = new Map([['hour', hour] as const, ['epoch', epoch] as const]);
    const slot = { hostId, hostName: host.name, name: 'slot-1', size, gpus: machine.gpuIds, prices };
    await insertSlot(context, tx, slot, 'berth');
    return true;
  });
}
