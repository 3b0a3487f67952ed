// Deploying: one transaction from the idempotency key to the last event, with nothing slow in it. Whatever is refused
// leaves nothing behind, because its transaction is rolled back or was never begun.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../model/canonical-json.ts';
import { mibPerGib } from '../model/configuration.ts';
import { firstDiskLabel } from '../model/disk.ts';
import { BerthError, type ErrorCode, shown } from '../model/errors.ts';
import { defaultGrade } from '../model/storage-grade.ts';
import { place } from '../placement/place.ts';
import { isBalanceShort, type Tx } from '../store/database.ts';
import { type HostShare, insertDeployment, type NewDeployment } from '../store/deployment.ts';
import { claimIdempotencyKey, findAnswer, type KnownAnswer } from '../store/idempotency.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';
import { type CheckedRequest, checkRequest, type DeployFields, type DeployRequest } from './deployment-request.ts';
import { noOffer } from './offer.ts';
import { tellNotFound } from './offer-not-found.ts';
import { type Attempt, inFreePlace, takePlaces } from './placing.ts';
import { tooLittle } from './too-little.ts';

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
  let tried: Attempt | undefined;
  try {
    return await inFreePlace(context, {
      count: checked.count,
      disks: 1,
      quote: request.quote && { ref: request.quote, accountId: principal.accountId },
      look: (market, lessons) => place(market, { constraints: checked.constraints, count: checked.count, ...lessons }),
      write: (tx, attempt) => {
        tried = attempt;
        return takeOrAnswerAgain(context, tx, principal, attempt, checked, idempotency);
      },
    });
  } catch (error) {
    if (tried && error instanceof BerthError && noOfferCodes.has(error.code)) {
      await tellNotFound(context, principal, tried.market, checked);
    }
    if (isBalanceShort(error)) throw await tooLittle(context, checked.deployment, tried?.placed.placements ?? []);
    throw error;
  }
}

/** Takes the places, all or none; or gives the answer that a request with this key got before. */
async function takeOrAnswerAgain(
  context: Context,
  tx: Tx,
  principal: Principal,
  attempt: Attempt,
  checked: CheckedRequest,
  idempotency: { key: string; requestSha256: Uint8Array } | undefined,
): Promise<Deployed[]> {
  const { placed, shares } = attempt;
  const known = idempotency && (await claimAnswer(context, tx, principal, idempotency, shares, checked));
  if (known) return known;
  if (!placed.size || placed.placed < checked.count) throw noOffer(placed);
  const { vcpus, memoryMib, diskGib } = placed.size;
  const disks = [{ label: firstDiskLabel, grade: defaultGrade, sizeMib: diskGib * mibPerGib }];
  const deployment = { ...checked.deployment, vcpus, memoryMib, disks };
  await nameDeployment(tx, deployment);
  await takePlaces(tx, deployment, attempt);
  return answerOf(shares, checked);
}

const noOfferCodes: ReadonlySet<ErrorCode> = new Set(['no_suitable_offer', 'not_enough_offers']);

async function nameDeployment(tx: Tx, deployment: NewDeployment): Promise<void> {
  const { id, accountId, groupId, name, createdAt } = deployment;
  if (await insertDeployment(tx, { id, accountId, groupId, name, now: createdAt })) return;
  throw new BerthError('name_taken', `An instance named ${shown(name)} exists already.`, name);
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
