// Slots as they are rented: what makes one available, and taking it. VMs and slots take from one account of capacity, the
// host's.

import { sql } from 'kysely';
import type { StorageType } from '../model/hardware.ts';
import type { SlotPriceUnit, SlotStatus } from '../model/slot.ts';
import type { Database, Tx } from './database.ts';

/** Whether a slot is held, by what runs in it or by a quote, in a statement that knows `slot`. */
const isRented = sql<boolean>`(exists (select from assignment where assignment.slot_id = slot.id)
  or exists (select from quote_hold where quote_hold.slot_id = slot.id and quote_hold.held))`;

/** Whether a host still has a slot's GPUs, in a statement that knows `slot` and `host`. */
export const hasGpus = sql<boolean>`slot.gpus <@ host.gpu_ids`;

/** Whether a host has a slot's share left, in a statement that knows `slot` and `host`. */
const hasRoom = sql<boolean>`host.vcpus_used + slot.vcpus <= host.vcpus_limit
  and host.memory_mib_used + slot.memory_mib <= host.memory_mib_limit
  and host.disk_gib_used + slot.disk_gib <= host.disk_gib_limit`;

/** Whether a slot can be rented now, in a statement that knows `slot` and `host`. */
export const isAvailable = sql<boolean>`(slot.state = 'open' and host.state = 'open' and host.reachable
  and host.runs_containers and ${hasGpus} and ${hasRoom} and not ${isRented})`;

/** What customers are told of a slot, in a statement that knows `slot` and `host`. */
export const slotStatus = sql<SlotStatus>`case when ${isRented} then 'rented' when ${isAvailable} then 'available'
  else 'inactive' end`;

/** A slot as it is taken: what it has, and where. */
export interface SlotTaken {
  slotId: string;
  hostId: string;
  /** The host's new revision. */
  revision: bigint;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  storageType: StorageType;
}

/** The host of a slot that was not removed. */
export async function findSlotHost(database: Database, slotId: string): Promise<string | undefined> {
  const row = await database
    .selectFrom('slot')
    .where('id', '=', slotId)
    .where('state', '!=', 'removed')
    .select('host_id')
    .executeTakeFirst();
  return row?.host_id;
}

/**
 * Takes a slot, its share of its host's capacity, and with it the host's row.
 * @returns undefined when it can't be had: rented, closed, or on a host that is closed, out of reach, full, or without a
 *   container engine or the slot's GPUs
 */
export async function takeSlot(tx: Tx, slotId: string): Promise<SlotTaken | undefined> {
  // Before anything is looked at: a statement that has waited for the host's row would go by the slot as it was before.
  await tx.selectFrom('slot').where('id', '=', slotId).select('id').forNoKeyUpdate().execute();
  const { rows } = await sql<Omit<SlotTaken, 'slotId'>>`
    update host set revision = revision + 1, vcpus_used = vcpus_used + slot.vcpus,
      memory_mib_used = memory_mib_used + slot.memory_mib, disk_gib_used = disk_gib_used + slot.disk_gib
    from slot
    where slot.id = ${slotId}::uuid and slot.host_id = host.id and ${isAvailable}
    returning slot.host_id as "hostId", host.revision, slot.vcpus, slot.memory_mib as "memoryMib",
      slot.disk_gib as "diskGib", coalesce(host.hardware -> 'storage' ->> 'type', 'SSD') as "storageType"`.execute(tx);
  return rows[0] && { slotId, ...rows[0] };
}

/** A price of a slot. */
export interface SlotPriceRow {
  id: string;
  slotId: string;
  amountMicroUsd: bigint;
  unit: SlotPriceUnit;
  isWithdrawn: boolean;
}

/** A price by its id, withdrawn or not; in a transaction it stays as it is until that ends. */
export async function findSlotPrice(database: Database, id: string): Promise<SlotPriceRow | undefined> {
  const row = await database
    .selectFrom('slot_price')
    .where('id', '=', id)
    .select(['id', 'slot_id', 'amount_micro_usd', 'unit', 'withdrawn_at'])
    .forShare()
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      slotId: row.slot_id,
      amountMicroUsd: row.amount_micro_usd,
      unit: row.unit,
      isWithdrawn: row.withdrawn_at !== null,
    }
  );
}
