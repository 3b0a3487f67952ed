// The operator's side of slots: what is let of a host, for how much, and whether it is let at all.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import { isUuid } from '../model/id.ts';
import type { SlotPriceUnit, SlotState } from '../model/slot.ts';
import type { Database, Tx } from './database.ts';

/** A slot that is to be written. */
export interface NewSlot extends Size {
  id: string;
  hostId: string;
  name: string;
  gpus: readonly string[];
  createdAt: Date;
}

/** Writes a slot. @returns false when its host has one of this name already */
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
    .returning('id')
    .executeTakeFirst();
  return written !== undefined;
}

/** A slot as its operator changes it. */
export interface SlotTerms {
  id: string;
  name: string;
  state: SlotState;
  hostId: string;
  hostName: string;
  isRented: boolean;
}

/** Takes the row of a slot that was not removed. @param nameOrId its id, or `HOST/NAME` */
export async function lockSlot(tx: Tx, nameOrId: string): Promise<SlotTerms | undefined> {
  const [hostName = '', name = ''] = nameOrId.split('/');
  const row = await tx
    .selectFrom('slot')
    .innerJoin('host', 'host.id', 'slot.host_id')
    .where('slot.state', '!=', 'removed')
    .where((eb) =>
      isUuid(nameOrId) ? eb('slot.id', '=', nameOrId) : eb.and({ 'host.name': hostName, 'slot.name': name }),
    )
    .select(['slot.id', 'slot.name', 'slot.state', 'slot.host_id', 'host.name as host_name'])
    .forNoKeyUpdate('slot')
    .executeTakeFirst();
  if (!row) return undefined;
  // Asked only now: whoever rents it has held the row, too.
  const held =
    (await tx.selectFrom('assignment').where('slot_id', '=', row.id).select('slot_id').executeTakeFirst()) ??
    (await tx
      .selectFrom('quote_hold')
      .where('slot_id', '=', row.id)
      .where('held', '=', true)
      .select('slot_id')
      .executeTakeFirst());
  const { id, state, host_id: hostId } = row;
  return { id, name: row.name, state, hostId, hostName: row.host_name, isRented: held !== undefined };
}

/** Which slot of a host, by its name, has each GPU that one has. */
export async function listGpusInSlots(database: Database, hostId: string): Promise<Map<string, string>> {
  const rows = await database
    .selectFrom('slot')
    .where('host_id', '=', hostId)
    .where('state', '!=', 'removed')
    .select(['name', sql<string>`unnest(gpus)`.as('gpu')])
    .execute();
  return new Map(rows.map(({ gpu, name }) => [gpu, name]));
}

/** Whether a host has or ever had a slot. */
export async function hadSlots(database: Database, hostId: string): Promise<boolean> {
  const row = await database.selectFrom('slot').where('host_id', '=', hostId).select('id').limit(1).executeTakeFirst();
  return row !== undefined;
}

/** What a slot costs now, for each unit that it has a price for. The caller holds its row. */
export async function readSlotPrices(tx: Tx, slotId: string): Promise<Map<SlotPriceUnit, bigint>> {
  const rows = await tx
    .selectFrom('slot_price')
    .where('slot_id', '=', slotId)
    .where('withdrawn_at', 'is', null)
    .select(['unit', 'amount_micro_usd'])
    .execute();
  return new Map(rows.map((row) => [row.unit, row.amount_micro_usd]));
}

/** Withdraws what a slot costs for a unit. */
export async function withdrawSlotPrice(tx: Tx, slotId: string, unit: SlotPriceUnit, now: Date): Promise<void> {
  await tx
    .updateTable('slot_price')
    .set({ withdrawn_at: now })
    .where('slot_id', '=', slotId)
    .where('unit', '=', unit)
    .where('withdrawn_at', 'is', null)
    .execute();
}

/** Writes what a slot costs for a unit from now on; any former price of the unit was withdrawn. */
export async function insertSlotPrice(
  tx: Tx,
  row: { id: string; slotId: string; amountMicroUsd: bigint; unit: SlotPriceUnit; now: Date },
): Promise<void> {
  const { id, slotId, amountMicroUsd, unit, now } = row;
  await tx
    .insertInto('slot_price')
    .values({ id, slot_id: slotId, amount_micro_usd: amountMicroUsd, unit, created_at: now })
    .execute();
}

/** Changes whether a slot is let. The caller holds its row. */
export async function writeSlotState(tx: Tx, slotId: string, state: SlotState, now: Date): Promise<void> {
  await tx
    .updateTable('slot')
    .set({ state, removed_at: state === 'removed' ? now : null })
    .where('id', '=', slotId)
    .execute();
}
