// What may be asked of a container, before its slot is taken. Nothing is written here.

import { isIP } from 'node:net';
import {
  type ContainerFields,
  type ContainerPort,
  checkContainerPorts,
  checkEnvironment,
  checkMetadata,
  checkStartupScript,
} from '../model/container.ts';
import { BerthError, shown } from '../model/errors.ts';
import { isUuid } from '../model/id.ts';
import { checkImageReference, parseRegistry, registryEndpoint } from '../model/image-reference.ts';
import { checkName } from '../model/name.ts';
import { isPublicAddress } from '../model/public-address.ts';
import type { QuoteRef } from '../model/quote.ts';
import { isMeantAsKey } from '../model/ssh-key.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';
import { resolveSshKeys } from './ssh-key.ts';

/** The login of a private registry. */
export interface RegistryAuth {
  server: string;
  login: string;
  password: string;
}

/** A request to start a container, in no dialect; values as the customer sent them. */
export interface StartRequest {
  slotId: string;
  priceId: string;
  externalId: string | null;
  image: string;
  registryAuth: RegistryAuth | null;
  ports: readonly ContainerPort[];
  startupScript: string | null;
  environment: Readonly<Record<string, string>>;
  sshKeys: readonly string[];
  metadata: Readonly<Record<string, string>>;
  /** Left out, it is called after its id. */
  name?: string;
  /** The number of a group of its account; left out, the one called `default`. */
  groupId?: string;
  /** What holds the slot for it; left out, the slot has to be free. */
  quote?: QuoteRef;
}

/** How the dialect calls the fields, so that messages speak the customer's language. */
export type StartFields = ContainerFields &
  Record<'slotId' | 'priceId' | 'externalId' | 'image' | 'registryAuth' | 'sshKeys', string> & {
    /** Left out where containers are given no names. */
    name?: string;
  };

/** A request that is right as far as can be told without taking the slot. */
export interface CheckedStart {
  slotId: string;
  priceId: string;
  externalId: string | null;
  image: string;
  /** Sealed. */
  registryAuth: Uint8Array | null;
  ports: ContainerPort[];
  startupScript: string | null;
  environment: Record<string, string>;
  sshKeys: string[];
  /** The fields of keys that let nobody in. */
  cutSshKeys: string[];
  metadata: Record<string, string>;
  name?: string;
  groupId?: bigint;
  quote?: QuoteRef;
}

const externalIdLengthMax = 255;
const loginLengthMax = 4096;

const refuse = (field: string, message: string) => new BerthError('invalid_value', message, field);

/**
 * Holds a request against everything that needs no slot.
 * @throws BerthError `invalid_value`; `not_found` for ids that can't be any
 */
export async function checkStart(
  context: Context,
  principal: Principal,
  request: StartRequest,
  fields: StartFields,
): Promise<CheckedStart> {
  for (const name of ['slotId', 'priceId'] as const) {
    if (request[name] === '') throw refuse(fields[name], `${fields[name]} is empty; it must be a non-empty string.`);
  }
  const image = checkImageReference(request.image, fields.image);
  if (image.registry !== null) checkRegistryHost(context, image.registry, fields.image);
  const checked = {
    externalId: checkExternalId(request.externalId, fields.externalId),
    image: request.image,
    ports: checkContainerPorts(request.ports, fields),
    startupScript: checkStartupScript(request.startupScript, fields.startupScript),
    environment: checkEnvironment(request.environment, fields.environment),
    metadata: checkMetadata(request.metadata, fields.metadata),
    registryAuth: checkRegistryAuth(context, request.registryAuth, fields.registryAuth),
    ...(await checkSshKeys(context, principal, request.sshKeys, fields.sshKeys)),
  };
  if (!isUuid(request.slotId)) {
    throw new BerthError('not_found', `There is no machine ${shown(request.slotId)}.`, request.slotId);
  }
  if (!isUuid(request.priceId)) {
    throw new BerthError('not_found', `There is no machine price ${shown(request.priceId)}.`, request.priceId);
  }
  const { quote, name, groupId } = request;
  const ids = { slotId: request.slotId.toLowerCase(), priceId: request.priceId.toLowerCase() };
  const place = {
    ...(name === undefined ? {} : { name: checkName(name, fields.name ?? 'name') }),
    ...(groupId === undefined ? {} : { groupId: BigInt(groupId) }),
  };
  return { ...checked, ...ids, ...place, ...(quote ? { quote } : {}) };
}

/**
 * Checks a customer's own id of a container; an empty one is none.
 * @throws BerthError `invalid_value`
 */
export function checkExternalId(id: string | null, field: string): string | null {
  if (id === null || id === '') return null;
  if (id.length > externalIdLengthMax || /\p{Cc}/u.test(id) || !id.isWellFormed()) {
    const rule = `an id has at most ${externalIdLengthMax} characters and no control character`;
    throw refuse(field, `${field} is ${shown(id)}; ${rule}.`);
  }
  return id;
}

/** The login, sealed; its fields are those of the registry itself, so no message repeats any but the server. */
function checkRegistryAuth(context: Context, auth: RegistryAuth | null, field: string): Uint8Array | null {
  if (auth === null || (auth.server === '' && auth.login === '' && auth.password === '')) return null;
  const server = parseRegistry(auth.server);
  if (server === null) {
    const rule = 'it must be a registry such as registry.example.com or registry.example.com:5000';
    throw refuse(`${field}.server`, `${field}.server is ${shown(auth.server)}; ${rule}.`);
  }
  checkRegistryHost(context, server, `${field}.server`);
  for (const name of ['login', 'password'] as const) {
    if (auth[name] === '') throw refuse(`${field}.${name}`, `${field}.${name} is empty; a login has both.`);
    if (auth[name].length > loginLengthMax) {
      throw refuse(`${field}.${name}`, `${field}.${name} has more than ${loginLengthMax} characters.`);
    }
  }
  return context.vault.seal(JSON.stringify({ ...auth, server }));
}

/** The host checks what a name leads to; a literal private address can be refused before anything is made. */
function checkRegistryHost(context: Context, registry: string, field: string): void {
  const { hostname, endpoint } = registryEndpoint(registry);
  if (context.allowedImageHosts.has(endpoint)) return;
  const isPrivate = isIP(hostname) === 0 ? /(^|\.)localhost$/i.test(hostname) : !isPublicAddress(hostname);
  if (!isPrivate) return;
  throw refuse(field, `${field} leads to ${registry}, a private address; the registry must be on a public server.`);
}

/**
 * The keys as they are to be let in. One that is cut short with dots, as in the documentation's example, is left out: it is
 * nobody's. (Hiveon API: start deployment.)
 */
async function checkSshKeys(
  context: Context,
  principal: Principal,
  keys: readonly string[],
  field: string,
): Promise<Pick<CheckedStart, 'sshKeys' | 'cutSshKeys'>> {
  const whole = keys.filter((key) => !isCut(key));
  return {
    sshKeys: whole.length === 0 ? [] : await resolveSshKeys(context, principal, whole, field),
    cutSshKeys: keys.flatMap((key, index) => (isCut(key) ? [`${field}[${index}]`] : [])),
  };
}

/** A comment or the name of a registered key may end in dots, too. */
const isCut = (key: string) => isMeantAsKey(key) && /^\S+ +\S*(\.\.\.|…)$/.test(key.trim());
