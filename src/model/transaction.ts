// Kinds of ledger transactions.

/**
 * - `credit`, `debit`: by an operator's hand
 * - `charge`, `refund`: for what ran
 * - `deposit`, `release`: an epoch's price is held, and given back
 */
export const transactionKinds = ['credit', 'debit', 'charge', 'deposit', 'release', 'refund'] as const;

/** One of {@link transactionKinds}. */
export type TransactionKind = (typeof transactionKinds)[number];
