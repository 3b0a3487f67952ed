// The only writer of the ledger. Whoever moves money gives whole transactions; that they sum to zero, that nothing written
// changes, and that balances follow is the schema's doing.

import { sql } from 'kysely';
import type { Span } from '../model/moment.ts';
import type { MicroUsd } from '../model/money.ts';
import type { TransactionKind } from '../model/transaction.ts';
import type { Database, Tx } from './database.ts';

/** Where money is: a customer's, free or held; a host's earnings; the world outside. */
export type Book = 'available' | 'held' | 'revenue' | 'cash';

/** A transaction; the amounts of its entries, in micro-USD, sum to zero, and those of 0 are left out. */
export interface NewTransaction {
  id: string;
  kind: TransactionKind;
  accountId: string;
  instanceId: string | null;
  hostId: string | null;
  reason: string;
  actor: string;
  createdAt: Date;
  entries: readonly { book: Book; amount: MicroUsd }[];
}

/** What an account has. */
export interface Balance {
  available: MicroUsd;
  held: MicroUsd;
}

/** Writes transactions. Those without any amount are left out. */
export async function insertTransactions(tx: Tx, transactions: readonly NewTransaction[]): Promise<void> {
  const moving = transactions.filter(({ entries }) => entries.some(({ amount }) => amount !== 0n));
  if (moving.length === 0) return;
  const rows = moving.map(({ entries: _, hostId: __, ...row }) => row);
  const entries = moving.flatMap(({ id, accountId, hostId, entries }) =>
    entries
      .filter(({ amount }) => amount !== 0n)
      .map(({ book, amount }) => ({
        transaction_id: id,
        book,
        account_id: book === 'available' || book === 'held' ? accountId : null,
        host_id: book === 'revenue' ? hostId : null,
        amount: String(amount),
      })),
  );
  await sql`
    with written as (
      insert into ledger_transaction (id, kind, account_id, instance_id, reason, actor, created_at)
      select id, kind, "accountId", "instanceId", reason, actor, "createdAt"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as row (id uuid, kind text, "accountId" uuid, "instanceId" text,
        reason text, actor text, "createdAt" timestamptz)
    )
    insert into ledger_entry (transaction_id, book, account_id, host_id, amount_micro_usd)
    select transaction_id, book, account_id, host_id, amount
    from jsonb_to_recordset(${JSON.stringify(entries)}::jsonb) as row (transaction_id uuid, book text, account_id uuid,
      host_id uuid, amount bigint)`.execute(tx);
}

/** Locks accounts' balances in id order. @returns what each has available */
export async function lockBalances(tx: Tx, accountIds: readonly string[]): Promise<Map<string, MicroUsd>> {
  const rows = await tx
    .selectFrom('account_balance')
    .where(sql<boolean>`account_id = any(${[...accountIds]}::uuid[])`)
    .select(['account_id', 'available_micro_usd'])
    .orderBy('account_id')
    .forUpdate()
    .execute();
  return new Map(rows.map((row) => [row.account_id, row.available_micro_usd]));
}

/** What an account has. */
export async function readBalance(database: Database, accountId: string): Promise<Balance> {
  const row = await database
    .selectFrom('account_balance')
    .where('account_id', '=', accountId)
    .select(['available_micro_usd', 'held_micro_usd'])
    .executeTakeFirst();
  return { available: row?.available_micro_usd ?? 0n, held: row?.held_micro_usd ?? 0n };
}

/** A line of a statement: a transaction, what it moved of the account's, and what was left after it. */
export interface StatementLine extends Balance {
  id: string;
  kind: TransactionKind;
  instanceId: string | null;
  instanceName: string | null;
  reason: string;
  actor: string;
  createdAt: Date;
  availableMoved: MicroUsd;
  heldMoved: MicroUsd;
}

/** An account's transactions of a span, oldest first. @param limit lines at most; all of them where it is left out */
export async function listStatement(
  database: Database,
  accountId: string,
  { from, to }: Span,
  limit?: number,
): Promise<StatementLine[]> {
  const { rows } = await sql<{
    id: string;
    kind: TransactionKind;
    instance_id: string | null;
    instance_name: string | null;
    reason: string;
    actor: string;
    created_at: Date;
    available_moved: bigint;
    held_moved: bigint;
    available: bigint;
    held: bigint;
  }>`
    with moved as (
      select ledger_transaction.*, min(entry.id) as first_entry,
        coalesce(sum(amount_micro_usd) filter (where book = 'available'), 0)::bigint as available_moved,
        coalesce(sum(amount_micro_usd) filter (where book = 'held'), 0)::bigint as held_moved
      from ledger_transaction join ledger_entry as entry on transaction_id = ledger_transaction.id
      where ledger_transaction.account_id = ${accountId}::uuid and ledger_transaction.created_at < ${to}::timestamptz
      group by ledger_transaction.id
    ), line as (
      select moved.*, sum(available_moved) over past as available, sum(held_moved) over past as held
      from moved window past as (order by created_at, first_entry)
    )
    select line.id, line.kind, instance_id, instance.name as instance_name, reason, actor, line.created_at, available_moved,
      held_moved, available::bigint, held::bigint
    from line left join instance on instance.id = line.instance_id
    where line.created_at >= ${from}::timestamptz order by line.created_at, first_entry
    limit ${limit ?? null}::int`.execute(database);
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    instanceId: row.instance_id,
    instanceName: row.instance_name,
    reason: row.reason,
    actor: row.actor,
    createdAt: row.created_at,
    availableMoved: row.available_moved,
    heldMoved: row.held_moved,
    available: row.available,
    held: row.held,
  }));
}
