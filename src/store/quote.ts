// Quotes and what they hold of hosts. Whoever closes or uses one takes its row first, and its hosts after it.

import { sql } from 'kysely';
import type { Size } from '../model/configuration.ts';
import type { Datacenter } from '../model/datacenter.ts';
import type { InstanceKind } from '../model/instance.ts';
import type { RateCard } from '../model/price.ts';
import type { QuoteState } from '../model/quote.ts';
import type { SlotPriceUnit } from '../model/slot.ts';
import type { Database, Tx } from './database.ts';
import { lockHosts } from './deployment.ts';
import { datacenterJson } from './instance.ts';
import { type RawRates, rateColumns, toRates } from './price.ts';

/** Places of a quote on one host. `price` is for one instance, in micro-USD. */
export interface NewHold {
  hostId: string;
  count: number;
  size: Size;
  priceMicroUsd: bigint;
  /** A VM's rate card; null for a container. */
  priceId: string | null;
  /** A container's slot and its price; null for VMs. */
  slot: { id: string; priceId: string } | null;
}

/** Places of a quote as they are read. */
export interface QuoteHold extends NewHold {
  /** Null for a container. */
  rates: RateCard | null;
  unit: SlotPriceUnit;
  datacenter: Datacenter | null;
}

/** A quote that is to be written. */
export interface NewQuote {
  id: string;
  accountId: string;
  kind: InstanceKind;
  count: number;
  configuration: string | null;
  /** Of each instance. */
  size: Size;
  neededMicroUsd: bigint;
  actor: string;
  createdAt: Date;
  expiresAt: Date;
}

/** A quote with what it holds, or held. */
export interface QuoteRow extends NewQuote {
  state: QuoteState;
  reason: string | null;
  closedAt: Date | null;
  deploymentId: string | null;
  holds: QuoteHold[];
}

/** What an account's open quotes come to. */
export interface OpenQuotes {
  count: number;
  instances: number;
  neededMicroUsd: bigint;
}

/**
 * Adds up what an account's quotes hold at a moment; nobody else adds one for it until the transaction ends.
 */
export async function lockOpenQuotes(tx: Tx, accountId: string, now: Date): Promise<OpenQuotes> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`quotes of ${accountId}`}, 0))`.execute(tx);
  const { rows } = await sql<{ count: bigint; instances: bigint; needed: string }>`
    select count(*) as count, coalesce(sum(count), 0) as instances, coalesce(sum(needed_micro_usd), 0)::text as needed
    from quote where account_id = ${accountId}::uuid and state = 'open' and expires_at > ${now}::timestamptz`.execute(
    tx,
  );
  const [row] = rows;
  return {
    count: Number(row?.count ?? 0),
    instances: Number(row?.instances ?? 0),
    neededMicroUsd: BigInt(row?.needed ?? 0),
  };
}

/**
 * Takes room on a host for places of VMs, and with it the host's row.
 * @returns false where it has not so much left, or is closed or sold at another price by now
 */
export async function holdRoom(tx: Tx, { hostId, count, size, priceId }: NewHold): Promise<boolean> {
  const { vcpus, memoryMib, diskGib } = size;
  const { numAffectedRows } = await sql`
    update host set vcpus_used = vcpus_used + ${vcpus * count}::int,
      memory_mib_used = memory_mib_used + ${memoryMib * count}::int, disk_gib_used = disk_gib_used + ${diskGib * count}::int
    where id = ${hostId}::uuid and state = 'open' and price_id = ${priceId}::uuid
      and vcpus_used + ${vcpus * count}::int <= vcpus_limit
      and memory_mib_used + ${memoryMib * count}::int <= memory_mib_limit
      and disk_gib_used + ${diskGib * count}::int <= disk_gib_limit`.execute(tx);
  return numAffectedRows === 1n;
}

/** Writes a quote whose room was taken. */
export async function insertQuote(tx: Tx, quote: NewQuote, holds: readonly NewHold[]): Promise<void> {
  await tx
    .insertInto('quote')
    .values({
      id: quote.id,
      account_id: quote.accountId,
      kind: quote.kind,
      count: quote.count,
      configuration: quote.configuration,
      vcpus: quote.size.vcpus,
      memory_mib: quote.size.memoryMib,
      disk_gib: quote.size.diskGib,
      needed_micro_usd: quote.neededMicroUsd,
      actor: quote.actor,
      created_at: quote.createdAt,
      expires_at: quote.expiresAt,
    })
    .execute();
  await tx
    .insertInto('quote_hold')
    .values(
      holds.map(({ hostId, count, size, priceMicroUsd, priceId, slot }) => ({
        quote_id: quote.id,
        host_id: hostId,
        count,
        vcpus: size.vcpus,
        memory_mib: size.memoryMib,
        disk_gib: size.diskGib,
        price_micro_usd: priceMicroUsd,
        price_id: priceId,
        slot_id: slot?.id ?? null,
        slot_price_id: slot?.priceId ?? null,
      })),
    )
    .execute();
}

/** Which of an account's quotes are asked for; what is left out does not narrow. */
export interface QuoteFilter {
  state?: QuoteState | undefined;
  /** The moment by which open ones are told from expired ones. */
  now: Date;
}

/** An account's quotes, the newest first: at most `limit`, from after the one with this moment and id. */
export async function listQuotes(
  database: Database,
  accountId: string,
  { state, now }: QuoteFilter,
  { limit, after }: { limit: number; after: { at: string; id: string } | null },
): Promise<QuoteRow[]> {
  let query = database.selectFrom('quote').where('account_id', '=', accountId).selectAll();
  if (state === 'open') query = query.where('state', '=', 'open').where('expires_at', '>', now);
  else if (state === 'expired') {
    query = query.where(sql<boolean>`(state = 'expired' or state = 'open' and expires_at <= ${now}::timestamptz)`);
  } else if (state !== undefined) query = query.where('state', '=', state);
  if (after) query = query.where(sql<boolean>`(created_at, id) < (${after.at}::timestamptz, ${after.id}::uuid)`);
  return withHolds(database, await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute());
}

/** A quote by its id. @param lock takes its row until the transaction ends */
export async function findQuote(
  database: Database,
  id: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<QuoteRow | undefined> {
  let query = database.selectFrom('quote').where('id', '=', id).selectAll();
  if (lock) query = query.forNoKeyUpdate();
  return (await withHolds(database, await query.execute()))[0];
}

interface RawQuote {
  id: string;
  account_id: string;
  kind: InstanceKind;
  state: QuoteState;
  reason: string | null;
  count: number;
  configuration: string | null;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  needed_micro_usd: bigint;
  actor: string;
  created_at: Date;
  expires_at: Date;
  closed_at: Date | null;
  deployment_id: string | null;
}

async function withHolds(database: Database, quotes: readonly RawQuote[]): Promise<QuoteRow[]> {
  const holds = await readHolds(
    database,
    quotes.map(({ id }) => id),
  );
  return quotes.map((row) => ({
    ...{ id: row.id, accountId: row.account_id, kind: row.kind, state: row.state, reason: row.reason },
    ...{ count: row.count, configuration: row.configuration, actor: row.actor },
    size: { vcpus: row.vcpus, memoryMib: row.memory_mib, diskGib: row.disk_gib },
    neededMicroUsd: row.needed_micro_usd,
    ...{ createdAt: row.created_at, expiresAt: row.expires_at, closedAt: row.closed_at },
    deploymentId: row.deployment_id,
    holds: holds.get(row.id) ?? [],
  }));
}

interface RawHold extends RawRates {
  quoteId: string;
  hostId: string;
  count: number;
  vcpus: number;
  memoryMib: number;
  diskGib: number;
  priceMicroUsd: bigint;
  priceId: string | null;
  slotId: string | null;
  slotPriceId: string | null;
  unit: SlotPriceUnit | null;
  datacenter: Datacenter | null;
}

async function readHolds(database: Database, quoteIds: readonly string[]): Promise<Map<string, QuoteHold[]>> {
  if (quoteIds.length === 0) return new Map();
  const { rows } = await sql<RawHold>`
    select quote_id as "quoteId", quote_hold.host_id as "hostId", count, quote_hold.vcpus,
      quote_hold.memory_mib as "memoryMib", quote_hold.disk_gib as "diskGib", quote_hold.price_micro_usd as "priceMicroUsd",
      quote_hold.price_id as "priceId", quote_hold.slot_id as "slotId", slot_price_id as "slotPriceId", unit,
      (select ${datacenterJson} from datacenter where datacenter.id = host.datacenter_id) as datacenter, ${rateColumns}
    from quote_hold join host on host.id = quote_hold.host_id
      left join price on price.id = quote_hold.price_id left join slot_price on slot_price.id = slot_price_id
    where quote_id = any(${[...quoteIds]}::uuid[])
    order by quote_hold.price_micro_usd, quote_hold.id`.execute(database);
  const holds = Map.groupBy(rows, ({ quoteId }) => quoteId);
  return new Map([...holds].map(([id, own]) => [id, own.map(toHold)]));
}

function toHold(row: RawHold): QuoteHold {
  const { slotId, slotPriceId, priceId } = row;
  return {
    ...{ hostId: row.hostId, count: row.count, priceMicroUsd: row.priceMicroUsd, priceId },
    size: { vcpus: row.vcpus, memoryMib: row.memoryMib, diskGib: row.diskGib },
    slot: slotId !== null && slotPriceId !== null ? { id: slotId, priceId: slotPriceId } : null,
    rates: priceId === null ? null : toRates(row),
    unit: row.unit ?? 'epoch',
    datacenter: row.datacenter,
  };
}

/** Takes the slots and then the hosts that a quote holds something of. The caller holds the quote's row. */
export async function lockHolds(tx: Tx, holds: readonly QuoteHold[]): Promise<void> {
  const slotIds = holds.flatMap(({ slot }) => slot?.id ?? []);
  // Slots before hosts, as whoever rents one takes them.
  if (slotIds.length > 0) {
    await sql`select from slot where id = any(${slotIds}::uuid[]) order by id for no key update`.execute(tx);
  }
  await lockHosts(
    tx,
    holds.map(({ hostId }) => hostId),
  );
}

/**
 * Why a quote can't be kept any more, in words for its owner; null where it can. In a transaction that holds its hosts' rows this
 * stays so.
 */
export async function findLoss(database: Database, quoteId: string): Promise<string | null> {
  const { rows } = await sql<{ loss: string | null }>`
    select ${loss} as loss from quote_hold join host on host.id = quote_hold.host_id left join slot on slot.id = slot_id
    where quote_id = ${quoteId}::uuid and ${loss} is not null limit 1`.execute(database);
  return rows[0]?.loss ?? null;
}

/** Why a place is lost, in a statement that knows `host` and `slot`. */
const loss = sql<string | null>`case
  when host.state <> 'open' then 'its host takes no more instances'
  when not host.reachable then 'its host is out of reach'
  when slot.state <> 'open' then 'its slot is not let any more'
  when slot.id is not null and not host.runs_containers then 'its host runs no containers any more'
  when slot.id is not null and not slot.gpus <@ host.gpu_ids then 'its host does not have the GPUs any more'
  end`;

/** How a quote ends. */
export interface QuoteEnd {
  state: Exclude<QuoteState, 'open'>;
  reason?: string;
  deploymentId?: string;
  now: Date;
}

/** Closes a quote and gives back what it holds. The caller holds its row, and has taken what it holds with {@link lockHolds}. */
export async function closeQuote(tx: Tx, id: string, { state, reason, deploymentId, now }: QuoteEnd): Promise<void> {
  await sql`
    with freed as (
      update quote_hold set held = false where quote_id = ${id}::uuid and held
      returning host_id, count * vcpus as vcpus, count * memory_mib as memory_mib, count * disk_gib as disk_gib
    ), summed as (
      select host_id, sum(vcpus)::int as vcpus, sum(memory_mib)::int as memory_mib, sum(disk_gib)::int as disk_gib
      from freed group by host_id
    ), given_back as (
      update host set vcpus_used = vcpus_used - summed.vcpus, memory_mib_used = memory_mib_used - summed.memory_mib,
        disk_gib_used = disk_gib_used - summed.disk_gib
      from summed where host.id = summed.host_id
    )
    update quote set state = ${state}, reason = ${reason ?? null}, deployment_id = ${deploymentId ?? null}::uuid,
      closed_at = ${now}::timestamptz
    where id = ${id}::uuid`.execute(tx);
}

/** The ids of open quotes whose time is over, or that can't be kept, at most `limit`. */
export async function listOverQuotes(
  database: Database,
  { why, now, limit }: { why: 'expired' | 'lost'; now: Date; limit: number },
): Promise<string[]> {
  const isOver =
    why === 'expired'
      ? sql`expires_at <= ${now}::timestamptz`
      : sql`exists (select from quote_hold join host on host.id = quote_hold.host_id left join slot on slot.id = slot_id
          where quote_id = quote.id and ${loss} is not null)`;
  const { rows } = await sql<{ id: string }>`
    select id from quote where state = 'open' and ${isOver} order by expires_at, id limit ${limit}::int`.execute(
    database,
  );
  return rows.map(({ id }) => id);
}

/** Takes the row of an open quote that nobody else holds. @returns undefined where it is not open, or somebody is at it */
export async function claimOpenQuote(tx: Tx, id: string): Promise<QuoteRow | undefined> {
  const { rows } = await sql`
    select from quote where id = ${id}::uuid and state = 'open' for no key update skip locked`.execute(tx);
  return rows.length === 0 ? undefined : findQuote(tx, id);
}

/** Forgets quotes that were closed before `before`. @returns how many, at most `limit` */
export async function forgetQuotes(tx: Tx, before: Date, limit: number): Promise<number> {
  const result = await tx
    .deleteFrom('quote')
    .where('id', 'in', (eb) =>
      eb.selectFrom('quote').where('state', '<>', 'open').where('closed_at', '<', before).limit(limit).select('id'),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
