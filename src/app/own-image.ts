// An account's own images: registered by URL and checksum, and then named when VMs are made. A VM keeps what it was made of, whatever
// becomes of the image's registration. Looking at the URL is in `own-image-check.ts`.

import { BerthError, shown } from '../model/errors.ts';
import { newUuid } from '../model/id.ts';
import { checkImageUrl } from '../model/image.ts';
import {
  checkDistribution,
  checkImageLogin,
  checkOwnImageName,
  checkSha256,
  type ImageFormat,
  ownImageSlug,
  ownImagesMax,
} from '../model/own-image.ts';
import type { PrivilegeLevel } from '../model/privilege.ts';
import { inTransaction, type Tx } from '../store/database.ts';
import { insertEvents, type NewEvent } from '../store/event.ts';
import * as store from '../store/own-image.ts';
import { type AtAccount, type Caller, reachAccount } from './access.ts';
import type { Principal } from './authenticate.ts';
import type { Context } from './context.ts';
import { checkImageHost } from './deployment-request.ts';

/** An image as it is registered. */
export interface GivenImage {
  name: string;
  url: string;
  sha256: string;
  /** Null where that is to be found out. */
  format: ImageFormat | null;
  distribution: string;
  username: string;
}

/** How a request calls what is refused of it. */
export interface OwnImageFields {
  name: string;
  url: string;
  sha256: string;
}

/**
 * Registers an image, to be looked at.
 * @returns its id
 * @throws BerthError `invalid_value`, `name_taken`
 */
export async function registerImage(
  context: Context,
  principal: Principal,
  given: GivenImage,
  fields: OwnImageFields,
): Promise<string> {
  const { accountId } = principal;
  const name = checkOwnImageName(given.name, fields.name);
  const url = checkImageUrl(given.url, fields.url);
  checkImageHost(context, url, fields.url);
  const sha256 = checkSha256(given.sha256, fields.sha256);
  checkDistribution(given.distribution, 'distribution');
  checkImageLogin(given.username, 'username');
  return inTransaction(context.database, async (tx) => {
    const count = await store.lockOwnImages(tx, accountId);
    await requireFree(tx, accountId, name, fields.name);
    if (count >= ownImagesMax) {
      const message = `${count} images are registered, as many as an account can have; delete one first.`;
      throw new BerthError('invalid_value', message, fields.url);
    }
    const id = newUuid(context.entropy);
    const row = { ...given, id, accountId, name, url: url.href, sha256, createdAt: context.clock.now() };
    await store.insertOwnImage(tx, row);
    const message = `The image ${name} was registered.`;
    await insertEvents(tx, [imageEvent(context, principal, 'own-image.registered', { ...row, message })]);
    return id;
  });
}

/**
 * An account's own image, and the account.
 * @throws BerthError `not_found`, and as {@link reachAccount} does
 */
export async function reachImage(
  context: Context,
  caller: Caller,
  id: string,
  level: PrivilegeLevel,
): Promise<AtAccount & { image: store.OwnImageRow }> {
  const image = await store.findOwnImage(context.database, { id });
  const unknown = new BerthError('not_found', 'There is no such image of your own.');
  if (!image) throw unknown;
  const at = await reachAccount(context, caller, { id: image.accountId }, level).catch((error) => {
    throw error instanceof BerthError && error.code === 'not_found' ? unknown : error;
  });
  return { ...at, image };
}

/**
 * Gives an own image another name.
 * @param field how the request calls the name
 * @throws BerthError `invalid_value`, `name_taken`, `not_found`
 */
export async function renameImage(
  context: Context,
  { principal, image }: AtAccount & { image: store.OwnImageRow },
  given: string,
  field: string,
): Promise<void> {
  const name = checkOwnImageName(given, field);
  if (name === image.name) return;
  await inTransaction(context.database, async (tx) => {
    await store.lockOwnImages(tx, image.accountId);
    await requireFree(tx, image.accountId, name, field);
    const renamed = await store.renameOwnImage(tx, image.id, name, context.clock.now());
    if (!renamed) throw new BerthError('not_found', 'The image was deleted meanwhile.');
    const message = `The image ${image.name} is called ${name} now.`;
    await insertEvents(tx, [imageEvent(context, principal, 'own-image.renamed', { ...renamed, message })]);
  });
}

/** Forgets an own image. VMs that were made of it keep it. */
export async function deleteImage(
  context: Context,
  { principal, image }: AtAccount & { image: store.OwnImageRow },
): Promise<void> {
  await inTransaction(context.database, async (tx) => {
    if (!(await store.deleteOwnImage(tx, image.id))) return;
    const message = `The image ${image.name} was deleted.`;
    await insertEvents(tx, [imageEvent(context, principal, 'own-image.deleted', { ...image, message })]);
  });
}

async function requireFree(tx: Tx, accountId: string, name: string, field: string): Promise<void> {
  if (!(await store.findOwnImage(tx, { accountId, name }))) return;
  throw new BerthError('name_taken', `Another image of the account is called ${shown(name)} already.`, field);
}

/** An event about an own image. */
export function imageEvent(
  context: Context,
  { accountId, actor }: Pick<Principal, 'accountId' | 'actor'>,
  kind: string,
  { id, name, message }: { id: string; name: string; message: string },
): NewEvent {
  const data = { image: id, slug: ownImageSlug(name) };
  return { accountId, instanceId: null, hostId: null, kind, message, actor, data, createdAt: context.clock.now() };
}
