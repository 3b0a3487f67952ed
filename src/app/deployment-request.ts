// What may be asked of a deployment, before any place is looked for. Nothing is written here.

import { isIP } from 'node:net';
import { type ConstraintFields, type Constraints, checkConstraints } from '../model/constraints.ts';
import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { checkImageUrl } from '../model/image.ts';
import { hardwareProfiles } from '../model/machine.ts';
import { checkHostname, checkName } from '../model/name.ts';
import { ownNameOf } from '../model/own-image.ts';
import { checkPortRules, sshPortRule } from '../model/port-rule.ts';
import { endpointOf, isPublicAddress } from '../model/public-address.ts';
import type { QuoteRef } from '../model/quote.ts';
import type { NewDeployment, NewVm } from '../store/deployment.ts';
import type { Principal } from './authenticate.ts';
import { firstBill } from './billing.ts';
import type { Context } from './context.ts';
import { findUsableImage, type UsableImage } from './image.ts';
import { checkInstances } from './offer.ts';
import { resolveSshKeys } from './ssh-key.ts';

/** A request to deploy, in no dialect. Strings and numbers are as the customer sent them. */
export interface DeployRequest {
  constraints: Constraints;
  instances: number;
  name: string;
  hostname: string | null;
  /** A URL, or `own:` and the name of an image of the account's own. */
  imageUrl: string;
  sshKeys: readonly string[];
  portRules: readonly { port: number; protocol: string }[];
  /** What they are to be placed in; left out, where the market has room. */
  quote?: QuoteRef | undefined;
}

/** How the dialect calls the fields, so that messages speak the customer's language. */
export type DeployFields = Record<'instances' | 'name' | 'hostname' | 'imageUrl' | 'sshKeys' | 'portRules', string> &
  ConstraintFields;

/** A request that is right as far as can be told without looking for a place. */
export interface CheckedRequest {
  constraints: Constraints;
  count: number;
  deployment: Omit<NewDeployment, 'vcpus' | 'memoryMib' | 'disks'>;
}

/** What this API leaves no choice of. */
const usualVm: NewVm = {
  ...{ desired: 'running', hardwareProfile: hardwareProfiles[0], hardwareProfileLocked: false, autoreboot: false },
  ...{ cdromUrl: null, keymap: null, allPortsOpen: false, distribution: null, sealedSecrets: null },
};

/**
 * Holds a request against everything that needs no place: names, ports, keys, image, constraints.
 * @throws BerthError `invalid_value`, `malformed`
 */
export async function checkRequest(
  context: Context,
  principal: Principal,
  request: DeployRequest,
  fields: DeployFields,
): Promise<CheckedRequest> {
  checkInstances(request.instances, fields.instances);
  const name = checkName(request.name, fields.name);
  const hostname = checkHostname(request.hostname ?? name, request.hostname === null ? fields.name : fields.hostname);
  const portRules = checkPortRules(request.portRules, fields.portRules);
  const sshIsListed = portRules.some(
    ({ port, protocol }) => port === sshPortRule.port && protocol === sshPortRule.protocol,
  );
  const createdAt = context.clock.now();
  const image = await readImage(context, principal.accountId, request.imageUrl, fields.imageUrl);
  return {
    constraints: checkConstraints(request.constraints, fields),
    count: request.instances,
    deployment: {
      id: newUuid(context.entropy),
      accountId: principal.accountId,
      groupId: null,
      actor: principal.actor,
      vm: usualVm,
      name,
      hostname,
      imageUrl: image.url,
      imageSha256: image.sha256,
      sshKeys: await resolveSshKeys(context, principal, request.sshKeys, fields.sshKeys),
      portRules: sshIsListed ? portRules : [sshPortRule, ...portRules],
      createdAt,
      bill: firstBill(context, createdAt),
    },
  };
}

async function readImage(
  context: Context,
  accountId: string,
  text: string,
  field: string,
): Promise<{ url: string; sha256: string | null }> {
  if (ownNameOf(text) !== null) return requireOwnImage(context, accountId, text, field);
  const url = checkImageUrl(text, field);
  checkImageHost(context, url, field);
  return { url: url.href, sha256: null };
}

/**
 * The image of an account's own that goes by this slug.
 * @throws BerthError `invalid_value` where there is none, or it can't be used now
 */
async function requireOwnImage(context: Context, accountId: string, slug: string, field: string): Promise<UsableImage> {
  const found = await findUsableImage(context, accountId, slug);
  if (found && 'image' in found) return found.image;
  const why = found ? `which ${found.fault}` : 'and the account has no such image';
  throw new BerthError('invalid_value', `${field} is ${shown(slug)}, ${why}.`, field);
}

/** The agent checks every address it connects to; a literal private one can be refused before anything is made. */
export function checkImageHost(context: Context, url: URL, field: string): void {
  if (context.allowedImageHosts.has(endpointOf(url))) return;
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  if (/(^|\.)localhost\.?$/.test(url.hostname) || (isIP(literal) !== 0 && !isPublicAddress(literal))) {
    const message = `${field} points to ${url.hostname}, a private address; the image must be on a public server.`;
    throw new BerthError('invalid_value', message, field);
  }
}
