// Deploying: one transaction from the idempotency key to the last event, with nothing slow in it. Whatever is refused
// leaves nothing behind, because its transaction is rolled back or was never begun.

import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { compareSizes, parseConfiguration, type Size } from '../model/configuration.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newInstanceId, newUuid } from '../model/id.ts';
import { checkImageUrl } from '../model/image.ts';
import type { MicroUsd } from '../model/money.ts';
import { checkHostname, checkName } from '../model/name.ts';
import { checkPortRules, sshPortRule } from '../model/port-rule.ts';
import { endpointOf, isPublicAddress } from '../model/public-address.ts';
import { checkPublicKey, sshKeysMax } from '../model/ssh-key.ts';
import { type Placed, place } from '../placement/place.ts';
import { inTransaction, isAddressTaken, type Tx } from '../store/database.ts';
import {
  type HostShare,
  insertDeployment,
  insertInstances,
  lockHost,
  type NewDeployment,
} from '../store/deployment.ts';
import { type HostCapacity, listHostCapacities } from '../store/host.ts';
import { claimIdempotencyKey } from '../store/idempotency.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';
import { silenceMsMax } from './host.ts';

/** Instances that one request may ask for. */
export const instancesMax = 10;
/** A disk larger than this is a typing error. */
const additionalStorageGibMax = 1_000_000;
/** How often placement starts over when another deployment took the place first. */
const placementAttemptsMax = 5;

/** A request to deploy, in no dialect. Strings and numbers are as the customer sent them. */
export interface DeployRequest {
  /** A configuration's slug; null takes the smallest that is sold. */
  configuration: string | null;
  additionalStorage: readonly { type: string; gib: number }[];
  maxPricePerEpoch: MicroUsd | null;
  instances: number;
  name: string;
  hostname: string | null;
  imageUrl: string;
  sshKeys: readonly string[];
  portRules: readonly { port: number; protocol: string }[];
}

/** How the dialect calls the fields, so that messages speak the customer's language. */
export type DeployFields = Record<
  'configuration' | 'additionalStorage' | 'instances' | 'name' | 'hostname' | 'imageUrl' | 'sshKeys' | 'portRules',
  string
>;

/** An instance that was accepted. */
export interface Deployed {
  id: string;
  name: string;
}

interface Checked {
  size: Size;
  storageType: string | null;
  count: number;
  maxPricePerEpoch: MicroUsd | null;
  deployment: NewDeployment;
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
  const checked = check(context, principal, request, fields);
  const idempotency = once && {
    key: once.key,
    requestSha256: createHash('sha256').update(canonicalJson(once.body)).digest(),
  };
  for (let attempt = 1; ; attempt += 1) {
    const hosts = await listHostCapacities(context.database);
    const shares = sharesOf(context, hosts, checked);
    try {
      const answer = await inTransaction(context.database, async (tx) => {
        const known = idempotency && (await claimAnswer(context, tx, principal, idempotency, shares, checked));
        if (known) return known;
        if (shares.placed < checked.count) throw noOffer(shares.placed);
        await nameDeployment(tx, checked.deployment);
        // Alone on the host from the second attempt on, so that the addresses seen as free are free.
        await takePlaces(tx, checked.deployment, shares.shares, { lockFirst: attempt > 1 });
        return answerOf(shares, checked);
      });
      context.wakeups.changed(shares.shares.map(({ hostId }) => hostId));
      return answer;
    } catch (error) {
      if (!(error instanceof PlaceTaken || isAddressTaken(error))) throw error;
      if (attempt === placementAttemptsMax) throw noOffer(0);
    }
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
  for (const share of shares) {
    if (lockFirst) await lockHost(tx, share.hostId);
    const written = await insertInstances(tx, deployment, share);
    if (written === 0) throw new PlaceTaken();
    if (written < share.instances.length) throw noOffer(written);
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
  shares: Shares,
  checked: Checked,
): Promise<Deployed[] | undefined> {
  const response = answerOf(shares, checked);
  const now = context.clock.now();
  const known = await claimIdempotencyKey(tx, { accountId, key, requestSha256, status: 201, response, now });
  if (known && !Buffer.from(known.requestSha256).equals(requestSha256)) {
    const message = 'This Idempotency-Key was used for a different request; use a new one.';
    throw new BerthError('idempotency_key_reused', message, 'Idempotency-Key');
  }
  return known?.response as Deployed[] | undefined;
}

/** Where the instances of a request go; `placed` is how many found a place. */
interface Shares {
  shares: HostShare[];
  placed: number;
}

const answerOf = ({ shares }: Shares, { deployment }: Checked): Deployed[] =>
  shares.flatMap(({ instances }) => instances.map(({ id }) => ({ id, name: deployment.name })));

/** Places the instances, in the order of the hosts' ids, in which hosts are locked. */
function sharesOf(context: Context, hosts: readonly HostCapacity[], checked: Checked): Shares {
  const { placements, placed } = findPlace(context, hosts, checked);
  const byId = new Map(hosts.map((host) => [host.id, host]));
  const shares = placements.flatMap(({ hostId, count, price }): HostShare[] => {
    const host = byId.get(hostId);
    if (!host) return [];
    const instances = Array.from({ length: count }, () => {
      return { id: newInstanceId(context.entropy), diskId: newUuid(context.entropy) };
    });
    return [{ hostId, storageType: host.storageType, priceId: host.priceId, priceMicroUsd: price, instances }];
  });
  return { shares: shares.sort((a, b) => (a.hostId < b.hostId ? -1 : 1)), placed };
}

function findPlace(context: Context, hosts: readonly HostCapacity[], checked: Checked): Placed {
  const { size, count, storageType, maxPricePerEpoch } = checked;
  const seenSince = new Date(context.clock.now().getTime() - silenceMsMax);
  const outcome = place(hosts, { size, count, storageType, maxPricePerEpoch, seenSince });
  if (outcome.placed < count) {
    const rejected = outcome.rejected.slice(0, 20);
    context.logger.info({ size, count, placed: outcome.placed, rejected }, 'no place found');
  }
  return outcome;
}

const noOffer = (placed: number) =>
  placed === 0
    ? new BerthError('no_suitable_offer', 'No suitable offer found')
    : new BerthError('not_enough_offers', 'Not enough offers found');

function check(context: Context, principal: Principal, request: DeployRequest, fields: DeployFields): Checked {
  const { instances } = request;
  if (!Number.isInteger(instances) || instances < 1 || instances > instancesMax) {
    const message = `${fields.instances} is ${shown(instances)}; it must be a whole number from 1 to ${instancesMax}.`;
    throw new BerthError('invalid_value', message, fields.instances);
  }
  const name = checkName(request.name, fields.name);
  const hostname = checkHostname(request.hostname ?? name, request.hostname === null ? fields.name : fields.hostname);
  const portRules = checkPortRules(request.portRules, fields.portRules);
  const sshIsListed = portRules.some(
    ({ port, protocol }) => port === sshPortRule.port && protocol === sshPortRule.protocol,
  );
  const imageUrl = checkImageUrl(request.imageUrl, fields.imageUrl);
  checkImageHost(context, imageUrl, fields.imageUrl);
  const { size, storageType } = checkSize(context, request, fields);
  return {
    size,
    storageType,
    count: instances,
    maxPricePerEpoch: request.maxPricePerEpoch,
    deployment: {
      id: newUuid(context.entropy),
      accountId: principal.accountId,
      actor: principal.actor,
      name,
      hostname,
      ...size,
      imageUrl: imageUrl.href,
      sshKeys: checkSshKeys(request.sshKeys, fields.sshKeys),
      portRules: sshIsListed ? portRules : [sshPortRule, ...portRules],
      createdAt: context.clock.now(),
    },
  };
}

function checkSshKeys(sshKeys: readonly string[], field: string): string[] {
  if (sshKeys.length === 0) {
    throw new BerthError('invalid_value', `${field} is empty; give at least one public SSH key.`, field);
  }
  if (sshKeys.length > sshKeysMax) {
    throw new BerthError(
      'invalid_value',
      `${field} has ${sshKeys.length} entries; at most ${sshKeysMax} are taken.`,
      field,
    );
  }
  return [...new Set(sshKeys.map((key, index) => checkPublicKey(key, `${field}[${index}]`)))];
}

/** The agent checks every address it connects to; a literal private one can be refused before anything is made. */
function checkImageHost(context: Context, url: URL, field: string): void {
  if (context.allowedImageHosts.has(endpointOf(url))) return;
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (/(^|\.)localhost\.?$/.test(url.hostname) || (isIP(literal) !== 0 && !isPublicAddress(literal))) {
    const message = `${field} points to ${url.hostname}, a private address; the image must be on a public server.`;
    throw new BerthError('invalid_value', message, field);
  }
}

function checkSize(
  context: Context,
  request: DeployRequest,
  fields: DeployFields,
): { size: Size; storageType: string | null } {
  const { configurations } = context.settings;
  const sold = configurations.flatMap((slug) => parseConfiguration(slug) ?? []);
  const base =
    request.configuration === null
      ? sold.toSorted(compareSizes)[0]
      : configurations.includes(request.configuration) && parseConfiguration(request.configuration);
  if (!base) throw noOffer(0);
  const types = new Set<string>();
  let additionalGib = 0;
  for (const [index, { type, gib }] of request.additionalStorage.entries()) {
    const field = `${fields.additionalStorage}[${index}]`;
    if (!Number.isInteger(gib) || gib < 0 || gib > additionalStorageGibMax) {
      const message = `${field}.supply is ${shown(gib)}; it must be a whole number of GiB from 0 to ${additionalStorageGibMax}.`;
      throw new BerthError('invalid_value', message, field);
    }
    types.add(type);
    additionalGib += gib;
  }
  // A VM has one boot disk, and the additional storage grows it; so it can't be of two types.
  if (types.size > 1) {
    const message = `${fields.additionalStorage} asks for ${[...types].join(' and ')}; all of it must be of one type.`;
    throw new BerthError('invalid_value', message, fields.additionalStorage);
  }
  return { size: { ...base, diskGib: base.diskGib + additionalGib }, storageType: [...types][0] ?? null };
}

/** JSON with the keys of every object in order, so that equal bodies have equal hashes. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
