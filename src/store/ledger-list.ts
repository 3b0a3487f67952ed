// The ledger for its readers: page by page, and summed. Nothing here writes.

import { type RawBuilder, sql } from 'kysely';
import type { Span } from '../model/moment.ts';
import type { MicroUsd } from '../model/money.ts';
import type { TransactionKind } from '../model/transaction.ts';
import type { Database } from './database.ts';
import type { Balance, Book } from './ledger.ts';

/** What of the ledger is read; what is undefined excludes none. */
export interface LedgerFilter {
  accountId?: string | undefined;
  instanceId?: string | undefined;
  /** One that earned by it. */
  hostId?: string | undefined;
  kind?: TransactionKind | undefined;
  span: Span;
}

/** A movement of money in a book; the account's or the host's that the book is kept for. */
export interface LedgerEntry {
  book: Book;
  accountId: string | null;
  hostId: string | null;
  amount: MicroUsd;
}

/** A transaction with its entries. */
export interface LedgerRow {
  id: string;
  kind: TransactionKind;
  accountId: string;
  instanceId: string | null;
  reason: string;
  actor: string;
  createdAt: Date;
  entries: LedgerEntry[];
}

type RawRow = Omit<LedgerRow, 'entries'> & { entries: (Omit<LedgerEntry, 'amount'> & { amount: string })[] };

/** Transactions, the newest first. @param after the last one of the page before */
export async function listTransactions(
  database: Database,
  { accountId, instanceId, hostId, kind, span }: LedgerFilter,
  limit: number,
  after: { at: string; id: string } | null,
): Promise<LedgerRow[]> {
  const conditions: RawBuilder<unknown>[] = [
    sql`created_at >= ${span.from}::timestamptz`,
    sql`created_at < ${span.to}::timestamptz`,
  ];
  if (accountId !== undefined) conditions.push(sql`ledger_transaction.account_id = ${accountId}::uuid`);
  if (instanceId !== undefined) conditions.push(sql`instance_id = ${instanceId}`);
  if (kind !== undefined) conditions.push(sql`kind = ${kind}`);
  if (hostId !== undefined) {
    conditions.push(sql`exists (select from ledger_entry
      where transaction_id = ledger_transaction.id and host_id = ${hostId}::uuid)`);
  }
  if (after) conditions.push(sql`(created_at, id) < (${after.at}::timestamptz, ${after.id}::uuid)`);
  return readTransactions(database, sql.join(conditions, sql` and `), limit);
}

/** One transaction. */
export async function findTransaction(database: Database, id: string): Promise<LedgerRow | undefined> {
  const [found] = await readTransactions(database, sql`id = ${id}::uuid`, 1);
  return found;
}

async function readTransactions(database: Database, which: RawBuilder<unknown>, limit: number): Promise<LedgerRow[]> {
  const { rows } = await sql<RawRow>`
    select id, kind, ledger_transaction.account_id as "accountId", instance_id as "instanceId", reason, actor,
      created_at as "createdAt", (
        select jsonb_agg(jsonb_build_object('book', book, 'accountId', ledger_entry.account_id, 'hostId', host_id,
          'amount', amount_micro_usd::text) order by ledger_entry.id)
        from ledger_entry where transaction_id = ledger_transaction.id) as entries
    from ledger_transaction where ${which}
    order by created_at desc, id desc limit ${limit}::int`.execute(database);
  return rows.map((row) => ({
    ...row,
    entries: (row.entries ?? []).map((entry) => ({ ...entry, amount: BigInt(entry.amount) })),
  }));
}

/** What an account's transactions of one kind about one instance, or about none, have moved. */
export interface StatementSum {
  kind: TransactionKind;
  instanceId: string | null;
  instanceName: string | null;
  count: number;
  availableMoved: MicroUsd;
  heldMoved: MicroUsd;
}

/** What an account had before a span and after it, and what moved in it. */
export interface StatementSums {
  opening: Balance;
  closing: Balance;
  sums: StatementSum[];
}

/** Sums up an account's transactions of a span. @param limit sums at most */
export async function sumStatement(
  database: Database,
  accountId: string,
  { from, to }: Span,
  limit: number,
): Promise<StatementSums> {
  interface Sums {
    available: string;
    held: string;
  }
  // One statement sees one moment, so the sums and the two balances agree. Balances are reckoned back from the present one.
  const { rows } = await sql<{
    opening: Sums;
    closing: Sums;
    sums: (Omit<StatementSum, 'availableMoved' | 'heldMoved'> & { availableMoved: string; heldMoved: string })[];
  }>`
    with moved as (
      select kind, instance_id, created_at < ${to}::timestamptz as inside, count(distinct ledger_transaction.id) as transactions,
        coalesce(sum(amount_micro_usd) filter (where book = 'available'), 0)::bigint as available,
        coalesce(sum(amount_micro_usd) filter (where book = 'held'), 0)::bigint as held
      from ledger_transaction join ledger_entry on transaction_id = ledger_transaction.id
      where ledger_transaction.account_id = ${accountId}::uuid and created_at >= ${from}::timestamptz
      group by 1, 2, 3
    ), since as (
      select coalesce(sum(available), 0)::bigint as available, coalesce(sum(held), 0)::bigint as held from moved
    ), later as (
      select coalesce(sum(available), 0)::bigint as available, coalesce(sum(held), 0)::bigint as held from moved where not inside
    ), line as (
      select moved.kind, instance_id, instance.name, transactions, available, held
      from moved left join instance on instance.id = instance_id
      where inside order by instance.name nulls first, instance_id nulls first, moved.kind limit ${limit}::int
    )
    select
      jsonb_build_object('available', (available_micro_usd - since.available)::text,
        'held', (held_micro_usd - since.held)::text) as opening,
      jsonb_build_object('available', (available_micro_usd - later.available)::text,
        'held', (held_micro_usd - later.held)::text) as closing,
      coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'instanceId', instance_id, 'instanceName', name,
        'count', transactions, 'availableMoved', line.available::text, 'heldMoved', line.held::text)
        order by name nulls first, instance_id nulls first, kind) from line), '[]') as sums
    from account_balance, since, later where account_id = ${accountId}::uuid`.execute(database);
  const [row] = rows;
  if (!row) return { opening: { available: 0n, held: 0n }, closing: { available: 0n, held: 0n }, sums: [] };
  const toBalance = ({ available, held }: Sums): Balance => ({ available: BigInt(available), held: BigInt(held) });
  return {
    opening: toBalance(row.opening),
    closing: toBalance(row.closing),
    sums: row.sums.map((sum) => ({
      ...sum,
      availableMoved: BigInt(sum.availableMoved),
      heldMoved: BigInt(sum.heldMoved),
    })),
  };
}

/** What an account was charged on a day, less refunds. */
export interface SpendRow {
  /** In UTC, as `2026-11-22`. */
  day: string;
  spent: MicroUsd;
}

/** What an account was charged in a span, day by day; days without a charge are left out. */
export async function sumSpend(database: Database, accountId: string, { from, to }: Span): Promise<SpendRow[]> {
  const { rows } = await sql<SpendRow>`
    select to_char(created_at at time zone 'UTC', 'YYYY-MM-DD') as day, sum(amount_micro_usd)::bigint as spent
    from ledger_transaction join ledger_entry on transaction_id = ledger_transaction.id
    where book = 'revenue' and ledger_transaction.account_id = ${accountId}::uuid
      and created_at >= ${from}::timestamptz and created_at < ${to}::timestamptz
    group by 1 order by 1`.execute(database);
  return rows;
}
