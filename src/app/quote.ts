// Quotes: what instances would cost, with the room for them held and the price locked for a while. A quote costs nothing, so it is
// for who could pay for what it holds, and there are only so many.

import type { Constraints } from '../model/constraints.ts';
import { BerthError } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { formatUsd, type MicroUsd } from '../model/money.ts';
import type { PrivilegeLevel } from '../model/privilege.ts';
import { checkQuoteSeconds, heldInWords, type QuoteRef, type QuoteState } from '../model/quote.ts';
import { vmFaults } from '../model/vm.ts';
import type { Placement } from '../placement/place.ts';
import { sizeOfVm } from '../placement/place-vm.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { lockHosts } from '../store/deployment.ts';
import { insertEvents } from '../store/event.ts';
import {
  findQuote,
  holdRoom,
  insertQuote,
  lockOpenQuotes,
  type NewHold,
  type NewQuote,
  type QuoteRow,
  listQuotes as read,
} from '../store/quote.ts';
import { findSlotPrice, takeSlot } from '../store/slot.ts';
import { type AtAccount, type Caller, reachAccount } from './access.ts';
import { firstBill } from './billing.ts';
import type { Context } from './context.ts';
import { type Choice, checkSold, lookForVms, type WantedVms } from './instance-create.ts';
import { disksOf, type InstancesFields, type InstancesRequest } from './instance-request.ts';
import { readBalance } from './ledger.ts';
import { checkInstances, checkPlaceConstraints, noOffer } from './offer.ts';
import { tellNotFound } from './offer-not-found.ts';
import { type Attempt, inFreePlace, PlaceTaken } from './placing.ts';
import { endExpiredQuotes, releaseQuote as release } from './quote-end.ts';
import { readQuoteOf, requireOpen, unknownQuote } from './quote-use.ts';
import { chooseSlotPrice, type SlotChoiceFields } from './slot-choice.ts';
import { neededFor } from './too-little.ts';
import { mergeFaults, requireNone } from './vm-request.ts';

export type { QuoteHold, QuoteRow } from '../store/quote.ts';

/** VMs as a quote is asked for them. */
export interface QuoteRequest {
  count: number;
  /** A size of its own; null takes that of a configuration, which the constraints may name. */
  size: InstancesRequest['size'];
  constraints: Constraints;
  /** For how long, in seconds. */
  validSeconds: number;
}

/** How the dialect calls the fields, so that messages speak the customer's language. */
export type QuoteFields = Pick<
  InstancesFields,
  'instances' | 'configuration' | 'vcpus' | 'disks' | 'additionalStorage' | 'storage' | 'countries' | 'datacenters'
> & { validSeconds: string };

/**
 * Makes a quote for VMs: the cheapest places that there are now, held at their prices.
 * @returns it, durable with the transaction that this is a part of
 * @throws InvalidFields, BerthError `invalid_value`; `no_suitable_offer`, `not_enough_offers`; `insufficient_balance` where the account
 *   could not pay for it beside its other open quotes, `wrong_state` where it has as many as it may
 */
export async function quoteVms(
  context: Context,
  at: AtAccount,
  request: QuoteRequest,
  fields: QuoteFields,
): Promise<QuoteRow> {
  const wanted = await checkRequest(context, request, fields);
  const seconds = checkQuoteSeconds(request.validSeconds, fields.validSeconds);
  // What it is of is told by where it was found, and every attempt looks anew.
  let choice: Choice | null = null;
  let tried: Attempt | undefined;
  const written = inFreePlace(context, {
    ...{ count: wanted.count, disks: 0 },
    look: (market, lessons) => {
      const found = lookForVms(market, wanted, { ...lessons, isInDefaultPool: true });
      choice = found.choice;
      return found.placed;
    },
    write: async (tx, attempt) => {
      tried = attempt;
      const { placed } = attempt;
      if (!choice || placed.placed < wanted.count) throw noOffer(placed);
      return writeVms(context, tx, at, { choice, placements: placed.placements, count: wanted.count, seconds });
    },
  });
  const id = await written.catch(async (error: unknown) => {
    const isNoOffer = error instanceof BerthError && ['no_suitable_offer', 'not_enough_offers'].includes(error.code);
    // What is suggested is of configurations, so it is for those who asked for one.
    if (tried && isNoOffer && !wanted.size) await tellNotFound(context, at.principal, tried.market, wanted);
    throw error;
  });
  return readQuoteOf(context.database, at.account.id, { id, shown: id });
}

async function checkRequest(context: Context, request: QuoteRequest, fields: QuoteFields): Promise<WantedVms> {
  const { count, size } = request;
  checkInstances(count, fields.instances);
  const { disks, faults } = disksOf(context, { size, disks: null, constraints: request.constraints }, fields);
  const ofSize = size ? { vcpus: size.vcpus, memoryMib: size.memoryMib } : {};
  requireNone(mergeFaults(vmFaults({ name: 'quote', ...ofSize }), faults));
  const constraints = await checkPlaceConstraints(context, request.constraints, fields);
  return checkSold(context, { count, size, disks, constraints }, fields);
}

interface FoundVms {
  choice: Choice;
  placements: readonly Placement[];
  count: number;
  seconds: number;
}

/** @returns the quote's id */
async function writeVms(
  context: Context,
  tx: Tx,
  at: AtAccount,
  { choice, placements, count, seconds }: FoundVms,
): Promise<string> {
  const size = sizeOfVm(choice.vm);
  const now = context.clock.now();
  const quote = newQuote(context, at, {
    ...{ kind: 'vm', count, size, seconds, now, configuration: choice.configuration },
    neededMicroUsd: neededFor(firstBill(context, now), placements),
  });
  await requireAllowed(context, tx, quote);
  await lockHosts(
    tx,
    placements.map(({ host }) => host.id),
  );
  const holds = placements.map(({ host, count: here, price }): NewHold => {
    return { hostId: host.id, count: here, size, priceMicroUsd: price, priceId: host.priceId, slot: null };
  });
  for (const hold of holds) if (!(await holdRoom(tx, hold))) throw new PlaceTaken();
  await insertQuote(tx, quote, holds);
  await tellOfQuote(tx, quote);
  return quote.id;
}

/** A container as a quote is asked for it. */
export interface SlotQuoteRequest {
  slotId: string;
  /** Null takes the only price that the slot has. */
  priceId: string | null;
  validSeconds: number;
}

/**
 * Makes a quote for a container: its slot, held at one of its prices.
 * @returns it, durable with the transaction that this is a part of
 * @throws BerthError as {@link chooseSlotPrice} does; `slot_not_available`, `insufficient_balance`, `wrong_state`
 */
export async function quoteSlot(
  context: Context,
  at: AtAccount,
  { slotId, priceId, validSeconds }: SlotQuoteRequest,
  fields: SlotChoiceFields & { validSeconds: string },
): Promise<QuoteRow> {
  const seconds = checkQuoteSeconds(validSeconds, fields.validSeconds);
  const chosen = (await chooseSlotPrice(context, slotId, priceId, fields)).price;
  const write = () => inTransaction(context.database, (tx) => writeSlot(context, tx, at, { slotId, chosen, seconds }));
  // What a quote has held for too long is free, though nobody has noted it yet.
  const id = (await write()) ?? ((await endExpiredQuotes(context)) > 0 ? await write() : null);
  if (id !== null) return readQuoteOf(context.database, at.account.id, { id, shown: id });
  const message = `The slot that ${fields.slotId} names is rented or inactive; choose one that is available.`;
  throw new BerthError('slot_not_available', message, fields.slotId);
}

/** @returns the quote's id; null where the slot can't be had, and then nothing was written */
async function writeSlot(
  context: Context,
  tx: Tx,
  at: AtAccount,
  { slotId, chosen, seconds }: { slotId: string; chosen: { id: string; amountMicroUsd: MicroUsd }; seconds: number },
): Promise<string | null> {
  const now = context.clock.now();
  const { amountMicroUsd: priceMicroUsd } = chosen;
  const parts = { accountId: at.account.id, count: 1, neededMicroUsd: priceMicroUsd, createdAt: now };
  await requireAllowed(context, tx, parts);
  const slot = await takeSlot(tx, slotId);
  if (!slot) return null;
  const price = await findSlotPrice(tx, chosen.id);
  if (!price || price.isWithdrawn) {
    throw new BerthError(
      'price_stale',
      'The price of the slot was withdrawn just now; read the slot again.',
      'slotPrice',
    );
  }
  const { vcpus, memoryMib, diskGib, hostId } = slot;
  const quote = newQuote(context, at, {
    ...{ kind: 'container', count: 1, size: { vcpus, memoryMib, diskGib }, seconds, now, configuration: null },
    neededMicroUsd: priceMicroUsd,
  });
  const held = { id: slotId, priceId: chosen.id };
  await insertQuote(tx, quote, [{ hostId, count: 1, size: quote.size, priceMicroUsd, priceId: null, slot: held }]);
  await tellOfQuote(tx, quote);
  return quote.id;
}

type QuoteParts = Pick<NewQuote, 'kind' | 'count' | 'size' | 'configuration' | 'neededMicroUsd'> & {
  seconds: number;
  now: Date;
};

const newQuote = (
  { entropy }: Context,
  { account, principal }: AtAccount,
  { seconds, now, ...parts }: QuoteParts,
): NewQuote => ({
  ...parts,
  ...{ id: newUuid(entropy), accountId: account.id, actor: principal.actor, createdAt: now },
  expiresAt: new Date(now.getTime() + seconds * 1000),
});

/**
 * Holds a quote against what an account may have of them.
 * @throws BerthError `wrong_state`, `insufficient_balance`
 */
async function requireAllowed(
  { settings, ...context }: Context,
  tx: Tx,
  quote: Pick<NewQuote, 'accountId' | 'count' | 'neededMicroUsd' | 'createdAt'>,
): Promise<void> {
  const { openMax, instancesMax } = settings.quotes;
  const open = await lockOpenQuotes(tx, quote.accountId, quote.createdAt);
  if (open.count >= openMax) {
    const message = `The account has ${open.count} open quotes, as many as it may have; use one or let it go.`;
    throw new BerthError('wrong_state', message);
  }
  if (open.instances + quote.count > instancesMax) {
    const message = `The account's open quotes hold room for ${open.instances} instances, and may for ${instancesMax}; use one or let it go.`;
    throw new BerthError('wrong_state', message);
  }
  const needed = open.neededMicroUsd + quote.neededMicroUsd;
  const { available } = await readBalance({ ...context, settings, database: tx }, quote.accountId);
  if (available >= needed) return;
  const beside = open.count === 0 ? '' : ` beside ${open.count} other open quotes`;
  const message = `The balance is too low: the first epoch and the deposit come to ${formatUsd(needed)} USD${beside}, and ${formatUsd(available)} USD are available.`;
  throw new BerthError('insufficient_balance', message);
}

async function tellOfQuote(tx: Tx, { id, accountId, actor, count, size, createdAt, expiresAt }: NewQuote) {
  await insertEvents(tx, [
    {
      ...{ accountId, instanceId: null, hostId: null, kind: 'quote.created', actor, createdAt },
      message: `A quote holds ${heldInWords(count, size)} until ${expiresAt.toISOString()}.`,
      data: { quoteId: id, expiresAt: expiresAt.toISOString() },
    },
  ]);
}

/** An account's quotes, the newest first. */
export function listQuotes(
  { database, clock }: Context,
  accountId: string,
  state: QuoteState | undefined,
  window: { limit: number; after: { at: string; id: string } | null },
): Promise<QuoteRow[]> {
  return read(database, accountId, { state, now: clock.now() }, window);
}

/**
 * Lets go of a quote.
 * @returns it, as it is then
 * @throws BerthError `not_found`, `quote_over` for one that is over
 */
export async function releaseQuote(context: Context, { account, principal }: AtAccount, ref: QuoteRef) {
  const { database, clock } = context;
  const now = clock.now();
  requireOpen(await readQuoteOf(database, account.id, ref), ref, now);
  const isReleased = await release(database, ref.id, principal.actor, now);
  const quote = await readQuoteOf(database, account.id, ref);
  if (!isReleased) requireOpen(quote, ref, now);
  return quote;
}

/**
 * The quote that a caller names.
 * @throws BerthError `not_found` also where he sees nothing of its account, `forbidden`
 */
export async function reachQuote(
  context: Context,
  caller: Caller,
  ref: QuoteRef,
  level: PrivilegeLevel,
): Promise<{ at: AtAccount; quote: QuoteRow }> {
  const quote = await findQuote(context.database, ref.id);
  if (!quote) throw unknownQuote(ref);
  const at = await reachAccount(context, caller, { id: quote.accountId }, level).catch((error: unknown) => {
    throw error instanceof BerthError && error.code === 'not_found' ? unknownQuote(ref) : error;
  });
  return { at, quote };
}
