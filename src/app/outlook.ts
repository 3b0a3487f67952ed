// What an account has, spends and how long that lasts.

import { epochMs } from '../model/billing-period.ts';
import { lastsUntil, spendPerEpoch } from '../model/outlook.ts';
import { listRunningBills } from '../store/bill.ts';
import { type Balance, readBalance } from '../store/ledger.ts';
import type { Context } from './context.ts';

/** What an account has, and what becomes of it. Amounts are in micro-USD. */
export interface Outlook extends Balance {
  /** What an epoch of everything that it runs costs. */
  spendPerEpoch: bigint;
  epochMs: number;
  /** When the first payment can't be made, as things are; null where that is not in sight. */
  lastsUntil: Date | null;
}

/** What an account has, and what becomes of it. */
export async function readOutlook({ database, settings }: Context, accountId: string): Promise<Outlook> {
  const [balance, bills] = await Promise.all([readBalance(database, accountId), listRunningBills(database, accountId)]);
  const { period } = settings.billing;
  return {
    ...balance,
    spendPerEpoch: spendPerEpoch(bills, period),
    epochMs: epochMs(period),
    lastsUntil: lastsUntil(balance.available, bills),
  };
}
