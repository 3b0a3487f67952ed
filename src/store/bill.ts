// Bills, and the evidence of when their instances ran. Bills are locked before balances, and after instances.

import { sql } from 'kysely';
import type { Bill, Charge, Evidence, Funds } from '../model/bill.ts';
import type { BillingPeriod } from '../model/billing-period.ts';
import type { MicroUsd } from '../model/money.ts';
import type { RunningBill } from '../model/outlook.ts';
import type { Database, Tx } from './database.ts';

/** An open bill with what settling needs to know. */
export interface OpenBill {
  accountId: string;
  bill: Bill;
  evidence: Evidence;
  funds: Funds;
  /** Its host still has something of it; a terminated instance's bill stays open without. */
  assigned: boolean;
}

/** Accounts that have something due which evidence can decide. */
export async function listDueAccounts(database: Database, now: Date): Promise<string[]> {
  const { rows } = await sql<{ account_id: string }>`
    select distinct account_id from bill
    join assignment using (instance_id) join host_health on host_health.host_id = bill.host_id
    where closed_at is null and desired <> 'absent' and (
      (paid_until <= ${now}::timestamptz and last_seen_at > paid_until
        and (period <> 'per-second' or last_seen_at >= paid_until + interval '1 minute'))
      or paid_until > ${now}::timestamptz
        + case when period in ('hourly', 'per-second') then interval '1 hour' else interval '24 hours' end)`.execute(
    database,
  );
  return rows.map(({ account_id }) => account_id);
}

/**
 * The bills of what an account has running, or switched off where that costs as much; what was ordered away is paid for no more.
 */
export async function listRunningBills(database: Database, accountId: string): Promise<RunningBill[]> {
  const { rows } = await sql<RunningBill>`
    select period, price_micro_usd as price, paid_until as "paidUntil"
    from bill join assignment using (instance_id)
    where bill.account_id = ${accountId}::uuid and closed_at is null and desired <> 'absent'
      and not (desired = 'off' and period in ('per-second', 'daily-per-second'))`.execute(database);
  return rows;
}

/** Claims accounts for this transaction. @returns those of them that no other transaction has claimed */
export async function claimAccounts(tx: Tx, accountIds: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from unnest(${[...accountIds]}::text[]) as id where pg_try_advisory_xact_lock(hashtextextended(id, 0))`.execute(
    tx,
  );
  return rows.map(({ id }) => id);
}

/** Locks the open bills of accounts, or those of some instances; in the order in which an account's are paid. */
export async function lockBills(
  tx: Tx,
  of: { accountIds: readonly string[] } | { instanceIds: readonly string[] },
  now: Date,
): Promise<OpenBill[]> {
  const which =
    'accountIds' in of
      ? sql`bill.account_id = any(${[...of.accountIds]}::uuid[])`
      : sql`bill.instance_id = any(${[...of.instanceIds]}::text[])`;
  // Locked in one order whatever is asked for. What is deployed after this is left out: nothing holds it.
  const locked = await sql<{ instance_id: string }>`
    select instance_id from bill where ${which} and closed_at is null order by instance_id for update`.execute(tx);
  const lockedIds = locked.rows.map(({ instance_id }) => instance_id);
  const { rows } = await sql<{
    instance_id: string;
    account_id: string;
    host_id: string;
    period: BillingPeriod;
    anchor_at: Date;
    price_micro_usd: bigint;
    period_price_micro_usd: bigint | null;
    price_changes: number;
    paid_until: Date;
    held_micro_usd: bigint;
    spent_micro_usd: bigint;
    ran_until: Date | null;
    funds: Funds;
    observed_state: string | null;
    running_since: Date | null;
    off_since: Date | null;
    last_seen_at: Date | null;
    assigned: boolean;
    charged: Date[] | null;
  }>`
    select bill.*, observed_state, running_since, off_since, last_seen_at, assignment.instance_id is not null as assigned, (
      select array_agg(period_begins_at) from charge
      where charge.instance_id = bill.instance_id and price_change = 0
        and period_begins_at >= least(paid_until, ${now}::timestamptz - interval '24 hours')
    ) as charged
    from bill left join assignment on assignment.instance_id = bill.instance_id
    left join host_health on host_health.host_id = bill.host_id
    where bill.instance_id = any(${lockedIds}::text[])
    order by bill.account_id, bill.created_at, bill.instance_id`.execute(tx);
  return rows.map((row) => ({
    accountId: row.account_id,
    bill: {
      instanceId: row.instance_id,
      hostId: row.host_id,
      period: row.period,
      anchorAt: row.anchor_at,
      price: row.price_micro_usd,
      periodPrice: row.period_price_micro_usd,
      priceChanges: row.price_changes,
      paidUntil: row.paid_until,
      held: row.held_micro_usd,
      spent: row.spent_micro_usd,
    },
    evidence: {
      runningSince: row.observed_state === 'running' ? row.running_since : null,
      offSince: row.observed_state === 'off' ? row.off_since : null,
      ranUntil: row.ran_until,
      knownUntil: row.last_seen_at,
      chargedBegins: new Set((row.charged ?? []).map((begins) => begins.getTime())),
    },
    funds: row.funds,
    assigned: row.assigned,
  }));
}

/** Writes bills as they have become. */
export async function writeBills(tx: Tx, bills: readonly Bill[]): Promise<void> {
  if (bills.length === 0) return;
  const rows = bills.map(({ instanceId, anchorAt, price, periodPrice, priceChanges, paidUntil, held, spent }) => ({
    ...{ instanceId, anchorAt, price: String(price), periodPrice: periodPrice && String(periodPrice), priceChanges },
    ...{ paidUntil, held: String(held), spent: String(spent) },
  }));
  await sql`
    update bill set anchor_at = row."anchorAt", price_micro_usd = row.price, period_price_micro_usd = row."periodPrice",
      price_changes = row."priceChanges", paid_until = row."paidUntil", held_micro_usd = row.held, spent_micro_usd = row.spent
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row ("instanceId" text, "anchorAt" timestamptz,
      price bigint, "periodPrice" bigint, "priceChanges" int, "paidUntil" timestamptz, held bigint, spent bigint)
    where bill.instance_id = row."instanceId"`.execute(tx);
}

/** Which open bill it is, and what it says now. */
export interface BillHandle {
  instanceId: string;
  accountId: string;
  price: MicroUsd;
}

/** The open bills of some instances. */
export async function listBillHandles(database: Database, instanceIds: readonly string[]): Promise<BillHandle[]> {
  const rows = await database
    .selectFrom('bill')
    .where(sql<boolean>`instance_id = any(${[...instanceIds]}::text[])`)
    .where('closed_at', 'is', null)
    .select(['instance_id', 'account_id', 'price_micro_usd'])
    .execute();
  return rows.map((row) => ({
    instanceId: row.instance_id,
    accountId: row.account_id,
    price: row.price_micro_usd,
  }));
}

/** Writes on instances what their bills say that they cost. */
export async function writePrices(tx: Tx, bills: readonly Bill[]): Promise<void> {
  const rows = bills.map(({ instanceId, price }) => ({ instanceId, price: String(price) }));
  await sql`
    update instance set price_micro_usd = row.price
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row ("instanceId" text, price bigint)
    where instance.id = row."instanceId"`.execute(tx);
}

/** Makes a bill another account's, with what that account has spent on the instance before, if it ever had it. */
export async function moveBill(tx: Tx, instanceId: string, accountId: string): Promise<void> {
  await sql`
    update bill set account_id = ${accountId}::uuid, spent_micro_usd = (
      select coalesce(sum(amount_micro_usd), 0) from charge join ledger_transaction on id = transaction_id
      where charge.instance_id = ${instanceId} and account_id = ${accountId}::uuid)
    where bill.instance_id = ${instanceId}`.execute(tx);
}

/** Writes which periods were decided on; the schema refuses to charge one twice. */
export async function insertCharges(
  tx: Tx,
  charges: readonly (Charge & { transactionId: string | null })[],
): Promise<void> {
  if (charges.length === 0) return;
  const rows = charges.map(({ fromAvailable, fromHeld, ...row }) => {
    return { ...row, amount: String(fromAvailable + fromHeld) };
  });
  await sql`
    insert into charge (instance_id, period_begins_at, period_ends_at, amount_micro_usd, transaction_id, price_change)
    select "instanceId", begins, ends, amount, "transactionId", "priceChange"
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row ("instanceId" text, begins timestamptz, ends timestamptz,
      amount bigint, "transactionId" uuid, "priceChange" int)`.execute(tx);
}

/** Ends bills: nothing is held any more. */
export async function closeBills(tx: Tx, instanceIds: readonly string[], now: Date): Promise<void> {
  await sql`
    update bill set closed_at = ${now}::timestamptz, held_micro_usd = 0
    where instance_id = any(${[...instanceIds]}::text[]) and closed_at is null`.execute(tx);
}

/** Takes bills in one order, before several changes that name some of them each. */
export async function takeBills(tx: Tx, instanceIds: readonly string[]): Promise<void> {
  if (instanceIds.length === 0) return;
  await sql`
    select from bill where instance_id = any(${[...instanceIds]}::text[]) order by instance_id for update`.execute(tx);
}

/**
 * Periods of an instance's own begin when it is first active, unless further ones were charged before: one that was made to
 * be off is billed from the beginning.
 */
export async function startPeriods(tx: Tx, instanceIds: readonly string[], now: Date): Promise<void> {
  if (instanceIds.length === 0) return;
  await sql`
    update bill set anchor_at = ${now}::timestamptz, paid_until = case period
      when 'hourly' then ${now}::timestamptz + interval '1 hour'
      when 'daily-per-vm' then ${now}::timestamptz + interval '24 hours' else ${now}::timestamptz end
    where instance_id = any(${[...instanceIds]}::text[]) and period <> 'global-daily' and closed_at is null and not exists (
      select from charge where charge.instance_id = bill.instance_id and price_change = 0
        and period_begins_at > bill.created_at and amount_micro_usd > 0)`.execute(tx);
}

/** Notes that runs have ended, at the last moment at which the host told of them. */
export async function noteRunsEnded(tx: Tx, hostId: string, instanceIds: readonly string[]): Promise<void> {
  if (instanceIds.length === 0) return;
  await sql`
    update bill set ran_until = last_seen_at from host_health
    where host_health.host_id = ${hostId}::uuid and instance_id = any(${[...instanceIds]}::text[])`.execute(tx);
}

/** An account's open bills in the order in which they are paid. */
export async function listOpenBills(
  database: Database,
  accountId: string,
): Promise<{ instanceId: string; price: MicroUsd; held: MicroUsd }[]> {
  const rows = await database
    .selectFrom('bill')
    .where('account_id', '=', accountId)
    .where('closed_at', 'is', null)
    .select(['instance_id', 'price_micro_usd', 'held_micro_usd'])
    .orderBy('created_at')
    .orderBy('instance_id')
    .execute();
  return rows.map((row) => ({ instanceId: row.instance_id, price: row.price_micro_usd, held: row.held_micro_usd }));
}

/** Writes how bills stand. */
export async function writeFunds(
  tx: Tx,
  changes: readonly { instanceId: string; funds: Funds }[],
  now: Date,
): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    update bill set funds = row.funds, funds_changed_at = ${now}::timestamptz
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as row ("instanceId" text, funds text)
    where bill.instance_id = row."instanceId"`.execute(tx);
}

/** Accounts of which some open bill does not stand as it says, at most `limit`. */
export async function listAccountsWithOldFunds(database: Database, limit: number): Promise<string[]> {
  const { rows } = await sql<{ account_id: string }>`
    with standing as (
      select bill.account_id, funds, bill.held_micro_usd < price_micro_usd as used, available_micro_usd,
        sum(price_micro_usd) filter (where bill.held_micro_usd >= price_micro_usd)
          over (partition by bill.account_id order by created_at, instance_id) as needed
      from bill join account_balance on account_balance.account_id = bill.account_id
      where closed_at is null
    )
    select distinct account_id from standing
    where funds <> case when used then 'none' when needed > available_micro_usd then 'small' else 'enough' end
    limit ${limit}`.execute(database);
  return rows.map(({ account_id }) => account_id);
}

/**
 * Instances whose due period has found nothing that pays it since `paidBefore`, at most `limit`, of all or `among` some.
 * Only those that are known to have run since: what nobody knows of is not ended.
 */
export async function listOverdue(
  database: Database,
  { paidBefore, limit, among }: { paidBefore: Date; limit: number; among?: readonly string[] },
): Promise<string[]> {
  const { rows } = await sql<{ instance_id: string }>`
    select bill.instance_id from bill
    join assignment using (instance_id) join host_health on host_health.host_id = bill.host_id
    join account_balance on account_balance.account_id = bill.account_id
    where closed_at is null and desired <> 'absent' and observed_state in ('running', 'off')
      and paid_until <= ${paidBefore}::timestamptz and last_seen_at > paid_until
      and available_micro_usd + bill.held_micro_usd < price_micro_usd
      ${among ? sql`and bill.instance_id = any(${[...among]}::text[])` : sql``}
    order by paid_until limit ${limit}`.execute(database);
  return rows.map(({ instance_id }) => instance_id);
}
