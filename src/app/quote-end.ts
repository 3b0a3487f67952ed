// How quotes end that nobody uses: their time is over, or a host that they hold something of is closed or out of reach. What they
// hold is free from that moment; whoever finds no room notes it himself, and the reconciler does for the rest.

import { heldInWords, type QuoteState, quoteStateAt } from '../model/quote.ts';
import { type Database, inTransaction, type Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import {
  claimOpenQuote,
  closeQuote,
  findLoss,
  findQuote,
  listOverQuotes,
  lockHolds,
  type QuoteRow,
} from '../store/quote.ts';
import type { Context } from './context.ts';

/** Quotes that are ended in one pass; the next one takes the others. */
const batchMax = 200;

/** Ends quotes whose time is over, which makes room. @returns how many */
export const endExpiredQuotes = (context: Context): Promise<number> => endQuotes(context, 'expired');

/** Ends quotes that can't be kept; what they held is on hosts that take nothing. @returns how many */
export const endLostQuotes = (context: Context): Promise<number> => endQuotes(context, 'lost');

async function endQuotes({ outside, ...own }: Context, why: 'expired' | 'lost'): Promise<number> {
  // In transactions of their own, so that everybody's view of the market sees it at once, whatever becomes of the request.
  const { database, clock } = outside ?? own;
  const now = clock.now();
  let ended = 0;
  for (const id of await listOverQuotes(database, { why, now, limit: batchMax })) {
    if (await inTransaction(database, (tx) => end(tx, id, now))) ended += 1;
  }
  return ended;
}

async function end(tx: Tx, id: string, now: Date): Promise<boolean> {
  const quote = await claimOpenQuote(tx, id);
  if (!quote) return false;
  await lockHolds(tx, quote.holds);
  if (quote.expiresAt <= now) {
    await closeAndTell(tx, quote, { state: 'expired', why: 'was not used in time', actor: 'berth', now });
    return true;
  }
  const reason = await findLoss(tx, id);
  if (reason === null) return false;
  await closeAndTell(tx, quote, { state: 'lost', reason, why: `was lost: ${reason}`, actor: 'berth', now });
  return true;
}

/**
 * Lets go of a quote at its owner's wish.
 * @returns false where it was over already
 */
export function releaseQuote(database: Database, id: string, actor: string, now: Date): Promise<boolean> {
  return inTransaction(database, async (tx) => {
    const quote = await findQuote(tx, id, { lock: true });
    if (!quote || quoteStateAt(quote, now) !== 'open') return false;
    await lockHolds(tx, quote.holds);
    await closeAndTell(tx, quote, { state: 'released', why: 'was let go', actor, now });
    return true;
  });
}

interface End {
  state: Exclude<QuoteState, 'open' | 'used'>;
  reason?: string;
  why: string;
  actor: string;
  now: Date;
}

async function closeAndTell(tx: Tx, quote: QuoteRow, { state, reason, why, actor, now }: End): Promise<void> {
  await closeQuote(tx, quote.id, { state, ...(reason === undefined ? {} : { reason }), now });
  await insertEvents(tx, [
    {
      ...{ accountId: quote.accountId, instanceId: null, hostId: null, kind: `quote.${state}`, actor, createdAt: now },
      message: `The quote for ${heldInWords(quote.count, quote.size)} ${why}.`,
      data: { quoteId: quote.id, ...(reason === undefined ? {} : { reason }) },
    },
  ]);
}
