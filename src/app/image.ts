// OS images: the catalog, the images among it that Berth builds itself at first use, and the accounts' own beside it.

import { ownNameOf, whyUnusable } from '../model/own-image.ts';
import { sightOf } from '../model/privilege.ts';
import type { CatalogImage } from '../store/image.ts';
import { listImages as readCatalog } from '../store/image.ts';
import { type AnyImageRow, findOwnImage, type ImageFilter, listAnyImages } from '../store/own-image.ts';
import { type Caller, reachAccount } from './access.ts';
import type { Context } from './context.ts';

/** Where images that Berth builds are served, below its public URL. */
export const builtImagePath = '/images';

/** The file name under which a built image is served. */
export function builtImageFile(name: string): string {
  return `${name}.qcow2`;
}

/** The file name under which an appliance, a system that VMs are booted with in place of their own, is served. */
export function applianceFile(name: string): string {
  return `${name}.iso`;
}

/** Where hosts get an appliance from. */
export function applianceUrl({ publicUrl }: Context, name: string): string {
  return `${publicUrl}${builtImagePath}/${applianceFile(name)}`;
}

/** Where hosts get an image of the catalog from. */
function urlOf({ publicUrl }: Context, { url, builtAs }: { url: string | null; builtAs: string | null }): string {
  return url ?? `${publicUrl}${builtImagePath}/${builtImageFile(builtAs ?? '')}`;
}

/** An image of the catalog as a customer sees it; `downloadUrl` is what to pass as the OS image. */
export type ListedImage = Omit<CatalogImage, 'downloadUrl' | 'builtAs'> & { downloadUrl: string };

/** The catalog. */
export async function listCatalog(context: Context): Promise<ListedImage[]> {
  return (await readCatalog(context.database)).map(({ builtAs, downloadUrl, ...image }) => ({
    ...image,
    downloadUrl: urlOf(context, { url: downloadUrl, builtAs }),
  }));
}

/** An image of the catalog or an account's own, with where hosts get it from. */
export type ImageRow = Omit<AnyImageRow, 'url' | 'builtAs'> & { url: string };

/**
 * Images that a caller may see: the catalog, and the own images of accounts that he sees as a whole.
 * @param account a reference to the account whose own images alone are asked for
 * @returns at most `limit` of them, the catalog first, then by slug and id
 * @throws BerthError as `reachAccount` does
 */
export async function listImages(
  context: Context,
  caller: Caller,
  given: Omit<ImageFilter, 'accounts' | 'catalog'> & { account?: string | { id: string } | undefined },
): Promise<ImageRow[]> {
  const { account, ...filter } = given;
  const at = account === undefined ? null : await reachAccount(context, caller, account, 'vm_console');
  const sight = sightOf(caller.grants);
  const seen = sight === 'everything' ? 'all' : sight.accountIds;
  return listed(context, { ...filter, accounts: at ? [at.account.id] : seen, catalog: at === null });
}

/** The image of this id that an account can make instances of; undefined where there is none. */
export async function findImageOf(context: Context, accountId: string, id: string): Promise<ImageRow | undefined> {
  const [image] = await listed(context, { accounts: [accountId], catalog: true, only: id, limit: 1, after: null });
  return image;
}

async function listed(context: Context, filter: ImageFilter): Promise<ImageRow[]> {
  const rows = await listAnyImages(context.database, filter);
  return rows.map(({ url, builtAs, ...row }) => ({ ...row, url: urlOf(context, { url, builtAs }) }));
}

/** What an instance is made of. */
export interface UsableImage {
  slug: string;
  url: string;
  /** What the file there has to hash to; null where nobody said. */
  sha256: string | null;
}

/**
 * The image that an account can make instances of under this slug.
 * @returns it; a fault where it can't be used now, to follow the slug; null where there is none
 */
export async function findUsableImage(
  context: Context,
  accountId: string,
  slug: string,
): Promise<{ image: UsableImage } | { fault: string } | null> {
  const name = ownNameOf(slug);
  if (name === null) {
    const image = (await listCatalog(context)).find((one) => one.slug === slug);
    return image ? { image: { slug, url: image.downloadUrl, sha256: null } } : null;
  }
  const own = await findOwnImage(context.database, { accountId, name });
  if (!own) return null;
  const fault = whyUnusable(own);
  return fault === null ? { image: { slug, url: own.url, sha256: own.sha256 } } : { fault };
}
