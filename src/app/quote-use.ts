// Using a quote: what it holds is a market of its own, with the prices of the day on which it was made, and whoever takes places
// there takes them out of the quote. So everything that is asked of hosts is held against what a quote holds by the same rules.

import { parseConfiguration } from '../model/configuration.ts';
import { BerthError, shown } from '../model/errors.ts';
import { heldInWords, type QuoteRef, subjectOf, whyOver } from '../model/quote.ts';
import { type Configuration, Market } from '../placement/market.ts';
import type { Database, Tx } from '../store/database.ts';
import { insertEvents } from '../store/event.ts';
import { closeQuote, findLoss, findQuote, lockHolds, type QuoteRow } from '../store/quote.ts';
import type { Context } from './context.ts';

/** What a quote is taken for. */
export interface QuoteUse {
  quote: QuoteRef;
  accountId: string;
  /** What is made with it. */
  deploymentId: string;
  actor: string;
  now: Date;
}

/**
 * A quote of an account, open or not.
 * @throws BerthError `not_found`, also for one of another account
 */
export async function readQuoteOf(database: Database, accountId: string, ref: QuoteRef): Promise<QuoteRow> {
  const quote = await findQuote(database, ref.id);
  if (quote?.accountId === accountId) return quote;
  throw unknownQuote(ref);
}

/** The refusal of a quote that is not there, or another account's. */
export const unknownQuote = (quote: QuoteRef) =>
  new BerthError('not_found', `There is no quote ${shown(quote.shown)}.`, subjectOf(quote));

/**
 * The markets that a quote is: its hosts with what it holds there, at its rate cards. In the first, where there is one, the
 * configuration that it is for is sold alone, so that a request which names none gets that; in the last all of them are.
 * @param now the market of everybody, which says what these hosts are made of
 */
export function marketsOf(quote: QuoteRow, now: Market): Market[] {
  const { configuration } = quote;
  const size = configuration === null ? null : parseConfiguration(configuration);
  const all = marketWith(quote, now, now.configurations);
  // It may be one that is not sold any more.
  return configuration !== null && size ? [marketWith(quote, now, [{ slug: configuration, size }]), all] : [all];
}

function marketWith({ holds }: QuoteRow, now: Market, configurations: readonly Configuration[]): Market {
  const market = new Market();
  market.setConfigurations(configurations);
  for (const { hostId, count, size, rates, priceId } of holds) {
    const host = now.get(hostId);
    if (!host || !rates || priceId === null) continue;
    const { vcpus, memoryMib, diskGib } = size;
    const free = { vcpus: vcpus * count, memoryMib: memoryMib * count, diskGib: diskGib * count };
    // Whether its hosts still take instances is looked at where it is used, under their locks.
    market.set({ ...host, rates, priceId, free, state: 'open', reachable: true });
  }
  return market;
}

/**
 * Uses a quote up, and gives back what it holds to whoever takes it in the same transaction: the hosts' rows are held until that
 * ends. What is not taken is everybody's again.
 * @returns the quote
 * @throws BerthError `not_found`, `quote_over`
 */
export async function spendQuote(tx: Tx, { quote, accountId, deploymentId, actor, now }: QuoteUse): Promise<QuoteRow> {
  const found = await findQuote(tx, quote.id, { lock: true });
  if (found?.accountId !== accountId) throw unknownQuote(quote);
  requireOpen(found, quote, now);
  await lockHolds(tx, found.holds);
  const loss = await findLoss(tx, found.id);
  if (loss !== null) throw quoteOver(quote, `was lost: ${loss}`);
  await closeQuote(tx, found.id, { state: 'used', deploymentId, now });
  await insertEvents(tx, [
    {
      ...{ accountId, instanceId: null, hostId: null, kind: 'quote.used', actor, createdAt: now },
      message: `The quote for ${heldInWords(found.count, found.size)} was used.`,
      data: { quoteId: found.id, deploymentId },
    },
  ]);
  return found;
}

const quoteOver = (quote: QuoteRef, why: string) =>
  new BerthError('quote_over', `The quote ${quote.shown} ${why}; ask for a new one.`, subjectOf(quote));

/** @throws BerthError `quote_over` for a quote that holds nothing any more */
export function requireOpen(found: QuoteRow, quote: QuoteRef, now: Date): void {
  const why = whyOver(found, now);
  if (why !== null) throw quoteOver(quote, why);
}

/**
 * A quote of an account that still holds what it promises, for who only looks at it.
 * @throws BerthError `not_found`, `quote_over`
 */
export async function readHoldingQuote(
  { database, clock }: Context,
  accountId: string,
  ref: QuoteRef,
): Promise<QuoteRow> {
  const found = await readQuoteOf(database, accountId, ref);
  requireOpen(found, ref, clock.now());
  const loss = await findLoss(database, found.id);
  if (loss !== null) throw quoteOver(ref, `was lost: ${loss}`);
  return found;
}

/**
 * The refusal of what does not fit into a quote; of one that holds nothing any more, that it does not.
 * @param why what does not fit
 */
export async function notInQuote(
  { database, clock }: Context,
  accountId: string,
  quote: QuoteRef,
  why: string,
): Promise<BerthError> {
  const found = await findQuote(database, quote.id);
  if (found?.accountId !== accountId) return unknownQuote(quote);
  const over = whyOver(found, clock.now());
  if (over !== null) return quoteOver(quote, over);
  const loss = await findLoss(database, found.id);
  if (loss !== null) return quoteOver(quote, `was lost: ${loss}`);
  const what = found.kind === 'container' ? 'a slot for one container' : heldInWords(found.count, found.size);
  return new BerthError('quote_too_small', `${why}; the quote ${quote.shown} holds ${what}.`, subjectOf(quote));
}
