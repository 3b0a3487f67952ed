// Slots with all that is said of them, read as customers search them and as operators look at them. Of 100,000 slots a page and
// the total take 30 to 120 ms, by the filter (`npm run bench:slots`).

import { type RawBuilder, sql } from 'kysely';
import type { HostState } from '../model/host.ts';
import { isUuid } from '../model/id.ts';
import type { SlotPriceUnit, SlotState, SlotStatus } from '../model/slot.ts';
import type { SlotFilter } from '../model/slot-filter.ts';
import type { Database } from './database.ts';
import { hasGpus, isAvailable, slotStatus } from './slot.ts';

/** A price that a slot has now. */
export interface CurrentPrice {
  id: string;
  amountMicroUsd: bigint;
  unit: SlotPriceUnit;
}

/** A GPU as its host tells of it. */
export interface SlotGpu {
  name: string;
  memoryMib: number | null;
  cudaVersion: string | null;
}

/** A slot with all that is said of it. */
export interface SlotRow {
  id: string;
  name: string;
  state: SlotState;
  status: SlotStatus;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  gpuIds: string[];
  /** Of these GPUs those that its host has. */
  gpus: SlotGpu[];
  prices: CurrentPrice[];
  hostId: string;
  hostName: string;
  hostState: HostState;
  isReachable: boolean;
  runsContainers: boolean;
  /** Its host still has its GPUs. */
  hasGpus: boolean;
  /** Its processor's name. */
  cpuName: string | null;
  countryCode: string | null;
  cityCode: string | null;
  /** The first address of its host's pools. */
  publicIp: string | null;
  /** Who rents it now, and by which instance. */
  accountId: string | null;
  accountName: string | null;
  instanceId: string | null;
  createdAt: Date;
}

/** Which slots are read: those that fit, oldest first, from `offset` on. */
export interface SlotPage {
  filter: SlotFilter;
  limit: number;
  offset: number;
}

/** The prices that a slot has now, in a statement that knows `slot`; `hour` stands before `epoch`. */
export const currentPrices = sql`coalesce((
  select jsonb_agg(jsonb_build_object('id', id, 'amountMicroUsd', amount_micro_usd::text, 'unit', unit) order by unit desc)
  from slot_price where slot_price.slot_id = slot.id and withdrawn_at is null), '[]')`;

/** Slots that were not removed and fit a filter. */
export async function listSlots(database: Database, { filter, limit, offset }: SlotPage): Promise<SlotRow[]> {
  return readSlots(
    database,
    sql`slot.id in (
      select slot.id from slot join host on host.id = slot.host_id where ${fits(filter)}
      order by slot.created_at, slot.id limit ${limit}::int offset ${offset}::bigint)`,
  );
}

/** The same from behind a slot on. @param after when that one was made, and its id */
export async function listSlotsAfter(
  database: Database,
  filter: SlotFilter,
  limit: number,
  after: { at: string; id: string } | null,
): Promise<SlotRow[]> {
  const behind = after ? sql`(slot.created_at, slot.id) > (${after.at}::timestamptz, ${after.id}::uuid)` : sql`true`;
  return readSlots(
    database,
    sql`slot.id in (
      select slot.id from slot join host on host.id = slot.host_id where ${fits(filter)} and ${behind}
      order by slot.created_at, slot.id limit ${limit}::int)`,
  );
}

/** How many slots were not removed and fit a filter. */
export async function countSlots(database: Database, filter: SlotFilter): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from slot join host on host.id = slot.host_id where ${fits(filter)}`.execute(database);
  return Number(rows[0]?.count);
}

/** A slot by its id, removed or not. */
export async function findSlot(database: Database, id: string): Promise<SlotRow | undefined> {
  const [slot] = await readSlots(database, sql`slot.id = ${id}::uuid`);
  return slot;
}

async function readSlots(database: Database, which: RawBuilder<unknown>): Promise<SlotRow[]> {
  const { rows } = await sql<
    Omit<SlotRow, 'prices'> & { prices: (Omit<CurrentPrice, 'amountMicroUsd'> & { amountMicroUsd: string })[] }
  >`
    select slot.id, slot.name, slot.state, ${slotStatus} as status, slot.vcpus, slot.memory_mib as "memoryMib",
      slot.disk_gib as "diskGib", slot.gpus as "gpuIds", slot.created_at as "createdAt", ${currentPrices} as prices, host.id as "hostId", host.name as "hostName",
      host.state as "hostState", host.reachable as "isReachable", host.runs_containers as "runsContainers", ${hasGpus} as "hasGpus",
      host.hardware #>> '{cpu,model}' as "cpuName", country_code as "countryCode", city_code as "cityCode",
      (select host(first_ip) from address_pool where address_pool.host_id = host.id order by cidr limit 1) as "publicIp",
      account.id as "accountId", account.name as "accountName", assignment.instance_id as "instanceId",
      coalesce((
        select jsonb_agg(gpu order by position) from host_health,
          jsonb_array_elements(inventory #> '{hardware,gpus}') with ordinality as listed (gpu, position)
        where host_health.host_id = slot.host_id and gpu ->> 'id' = any(slot.gpus)), '[]') as gpus
    from slot join host on host.id = slot.host_id
      left join datacenter on datacenter.id = host.datacenter_id
      left join assignment on assignment.slot_id = slot.id
      left join instance on instance.id = assignment.instance_id
      left join account on account.id = instance.account_id
    where ${which}
    order by slot.created_at, slot.id`.execute(database);
  return rows.map((row) => ({
    ...row,
    prices: row.prices.map((price) => ({ ...price, amountMicroUsd: BigInt(price.amountMicroUsd) })),
  }));
}

/** Whether a slot was not removed and fits a filter, in a statement that knows `slot` and `host`. */
function fits(filter: SlotFilter): RawBuilder<unknown> {
  const { slotId, isAvailable: wanted, gpuName, cpuName, vcpusMin, memoryMibMin, diskGibMin } = filter;
  const conditions = [sql`slot.state <> 'removed'`];
  if (slotId !== undefined) conditions.push(isUuid(slotId) ? sql`slot.id = ${slotId}::uuid` : sql`false`);
  if (vcpusMin !== undefined) conditions.push(sql`slot.vcpus >= ${vcpusMin}::int`);
  if (memoryMibMin !== undefined) conditions.push(sql`slot.memory_mib >= ${memoryMibMin}::int`);
  if (diskGibMin !== undefined) conditions.push(sql`slot.disk_gib >= ${diskGibMin}::int`);
  if (cpuName !== undefined) conditions.push(hasWords(sql`host.hardware #>> '{cpu,model}'`, cpuName));
  if (gpuName !== undefined) {
    conditions.push(sql`slot.gpus <> '{}' and exists (
      select from host_health, jsonb_array_elements(inventory #> '{hardware,gpus}') as gpu
      where host_health.host_id = slot.host_id and gpu ->> 'id' = any(slot.gpus)
        and ${hasWords(sql`gpu ->> 'name'`, gpuName)})`);
  }
  if (wanted !== undefined) conditions.push(wanted ? isAvailable : sql`not ${isAvailable}`);
  return sql.join(conditions, sql` and `);
}

/** Whether a name has all of these words, which are in lower case and of letters and digits. */
function hasWords(name: RawBuilder<unknown>, words: readonly string[]): RawBuilder<unknown> {
  return sql`string_to_array(regexp_replace(lower(${name}), '[^a-z0-9]+', ' ', 'g'), ' ') @> ${[...words]}::text[]`;
}
