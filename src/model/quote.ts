// Quotes: a price that holds for a while and the room that it is for. What a quote may be asked for, and how it stands. Pure.

import type { Size } from './configuration.ts';
import { BerthError, shown } from './errors.ts';

/**
 * How a quote stands.
 * - `open`: it holds what it promises
 * - `used`: something was made with it
 * - `expired`: its time was over before anything was
 * - `released`: its owner let it go
 * - `lost`: its host was closed or went out of reach
 */
export const quoteStates = ['open', 'used', 'expired', 'released', 'lost'] as const;

/** One of {@link quoteStates}. */
export type QuoteState = (typeof quoteStates)[number];

/** Long enough to read an offer and to decide; nobody else gets the room meanwhile. */
export const quoteSecondsDefault = 900;
/** A quote costs nothing, so it can't be kept for a day. */
export const quoteSecondsMax = 3_600;

/** Open quotes of an account, and instances that they hold room for, unless the settings say otherwise. */
export const openQuotesMax = 20;
export const quotedInstancesMax = 64;

/** As a request names a quote. */
export interface QuoteRef {
  id: string;
  /** As the customer wrote it. */
  shown: string;
  /** Where it stands in the request; left out for a path. */
  field?: string;
}

/** What a refusal that is about a quote is about, as the request calls it. */
export const subjectOf = ({ field, shown: text }: QuoteRef): string => field ?? text;

/** What tells how a quote stands. */
export interface QuoteStanding {
  state: QuoteState;
  expiresAt: Date;
  reason: string | null;
}

/** How a quote stands now: one whose time is over holds nothing, whether or not that was noted yet. */
export const quoteStateAt = ({ state, expiresAt }: QuoteStanding, now: Date): QuoteState =>
  state === 'open' && expiresAt <= now ? 'expired' : state;

/** What became of a quote, in words; null while it is open. */
export function whyOver(quote: QuoteStanding, now: Date): string | null {
  switch (quoteStateAt(quote, now)) {
    case 'open':
      return null;
    case 'used':
      return 'has been used';
    case 'expired':
      return `was good until ${quote.expiresAt.toISOString()}`;
    case 'released':
      return 'was let go';
    case 'lost':
      return `was lost: ${quote.reason ?? 'its host is gone'}`;
  }
}

/**
 * For how long a quote is asked for.
 * @returns seconds
 * @throws BerthError `invalid_value`
 */
export function checkQuoteSeconds(seconds: number, field: string): number {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= quoteSecondsMax) return seconds;
  const message = `${field} is ${shown(seconds)}; it must be a whole number of seconds from 1 to ${quoteSecondsMax}.`;
  throw new BerthError('invalid_value', message, field);
}

/** What a quote holds, in words. */
export function heldInWords(count: number, { vcpus, memoryMib, diskGib }: Size): string {
  const each = `${vcpus} vCPUs, ${memoryMib} MiB of memory and ${diskGib} GiB of storage`;
  return count === 1 ? `an instance of ${each}` : `${count} instances of ${each} each`;
}
