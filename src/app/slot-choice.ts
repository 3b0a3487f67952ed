// Which price a container is started by where its request names none, and what it would cost.

import { BerthError } from '../model/errors.ts';
import type { MicroUsd } from '../model/money.ts';
import type { QuoteRef } from '../model/quote.ts';
import type { SlotPriceUnit } from '../model/slot.ts';
import type { Context } from './context.ts';
import { readBalance } from './ledger.ts';
import { notInQuote, readHoldingQuote } from './quote-use.ts';
import { readSlot, type SlotView } from './slot.ts';

/** How the dialect calls the two. */
export interface SlotChoiceFields {
  slotId: string;
  priceId: string;
}

/**
 * A slot by its id, and the price that a container there is to be billed by.
 * @param priceId null takes the only price that the slot has
 * @throws BerthError `not_found` for the slot; `price_stale` for a price that it does not have now, `invalid_value` where none is
 *   named and it has none or several
 */
export async function chooseSlotPrice(
  context: Context,
  slotId: string,
  priceId: string | null,
  fields: SlotChoiceFields,
): Promise<{ slot: SlotView; price: SlotView['prices'][number] }> {
  const slot = await readSlot(context, slotId).catch((error: unknown) => {
    if (!(error instanceof BerthError && error.code === 'not_found')) throw error;
    throw new BerthError('not_found', `There is no slot that ${fields.slotId} names.`, fields.slotId);
  });
  const [first, ...others] = slot.prices;
  if (priceId === null) {
    if (first && others.length === 0) return { slot, price: first };
    const message = `${fields.priceId} is left out, and the slot has ${slot.prices.length} prices; name one.`;
    throw new BerthError('invalid_value', message, fields.priceId);
  }
  const price = slot.prices.find(({ id }) => id === priceId);
  if (price) return { slot, price };
  const message = `${fields.priceId} names no price that the slot has now; read the slot again.`;
  throw new BerthError('price_stale', message, fields.priceId);
}

/** What a container on a slot would cost. Amounts are in micro-USD. */
export interface SlotEstimate {
  slot: SlotView;
  price: MicroUsd;
  unit: SlotPriceUnit;
  /** What the account has to spend. */
  available: MicroUsd;
}

/**
 * What a container would cost that was started now; with a quote, at its price. Its deposit is one unit's price, and nothing is charged before it runs.
 * @throws BerthError as {@link chooseSlotPrice} does; `slot_not_available`; `quote_over`, `quote_too_small` of a quote
 */
export async function estimateOnSlot(
  context: Context,
  accountId: string,
  slotId: string,
  priceId: string | null,
  fields: SlotChoiceFields,
  quote: QuoteRef | null = null,
): Promise<SlotEstimate> {
  if (quote) return estimateInQuote(context, accountId, { slotId, priceId, quote });
  const { slot, price } = await chooseSlotPrice(context, slotId, priceId, fields);
  if (slot.status !== 'available') {
    const message = `The slot that ${fields.slotId} names is rented or inactive; choose one that is available.`;
    throw new BerthError('slot_not_available', message, fields.slotId);
  }
  const { available } = await readBalance(context, accountId);
  return { slot, price: price.amountMicroUsd, unit: price.unit, available };
}

async function estimateInQuote(
  context: Context,
  accountId: string,
  { slotId, priceId, quote }: { slotId: string; priceId: string | null; quote: QuoteRef },
): Promise<SlotEstimate> {
  const { holds } = await readHoldingQuote(context, accountId, quote);
  const held = holds.find(({ slot }) => slot?.id === slotId && (priceId === null || slot.priceId === priceId));
  if (!held) throw await notInQuote(context, accountId, quote, 'What is asked for is another slot or price');
  const slot = await readSlot(context, slotId);
  const { available } = await readBalance(context, accountId);
  return { slot, price: held.priceMicroUsd, unit: held.unit, available };
}
