// Deploying: one transaction from the idempotency key to the last event, with nothing slow in it. Whatever is refused
// leaves nothing behind, because its transaction is rolled back or was never begun.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../model/canonical-json.ts';
import { BerthError, type ErrorCode, shown } from '../model/errors.ts';
import { newInstanceId, newUuid } from '../model/id.ts';
import { formatUsd } from '../model/money.ts';
import type { Market } from '../placement/market.ts';
import { type Placed, place } from '../placement/place.ts';
import { inTransaction, isAddressTaken, isBalanceShort, type Tx } from '../store/database.ts';
import {
  type HostShare,
  insertDeployment,
  insertInstances,
  lockHosts,
  type NewDeployment,
} from '../store/deployment.ts';
import { claimIdempotencyKey, findAnswer, type KnownAnswer } from '../store/idempotency.ts';
import type { Principal } from './authenticate.ts';
import { neededToDeploy } from './billing.ts';
import type { Context } from './context.ts';
import { type CheckedRequest, checkRequest, type DeployFields, type DeployRequest } from './deployment-request.ts';
import { readBalance } from './ledger.ts';
import { noOffer } from './offer.ts';
import { tellNotFound } from './offer-not-found.ts';

/** How long placement starts over while other deployments take the places first. Each time somebody else gets one. */
const placementMsMax = 15_000;

/** An instance that was accepted. */
export interface Deployed {
  id: string;
  name: string;
}

/**
 * Deploys instances, all or none.
 * @param once an idempotency key that makes a repeat answer the same; the same key with another body is refused
 * @returns the accepted instances, durable
 * @throws BerthError for every refusal; then nothing was written
 */
export async function deploy(
  context: Context,
  principal: Principal,
  request: DeployRequest,
  fields: DeployFields,
  once?: { key: string; body: unknown },
): Promise<Deployed[]> {
  const idempotency = once && {
    key: once.key,
    requestSha256: createHash('sha256').update(canonicalJson(once.body)).digest(),
  };
  // A repeat is answered as before, also where the request itself would no longer do.
  const before = once && (await findAnswer(context.database, principal.accountId, once.key));
  if (before) return answerAgain(before, idempotency?.requestSha256);
  const checked = await checkRequest(context, principal, request, fields);
  const limits = new Map<string, number>();
  const end = performance.now() + placementMsMax;
  for (let attempt = 1; ; attempt += 1) {
    const market = await context.market.now();
    const outcome = await findPlaces(context, market, checked, limits, attempt);
    try {
      if (outcome) return await takeOrAnswerAgain(context, principal, outcome, checked, idempotency, attempt);
    } catch (error) {
      if (error instanceof BerthError && noOfferCodes.has(error.code)) {
        await tellNotFound(context, principal, market, checked);
        throw error;
      }
      if (isBalanceShort(error)) throw await tooLittle(context, principal, outcome?.placements ?? [], checked);
      if (error instanceof ShortOfAddresses) limits.set(error.hostId, error.left);
      else if (!(error instanceof PlaceTaken || isAddressTaken(error))) throw error;
    }
    if (performance.now() > end) {
      throw new BerthError('unavailable', 'Too many deployments want the same places; try again in a moment.');
    }
  }
}

/**
 * Finds places beside those that other deployments of this server are about to take.
 * @returns null, after waiting for one of these to end, when there would be room only if one of them failed
 */
async function findPlaces(
  context: Context,
  market: Market,
  { constraints, count }: CheckedRequest,
  limits: ReadonlyMap<string, number>,
  attempt: number,
): Promise<Placed | null> {
  // Rivals who were beaten once pick among equals at random, so that they don't all meet again at the next host.
  const pick = attempt > 1 ? { pick: (among: number) => pickOne(context, among) } : {};
  const look = () => place(market, { constraints, count, limits, ...pick });
  const beside = context.market.besideHolds(market, look);
  if (beside.placed === count) return beside;
  const alone = look();
  if (alone.placed < count) return alone;
  await context.market.holdEnded();
  return null;
}

/** Takes the places in one transaction, all or none; or gives the answer that a request with this key got before. */
async function takeOrAnswerAgain(
  context: Context,
  principal: Principal,
  outcome: Placed,
  checked: CheckedRequest,
  idempotency: { key: string; requestSha256: Uint8Array } | undefined,
  attempt: number,
): Promise<Deployed[]> {
  const shares = sharesOf(context, outcome);
  const hold = context.market.hold(outcome);
  let isTaken = false;
  try {
    const answer = await inTransaction(context.database, async (tx) => {
      const known = idempotency && (await claimAnswer(context, tx, principal, idempotency, shares, checked));
      if (known) return known;
      if (!outcome.size || outcome.placed < checked.count) throw noOffer(outcome);
      const deployment = { ...checked.deployment, ...outcome.size };
      await nameDeployment(tx, deployment);
      // Alone on the host from the second attempt on, so that the addresses seen as free are free.
      await takePlaces(tx, deployment, shares, { lockFirst: attempt > 1 });
      return answerOf(shares, checked);
    });
    isTaken = true;
    context.wakeups.changed(shares.map(({ hostId }) => hostId));
    return answer;
  } finally {
    context.market.endHold(hold, isTaken);
  }
}

const noOfferCodes: ReadonlySet<ErrorCode> = new Set(['no_suitable_offer', 'not_enough_offers']);

/** A number below `count`; that small counts come up a little more often does not matter here. */
function pickOne(context: Context, count: number): number {
  return Buffer.from(context.entropy.bytes(4)).readUInt32LE() % count;
}

/** The refusal of a deployment that the account can't pay: what it needs, and what there is. */
async function tooLittle(
  context: Context,
  { accountId }: Principal,
  placements: Placed['placements'],
  { deployment }: CheckedRequest,
): Promise<BerthError> {
  const needed = placements.reduce(
    (sum, { price, count }) => sum + neededToDeploy(deployment.bill, price) * BigInt(count),
    0n,
  );
  const { available } = await readBalance(context, accountId);
  const message = `The balance is too low: the first epoch and the deposit come to ${formatUsd(needed)} USD, and ${formatUsd(available)} USD are available.`;
  return new BerthError('insufficient_balance', message);
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

/** Thrown inside the transaction to undo it when a place was taken by somebody else between looking and locking. */
class PlaceTaken extends Error {}

async function nameDeployment(tx: Tx, { id, accountId, name, createdAt }: NewDeployment): Promise<void> {
  if (await insertDeployment(tx, { id, accountId, name, now: createdAt })) return;
  throw new BerthError('name_taken', `An instance named ${shown(name)} exists already.`, name);
}

async function takePlaces(
  tx: Tx,
  deployment: NewDeployment,
  shares: readonly HostShare[],
  { lockFirst }: { lockFirst: boolean },
): Promise<void> {
  // Several hosts are taken before the balance is, which the first share changes: hosts come first in the order of locks.
  if (lockFirst || shares.length > 1) {
    await lockHosts(
      tx,
      shares.map(({ hostId }) => hostId),
    );
  }
  for (const share of shares) {
    const written = await insertInstances(tx, deployment, share);
    if (written === 'no-room') throw new PlaceTaken();
    if (written < share.instances.length) throw new ShortOfAddresses(share.hostId, written);
  }
}

/**
 * Claims the request's idempotency key with the answer that it is about to get.
 * @returns the answer given before, when the request is a repeat
 */
async function claimAnswer(
  context: Context,
  tx: Tx,
  { accountId }: Principal,
  { key, requestSha256 }: { key: string; requestSha256: Uint8Array },
  shares: readonly HostShare[],
  checked: CheckedRequest,
): Promise<Deployed[] | undefined> {
  const response = answerOf(shares, checked);
  const now = context.clock.now();
  const known = await claimIdempotencyKey(tx, { accountId, key, requestSha256, status: 201, response, now });
  return known && answerAgain(known, requestSha256);
}

/**
 * The answer that was given before.
 * @throws BerthError `idempotency_key_reused` when it was given to another request
 */
function answerAgain(known: KnownAnswer, requestSha256: Uint8Array | undefined): Deployed[] {
  if (requestSha256 && Buffer.from(known.requestSha256).equals(requestSha256)) return known.response as Deployed[];
  const message = 'This Idempotency-Key was used for a different request; use a new one.';
  throw new BerthError('idempotency_key_reused', message, 'Idempotency-Key');
}

const answerOf = (shares: readonly HostShare[], { deployment }: CheckedRequest): Deployed[] =>
  shares.flatMap(({ instances }) => instances.map(({ id }) => ({ id, name: deployment.name })));

/** The shares of the hosts in the order of their ids, in which hosts are locked. */
function sharesOf(context: Context, { placements }: Placed): HostShare[] {
  const shares = placements.map(({ host, count, price }): HostShare => {
    const instances = Array.from({ length: count }, () => {
      const [diskId, chargeId, depositId] = [
        newUuid(context.entropy),
        newUuid(context.entropy),
        newUuid(context.entropy),
      ];
      return { id: newInstanceId(context.entropy), diskId, chargeId, depositId };
    });
    const storageType = host.hardware.storage.type;
    return { hostId: host.id, storageType, priceId: host.priceId, priceMicroUsd: price, instances };
  });
  return shares.sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
}
