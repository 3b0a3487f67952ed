// Slots and their prices: read as customers and operators see them, and taken when one is rented.

import { sql } from 'kysely';
import type { StorageType } from '../model/hardware.ts';
import type { SlotPriceUnit } from '../model/slot.ts';
import type { Database, Tx } from './database.ts';

/** A slot as it is taken: what it has, where, and whether it can be had. */
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
 * Takes a slot's share of its host's capacity, and with it the host's row.
 * @returns undefined when it can't be had: rented, closed, on a host that is closed, out of reach, full, or without a
 *   container engine
 */
export async function takeSlot(tx: Tx, slotId: string): Promise<SlotTaken | undefined> {
  const { rows } = await sql<{
    host_id: string;
    revision: bigint;
    vcpus: number;
    memory_mib: number;
    disk_gib: number;
    storage_type: StorageType | null;
  }>`
    update host set revision = revision + 1, vcpus_used = vcpus_used + slot.vcpus,
      memory_mib_used = memory_mib_used + slot.memory_mib, disk_gib_used = disk_gib_used + slot.disk_gib
    from slot
    where slot.id = ${slotId}::uuid and slot.host_id = host.id and slot.state = 'open' and host.state = 'open' and host.reachable
      and vcpus_used + slot.vcpus <= vcpus_limit and memory_mib_used + slot.memory_mib <= memory_mib_limit
      and disk_gib_used + slot.disk_gib <= disk_gib_limit
      and exists (select from host_health where host_id = host.id and inventory ->> 'containerEngine' is not null)
      and not exists (select from assignment where assignment.slot_id = slot.id)
    returning slot.host_id, host.revision, slot.vcpus, slot.memory_mib, slot.disk_gib,
      host.hardware -> 'storage' ->> 'type' as storage_type`.execute(tx);
  const [row] = rows;
  if (!row) return undefined;
  return {
    slotId,
    hostId: row.host_id,
    revision: row.revision,
    vcpus: row.vcpus,
    memoryMib: row.memory_mib,
    diskGib: row.disk_gib,
    storageType: row.storage_type ?? 'SSD',
  };
}

/** A price of a slot. */
export interface SlotPriceRow {
  id: string;
  slotId: string;
  amountMicroUsd: bigint;
  unit: SlotPriceUnit;
  isWithdrawn: boolean;
}

/** A price by its id, withdrawn or not. */
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
