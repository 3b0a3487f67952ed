// Quotes and what they hold.

import type { Generated, GeneratedAlways } from 'kysely';
import type { InstanceKind } from '../../model/instance.ts';
import type { QuoteState } from '../../model/quote.ts';

interface QuoteTable {
  id: string;
  account_id: string;
  kind: InstanceKind;
  state: Generated<QuoteState>;
  reason: Generated<string | null>;
  count: number;
  configuration: string | null;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  needed_micro_usd: bigint;
  actor: string;
  created_at: Date;
  expires_at: Date;
  closed_at: Generated<Date | null>;
  deployment_id: Generated<string | null>;
}

interface QuoteHoldTable {
  id: GeneratedAlways<bigint>;
  quote_id: string;
  host_id: string;
  count: number;
  vcpus: number;
  memory_mib: number;
  disk_gib: number;
  price_micro_usd: bigint;
  price_id: string | null;
  slot_id: string | null;
  slot_price_id: string | null;
  held: Generated<boolean>;
}

/** Quotes and what they hold. */
export interface QuoteTables {
  quote: QuoteTable;
  quote_hold: QuoteHoldTable;
}
