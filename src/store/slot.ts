// Slots and their prices: read as customers and operators see them, and taken when one is rented.

import { sql } from 'kysely';
import type { StorageType } from '../model/hardware.ts';
import type { SlotPriceUnit, SlotState } from '../model/slot.ts';
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

/** A price that a slot has now. */
export interface CurrentPrice {
  id: string;
  amountMicroUsd: bigint;
  unit: SlotPriceUnit;
}

/** A slot with all that is said of it. */
export interface SlotRow {
  id: string;
  name: string;
  state: SlotState;
  hostId: string;
  hostName: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  /** Ids of its GPUs. */
  gpus: string[];
  prices: CurrentPrice[];
  isRented: boolean;
  isHostOpen: boolean;
  hasEngine: boolean;
  hasRoom: boolean;
  /** What its host last said of its hardware. */
  cpuName: string | null;
  cpuCores: number | null;
  cpuThreads: number | null;
  hostGpus: { id: string | null; name: string; memoryMib: number | null; cudaVersion: string | null }[];
  countryCode: string | null;
  cityCode: string | null;
  /** The first address of its host's pools. */
  publicIp: string | null;
  /** Who rents it now. */
  accountName: string | null;
  instanceId: string | null;
  /** What customers were last told of it. */
  told: Record<string, unknown> | null;
}

/** Slots that were not removed, oldest first; all of them, or those of one host, or one. */
export async function listSlots(
  database: Database,
  only: { slotId?: string; hostId?: string; lock?: boolean } = {},
): Promise<SlotRow[]> {
  const { rows } = await sql<SlotRow>`
    select slot.id, slot.name, slot.state, slot.host_id as "hostId", host.name as "hostName", slot.vcpus,
      slot.memory_mib as "memoryMib", slot.disk_gib as "diskGib", slot.gpus, slot.told,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', id, 'amountMicroUsd', amount_micro_usd::text, 'unit', unit) order by unit desc)
        from slot_price where slot_id = slot.id and withdrawn_at is null), '[]') as prices,
      assignment.instance_id is not null as "isRented", host.state = 'open' and host.reachable as "isHostOpen",
      coalesce(inventory ->> 'containerEngine' is not null, false) as "hasEngine",
      vcpus_used + slot.vcpus <= vcpus_limit and memory_mib_used + slot.memory_mib <= memory_mib_limit
        and disk_gib_used + slot.disk_gib <= disk_gib_limit as "hasRoom",
      coalesce(host.hardware #>> '{cpu,model}', inventory ->> 'cpuModel') as "cpuName",
      (inventory #>> '{hardware,cpu,cores}')::int as "cpuCores",
      (inventory #>> '{hardware,cpu,threads}')::int as "cpuThreads",
      coalesce(inventory #> '{hardware,gpus}', '[]') as "hostGpus",
      country_code as "countryCode", city_code as "cityCode",
      (select host(first_ip) from address_pool where address_pool.host_id = host.id order by cidr limit 1) as "publicIp",
      account.name as "accountName", assignment.instance_id as "instanceId"
    from slot join host on host.id = slot.host_id
    left join host_health on host_health.host_id = host.id
    left join datacenter on datacenter.id = host.datacenter_id
    left join assignment on assignment.slot_id = slot.id
    left join instance on instance.id = assignment.instance_id
    left join account on account.id = instance.account_id
    where slot.state <> 'removed'
      ${only.slotId === undefined ? sql`` : sql`and slot.id = ${only.slotId}::uuid`}
      ${only.hostId === undefined ? sql`` : sql`and slot.host_id = ${only.hostId}::uuid`}
    order by slot.created_at, slot.id
    ${only.lock ? sql`for no key update of slot skip locked` : sql``}`.execute(database);
  return rows.map((row) => ({
    ...row,
    prices: row.prices.map((price) => ({ ...price, amountMicroUsd: BigInt(price.amountMicroUsd) })),
  }));
}

/** A slot that is to be written. */
export interface NewSlot {
  id: string;
  hostId: string;
  name: string;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  gpus: readonly string[];
  createdAt: Date;
}

/** Writes a slot. @returns false when the host has one of this name already */
export async function insertSlot(tx: Tx, row: NewSlot): Promise<boolean> {
  const written = await tx
    .insertInto('slot')
    .values({
      id: row.id,
      host_id: row.hostId,
      name: row.name,
      vcpus: row.vcpus,
      memory_mib: row.memoryMib,
      disk_gib: row.diskGib,
      gpus: [...row.gpus],
      created_at: row.createdAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return (written.numInsertedOrUpdatedRows ?? 0n) > 0n;
}

/** Whether a host ever had a slot. */
export async function hadSlots(database: Database, hostId: string): Promise<boolean> {
  const row = await database.selectFrom('slot').where('host_id', '=', hostId).select('id').limit(1).executeTakeFirst();
  return row !== undefined;
}

/** Withdraws what a slot costs for a unit. @returns whether it had such a price */
export async function withdrawPrice(tx: Tx, slotId: string, unit: SlotPriceUnit, now: Date): Promise<boolean> {
  const result = await tx
    .updateTable('slot_price')
    .set({ withdrawn_at: now })
    .where('slot_id', '=', slotId)
    .where('unit', '=', unit)
    .where('withdrawn_at', 'is', null)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Writes what a slot costs for a unit from now on; the former price was withdrawn. */
export async function insertPrice(
  tx: Tx,
  row: { id: string; slotId: string; amountMicroUsd: bigint; unit: SlotPriceUnit; now: Date },
): Promise<void> {
  const { id, slotId, amountMicroUsd, unit, now } = row;
  await tx
    .insertInto('slot_price')
    .values({ id, slot_id: slotId, amount_micro_usd: amountMicroUsd, unit, created_at: now })
    .execute();
}

/** Takes a slot's row. @returns undefined when there is none that was not removed */
export async function lockSlot(tx: Tx, slotId: string): Promise<{ state: SlotState; isRented: boolean } | undefined> {
  const row = await tx
    .selectFrom('slot')
    .where('id', '=', slotId)
    .where('state', '!=', 'removed')
    .select(['state', sql<boolean>`exists (select from assignment where slot_id = slot.id)`.as('is_rented')])
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row && { state: row.state, isRented: row.is_rented };
}

/** Changes whether a slot is let. */
export async function writeSlotState(tx: Tx, slotId: string, state: SlotState, now: Date): Promise<void> {
  await tx
    .updateTable('slot')
    .set({ state, removed_at: state === 'removed' ? now : null })
    .where('id', '=', slotId)
    .execute();
}

/** Notes what customers are told of a slot. */
export async function writeTold(tx: Tx, slotId: string, told: Record<string, unknown>): Promise<void> {
  await tx
    .updateTable('slot')
    .set({ told: JSON.stringify(told) })
    .where('id', '=', slotId)
    .execute();
}
