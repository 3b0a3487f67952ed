// Slots, by the operator's hand: what is let, for how much, and whether it is let at all. What customers are told of a change
// is told by the reconciler that compares what is with what was told.

import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { formatUsd, type MicroUsd, parseUsd } from '../model/money.ts';
import { checkName } from '../model/name.ts';
import { pricePerEpoch, rateMax } from '../model/price.ts';
import { type SlotPriceUnit, type SlotState, slotStatus, unitHours } from '../model/slot.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { findHost, listHosts, readInventory } from '../store/host-terms.ts';
import * as store from '../store/slot.ts';
import type { Context } from './context.ts';
import { operatorEvent, unknownName } from './operator.ts';

/** Prices as decimal strings of US dollars; what is undefined is not offered. */
export type GivenPrices = { [Unit in SlotPriceUnit]?: string | undefined };

/** A slot as the operator states it. */
export interface GivenSlot {
  host: string;
  name: string;
  vcpus: number;
  memoryGib: number;
  diskGib: number;
  gpus: readonly string[];
  prices: GivenPrices;
}

/** How whoever states them calls the parts of a slot. */
export type SlotFields = Record<'name' | 'vcpus' | 'memoryGib' | 'diskGib' | 'gpus' | SlotPriceUnit, string>;

const mibPerGib = 1024;
/** An hour's share of an epoch's price is rounded up to a hundredth of a cent. */
const roundTo = 100n;

/** Every slot that was not removed, with its status and who rents it. */
export async function listSlotTerms(context: Context): Promise<(store.SlotRow & { status: string })[]> {
  return (await store.listSlots(context.database)).map((slot) => ({ ...slot, status: slotStatus(slot) }));
}

/**
 * Lets a slice of a host.
 * @returns the slot's id
 * @throws BerthError `invalid_value`, `not_found`, `name_taken`
 */
export async function addSlot(context: Context, given: GivenSlot, fields: SlotFields): Promise<string> {
  const name = checkName(given.name, fields.name);
  const prices = readPrices(given.prices, fields);
  if (prices.length === 0) {
    throw new BerthError('invalid_value', `Give at least one price: ${fields.hour} or ${fields.epoch}.`, fields.hour);
  }
  const now = context.clock.now();
  return inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, given.host, { lock: true });
    if (!host) throw unknownName('host', given.host);
    await checkSize(tx, host.id, given, fields);
    const id = newUuid(context.entropy);
    const { vcpus, diskGib, gpus } = given;
    const size = { vcpus, memoryMib: given.memoryGib * mibPerGib, diskGib, gpus };
    if (!(await store.insertSlot(tx, { id, hostId: host.id, name, ...size, createdAt: now }))) {
      throw new BerthError('name_taken', `Host ${host.name} has a slot ${shown(name)} already.`, fields.name);
    }
    for (const { unit, amount } of prices) await insertPrice(context, tx, id, unit, amount);
    const message = `Slot ${name} of host ${host.name} is let.`;
    await insertEvents(tx, [operatorEvent(context, 'slot.added', message, { hostId: host.id, data: { slotId: id } })]);
    return id;
  });
}

function readPrices(given: GivenPrices, fields: SlotFields): { unit: SlotPriceUnit; amount: MicroUsd }[] {
  return (['hour', 'epoch'] as const).flatMap((unit) => {
    const text = given[unit];
    if (text === undefined) return [];
    const amount = parseUsd(text);
    if (amount !== null && amount <= rateMax) return [{ unit, amount }];
    const rule = 'it must be US dollars with at most six decimals, such as "0.25", and at most 1000000';
    throw new BerthError('invalid_value', `${fields[unit]} is ${shown(text)}; ${rule}.`, fields[unit]);
  });
}

/** Holds a size against what the host could ever hold; and GPUs against what it has. The caller holds the host's row. */
async function checkSize(tx: Tx, hostId: string, given: GivenSlot, fields: SlotFields): Promise<void> {
  const [host] = await listHosts(tx, hostId);
  const inventory = await readInventory(tx, hostId);
  // Processors are not sold over to containers: the engine refuses more than there are.
  const cores = Number(inventory?.cores ?? 0);
  const limits = { vcpus: cores, memoryGib: (host?.limit.memoryMib ?? 0) / mibPerGib, diskGib: host?.limit.diskGib };
  for (const part of ['vcpus', 'memoryGib', 'diskGib'] as const) {
    const [value, limit = 0] = [given[part], limits[part]];
    if (Number.isInteger(value) && value >= 1 && value <= limit) continue;
    const rule = `it must be a whole number from 1 to ${Math.floor(limit)}, which is what the host can hold`;
    throw new BerthError('invalid_value', `${fields[part]} is ${value}; ${rule}.`, fields[part]);
  }
  const known = gpuIdsOf(inventory);
  const let_ = new Map(
    (await store.listSlots(tx, { hostId })).flatMap(({ gpus, name }) => gpus.map((id) => [id, name])),
  );
  for (const [index, id] of given.gpus.entries()) {
    const holder = let_.get(id);
    const why =
      given.gpus.indexOf(id) !== index
        ? 'which is named twice'
        : holder !== undefined
          ? `which the slot ${holder} has`
          : known.includes(id)
            ? null
            : `which the host does not have; it has ${known.join(', ') || 'none'}`;
    if (why) throw new BerthError('invalid_value', `${fields.gpus} names ${shown(id)}, ${why}.`, fields.gpus);
  }
}

function gpuIdsOf(inventory: Record<string, unknown> | undefined): string[] {
  const { hardware } = (inventory ?? {}) as { hardware?: { gpus?: { id: string | null }[] } };
  return (hardware?.gpus ?? []).flatMap(({ id }) => id ?? []);
}

async function insertPrice(
  context: Context,
  tx: Tx,
  slotId: string,
  unit: SlotPriceUnit,
  amountMicroUsd: MicroUsd,
): Promise<void> {
  const id = newUuid(context.entropy);
  await store.insertPrice(tx, { id, slotId, amountMicroUsd, unit, now: context.clock.now() });
}

/**
 * Sets what a slot costs from now on, for each unit that is given; "none" withdraws it. Who rents it keeps the price that he
 * began with.
 * @throws BerthError `invalid_value`, `not_found`
 */
export async function setSlotPrices(
  context: Context,
  slot: string,
  given: GivenPrices,
  fields: SlotFields,
): Promise<void> {
  const units = (['hour', 'epoch'] as const).filter((unit) => given[unit] !== undefined);
  if (units.length === 0) {
    throw new BerthError('invalid_value', `Give at least one price: ${fields.hour} or ${fields.epoch}.`, fields.hour);
  }
  const kept = Object.fromEntries(units.filter((unit) => given[unit] !== 'none').map((unit) => [unit, given[unit]]));
  const prices = readPrices(kept, fields);
  await changeSlot(context, slot, async (tx, found) => {
    for (const unit of units) await store.withdrawPrice(tx, found.id, unit, context.clock.now());
    for (const { unit, amount } of prices) await insertPrice(context, tx, found.id, unit, amount);
    const list = prices.map(({ unit, amount }) => `${formatUsd(amount)} USD an ${unit}`).join(', ') || 'none';
    return { kind: 'slot.priced', message: `Slot ${found.name} of host ${found.hostName} now costs: ${list}.` };
  });
}

const stateMessages: Record<SlotState, string> = {
  open: 'is let',
  closed: 'is not let any more; who rents it keeps it',
  removed: 'is removed',
};

/**
 * Changes whether a slot is let.
 * @throws BerthError `not_found`; `wrong_state` when one that is rented is to be removed
 */
export async function setSlotState(context: Context, slot: string, state: SlotState): Promise<void> {
  await changeSlot(context, slot, async (tx, found, { isRented }) => {
    if (state === 'removed' && isRented) {
      throw new BerthError(
        'wrong_state',
        `Slot ${found.name} of host ${found.hostName} is rented; close it, and remove it later.`,
      );
    }
    await store.writeSlotState(tx, found.id, state, context.clock.now());
    if (state === 'removed') {
      const removed = operatorEvent(context, 'slot.removed', `Slot ${found.name} is removed.`, {
        hostId: found.hostId,
        data: { slotId: found.id },
      });
      await insertEvents(tx, [{ ...removed, actor: 'berth' }]);
    }
    return { kind: 'slot.state', message: `Slot ${found.name} of host ${found.hostName} ${stateMessages[state]}.` };
  });
}

/** Finds a slot by its id or as `HOST/NAME`, takes its row, and changes it. */
async function changeSlot(
  context: Context,
  nameOrId: string,
  change: (tx: Tx, slot: store.SlotRow, held: { isRented: boolean }) => Promise<{ kind: string; message: string }>,
): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    const found = (await store.listSlots(tx)).find(
      ({ id, hostName, name }) => id === nameOrId || `${hostName}/${name}` === nameOrId,
    );
    const held = found && (await store.lockSlot(tx, found.id));
    if (!found || !held) throw unknownName('slot', nameOrId);
    const { kind, message } = await change(tx, found, held);
    const data = { slotId: found.id };
    await insertEvents(tx, [operatorEvent(context, kind, message, { hostId: found.hostId, data })]);
  });
}

/** Of a machine's room this part goes to the slot that it begins with: the rest is for virtual machines. */
const firstShare = { memory: 2, disk: 4 };
const firstDiskGibMax = 50;

/**
 * Lets one slot on a host that runs containers and never had any: what `up` begins with.
 * @returns whether it did
 */
export async function ensureFirstSlot(context: Context, hostId: string): Promise<boolean> {
  return inTransaction(context.database, async (tx) => {
    const host = await findHost(tx, hostId, { lock: true });
    const inventory = await readInventory(tx, hostId);
    if (!host || !inventory?.containerEngine || (await store.hadSlots(tx, hostId))) return false;
    const [{ limit } = { limit: { vcpus: 0, memoryMib: 0, diskGib: 0 } }] = await listHosts(tx, hostId);
    const size = {
      vcpus: Math.min(limit.vcpus, Number(inventory.cores)),
      memoryMib: Math.floor(limit.memoryMib / firstShare.memory / mibPerGib) * mibPerGib,
      diskGib: Math.min(firstDiskGibMax, Math.floor(limit.diskGib / firstShare.disk)),
    };
    if (size.vcpus < 1 || size.memoryMib < 1 || size.diskGib < 1) return false;
    const id = newUuid(context.entropy);
    const gpus = gpuIdsOf(inventory);
    await store.insertSlot(tx, { id, hostId, name: 'slot-1', ...size, gpus, createdAt: context.clock.now() });
    const epoch = pricePerEpoch(host.rates, size);
    const hours = BigInt(unitHours.epoch);
    const hour = ((epoch + hours * roundTo - 1n) / (hours * roundTo)) * roundTo;
    await insertPrice(context, tx, id, 'hour', hour);
    await insertPrice(context, tx, id, 'epoch', epoch);
    return true;
  });
}
