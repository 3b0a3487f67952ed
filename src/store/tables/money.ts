// The ledger and the bills.

import type { Generated } from 'kysely';
import type { BillingPeriod } from '../../model/billing-period.ts';
import type { TransactionKind } from '../../model/transaction.ts';

interface AccountBalanceTable {
  account_id: string;
  available_micro_usd: bigint;
  held_micro_usd: bigint;
}

interface LedgerTransactionTable {
  id: string;
  kind: TransactionKind;
  account_id: string;
  instance_id: string | null;
  reason: string;
  actor: string;
  created_at: Date;
}

interface LedgerEntryTable {
  id: Generated<bigint>;
  transaction_id: string;
  book: 'available' | 'held' | 'revenue' | 'cash';
  account_id: string | null;
  host_id: string | null;
  amount_micro_usd: bigint;
}

interface BillTable {
  instance_id: string;
  account_id: string;
  host_id: string;
  period: BillingPeriod;
  anchor_at: Date;
  price_micro_usd: bigint;
  period_price_micro_usd: Generated<bigint | null>;
  price_changes: Generated<number>;
  paid_until: Date;
  held_micro_usd: Generated<bigint>;
  spent_micro_usd: Generated<bigint>;
  ran_until: Date | null;
  funds: Generated<'enough' | 'small' | 'none'>;
  funds_changed_at: Date;
  created_at: Date;
  closed_at: Date | null;
}

interface ChargeTable {
  instance_id: string;
  period_begins_at: Date;
  period_ends_at: Date;
  amount_micro_usd: bigint;
  transaction_id: string | null;
  price_change: Generated<number>;
}

/** The ledger and the bills */
export interface MoneyTables {
  account_balance: AccountBalanceTable;
  ledger_transaction: LedgerTransactionTable;
  ledger_entry: LedgerEntryTable;
  bill: BillTable;
  charge: ChargeTable;
}
