// Finding places for instances and taking them in one transaction, all or none. While others are quicker it starts over, and
// each time somebody else gets a place. What is written there is the caller's.

import { BerthError, type ErrorCode } from '../model/errors.ts';
import { newInstanceId, newUuid } from '../model/id.ts';
import type { QuoteRef } from '../model/quote.ts';
import type { Market } from '../placement/market.ts';
import type { Placed, Wanted } from '../placement/place.ts';
import { inTransaction, isAddressTaken, type Tx } from '../store/database.ts';
import { type HostShare, insertInstances, lockHosts, type NewDeployment, type Written } from '../store/deployment.ts';
import { putInPool } from '../store/disk.ts';
import type { QuoteRow } from '../store/quote.ts';
import { networkFull, requireFree } from './address.ts';
import type { Context } from './context.ts';
import { endExpiredQuotes } from './quote-end.ts';
import { marketsOf, notInQuote, readQuoteOf, spendQuote } from './quote-use.ts';
import { takeFromPools } from './storage-pool.ts';

/** How long placement starts over while other deployments take the places first. */
const placementMsMax = 15_000;

/** What another attempt is to heed. */
export type Lessons = Pick<Wanted, 'limits' | 'pick'>;

/** An attempt: what was found, in which market. */
export interface Attempt {
  market: Market;
  placed: Placed;
  /** With the ids that the instances are to have. */
  shares: HostShare[];
  /** Whether the hosts are to be taken before anything is read of them, as somebody was quicker the last time. */
  lockFirst: boolean;
  /** The quote that the places are taken out of. */
  quote?: QuoteRef;
}

/** What is placed. */
export interface Placing<Answer> {
  count: number;
  /** How many disks each instance has. */
  disks: number;
  /** The quote that they are to be placed in, and whose it has to be. */
  quote?: { ref: QuoteRef; accountId: string } | undefined;
  /** Finds places. */
  look(market: Market, lessons: Lessons): Placed;
  /** Writes what is placed with {@link takePlaces}; refuses where too few places were found. */
  write(tx: Tx, attempt: Attempt): Promise<Answer>;
}

/**
 * Places instances.
 * @returns what was answered by who wrote them, durable
 * @throws BerthError `unavailable` where others were quicker for long, `not_found`, `quote_over` and `quote_too_small` of a quote, and
 *   what `write` throws; then nothing was written
 */
export async function inFreePlace<Answer>(context: Context, placing: Placing<Answer>): Promise<Answer> {
  if (placing.quote) return inQuote(context, placing, placing.quote);
  const limits = new Map<string, number>();
  const end = performance.now() + placementMsMax;
  for (let number = 1; ; number += 1) {
    const market = await context.market.now();
    // Rivals who were beaten once pick among equals at random, so that they don't all meet again at the next host.
    const pick = number > 1 ? { pick: (among: number) => pickOne(context, among) } : {};
    const placed = await findPlaces(context, market, placing, { limits, ...pick });
    try {
      if (placed) return await attempt(context, placing, market, placed, number > 1);
    } catch (error) {
      if (error instanceof ShortOfAddresses) limits.set(error.hostId, error.left);
      else if (error instanceof ShortOfRoom) limits.set(error.hostId, error.fitting);
      else if (!(error instanceof PlaceTaken || isAddressTaken(error))) throw error;
    }
    if (performance.now() > end) {
      throw new BerthError('unavailable', 'Too many deployments want the same places; try again in a moment.');
    }
  }
}

const noOfferCodes: ReadonlySet<ErrorCode> = new Set(['no_suitable_offer', 'not_enough_offers']);

/**
 * Finds places among those that a quote holds: of the size that it is for where that does, of any that is sold otherwise.
 * @param now the market of everybody
 */
export function lookInQuote(
  quote: QuoteRow,
  now: Market,
  { count, look }: Pick<Placing<unknown>, 'count' | 'look'>,
): { market: Market; placed: Placed } {
  const tried = marketsOf(quote, now).map((market) => ({ market, placed: look(market, {}) }));
  return tried.find((one) => one.placed.placed === count) ?? (tried.at(-1) as (typeof tried)[0]);
}

/** {@link inFreePlace}, of the places that a quote holds, at its prices. */
async function inQuote<Answer>(
  context: Context,
  { count, look, write, disks }: Placing<Answer>,
  { ref: quote, accountId }: { ref: QuoteRef; accountId: string },
): Promise<Answer> {
  const found = await readQuoteOf(context.database, accountId, quote);
  const { market, placed } = lookInQuote(found, await context.market.now(), { count, look });
  const shares = sharesOf(context, placed, disks).map((share) => ({ ...share, isPriceLocked: true }));
  try {
    const attempt = { market, placed, shares, lockFirst: true, quote };
    const answer = await inTransaction(context.database, (tx) => write(tx, attempt));
    context.wakeups.changed(shares.map(({ hostId }) => hostId));
    return answer;
  } catch (error) {
    const refuse = (why: string) => notInQuote(context, accountId, quote, why);
    // A network that is full is no matter of the quote.
    const isOfMarket = error instanceof BerthError && noOfferCodes.has(error.code) && error.subject === undefined;
    if (isOfMarket || error instanceof PlaceTaken) throw await refuse('What is asked for does not fit');
    if (error instanceof ShortOfAddresses) throw await refuse('Its host has no address left to give');
    if (error instanceof ShortOfRoom) throw await refuse('Its host has no room left for disks of these grades');
    throw error;
  }
}

/**
 * Finds places beside those that other deployments of this server are about to take.
 * @returns null when it is worth another look: there would be room only if one of them failed, and one has ended; or a quote's time
 *   was over
 */
async function findPlaces(
  context: Context,
  market: Market,
  { count, look }: Pick<Placing<unknown>, 'count' | 'look'>,
  lessons: Lessons,
): Promise<Placed | null> {
  const find = () => look(market, lessons);
  const beside = context.market.besideHolds(market, find);
  if (beside.placed === count) return beside;
  const alone = find();
  if (alone.placed < count) {
    // What a quote has held for too long is free, though nobody has noted it yet.
    return (await endExpiredQuotes(context)) > 0 ? null : alone;
  }
  await context.market.holdEnded();
  return null;
}

async function attempt<Answer>(
  context: Context,
  { disks, write }: Placing<Answer>,
  market: Market,
  placed: Placed,
  lockFirst: boolean,
): Promise<Answer> {
  const shares = sharesOf(context, placed, disks);
  const hold = context.market.hold(placed);
  let isTaken = false;
  try {
    const answer = await inTransaction(context.database, (tx) => write(tx, { market, placed, shares, lockFirst }));
    isTaken = true;
    context.wakeups.changed(shares.map(({ hostId }) => hostId));
    return answer;
  } finally {
    context.market.endHold(hold, isTaken);
  }
}

/** A number below `count`; that small counts come up a little more often does not matter here. */
function pickOne(context: Context, count: number): number {
  return Buffer.from(context.entropy.bytes(4)).readUInt32LE() % count;
}

/** Thrown inside the transaction to undo it when a host has fewer addresses left than instances were to go to it. */
class ShortOfAddresses extends Error {
  readonly hostId: string;
  readonly left: number;

  constructor(hostId: string, left: number) {
    super(`host ${hostId} has ${left} addresses left`);
    this.hostId = hostId;
    this.left = left;
  }
}

/** Thrown inside the transaction to undo it when a host's pools have too little room for disks that have to go there. */
class ShortOfRoom extends Error {
  readonly hostId: string;
  /** How many instances have room for theirs. */
  readonly fitting: number;

  constructor(hostId: string, fitting: number) {
    super(`the pools of host ${hostId} have room for ${fitting} instances`);
    this.hostId = hostId;
    this.fitting = fitting;
  }
}

/** Thrown inside the transaction to undo it when a place was taken by somebody else between looking and locking. */
export class PlaceTaken extends Error {}

/**
 * Writes the instances of a deployment to the places that were found, in the transaction of the attempt.
 * @returns what was written on each host
 */
export async function takePlaces(
  tx: Tx,
  deployment: NewDeployment,
  { shares, lockFirst, quote }: Pick<Attempt, 'shares' | 'lockFirst' | 'quote'>,
): Promise<Written[]> {
  if (quote) {
    const { id: deploymentId, accountId, actor, createdAt: now } = deployment;
    await spendQuote(tx, { quote, accountId, deploymentId, actor, now });
  }
  // Several hosts are taken before the balance is, which the first share changes: hosts come first in the order of locks.
  // Alone on the host from the second attempt on, so that the addresses seen as free are free.
  if (lockFirst || shares.length > 1) {
    await lockHosts(
      tx,
      shares.map(({ hostId }) => hostId),
    );
  }
  if (deployment.addresses) await requireFree(tx, deployment.addresses);
  const all: Written[] = [];
  for (const share of shares) {
    const written = await insertInstances(tx, deployment, share);
    if (written === 'no-room') throw new PlaceTaken();
    if (written === 'network-full') throw networkFull();
    if (written.count === share.instances.length) {
      const fitting = await takeApart(tx, deployment, share);
      if (fitting < share.instances.length) throw new ShortOfRoom(share.hostId, fitting);
      all.push(written);
      continue;
    }
    // Somebody else may have taken what was chosen, while this waited for the host.
    if (deployment.addresses) await requireFree(tx, deployment.addresses);
    throw new ShortOfAddresses(share.hostId, written.count);
  }
  return all;
}

/** Takes room for those disks of new instances that go to pools set apart. @returns for how many there was enough */
async function takeApart(
  tx: Tx,
  { disks }: NewDeployment,
  { hostId, apartGrades, instances }: HostShare,
): Promise<number> {
  if (!disks.some(({ grade }) => apartGrades.includes(grade))) return instances.length;
  for (const [number, { id, diskIds }] of instances.entries()) {
    for (const [index, { grade, sizeMib }] of disks.entries()) {
      const diskId = diskIds[index];
      if (diskId === undefined || !apartGrades.includes(grade)) continue;
      const pool = await takeFromPools(tx, { id, hostId }, grade, sizeMib);
      if (!pool) return number;
      await putInPool(tx, diskId, pool);
    }
  }
  return instances.length;
}

/** The shares of the hosts in the order of their ids, in which hosts are locked. */
function sharesOf(context: Context, { placements }: Placed, disks: number): HostShare[] {
  const id = () => newUuid(context.entropy);
  const shares = placements.map(({ host, count, price, apartGrades = [] }): HostShare => {
    const instances = Array.from({ length: count }, () => ({
      id: newInstanceId(context.entropy),
      diskIds: Array.from({ length: disks }, id),
      chargeId: id(),
      depositId: id(),
    }));
    const storageType = host.hardware.storage.type;
    return { hostId: host.id, storageType, priceId: host.priceId, priceMicroUsd: price, apartGrades, instances };
  });
  return shares.sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
}
