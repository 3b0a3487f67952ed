// The catalog of OS images, and the images among them that Berth builds itself at first use.

import type { CatalogImage } from '../store/image.ts';
import { listImages } from '../store/image.ts';
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

/** An image of the catalog as a customer sees it; `downloadUrl` is what to pass as the OS image. */
export type ListedImage = Omit<CatalogImage, 'downloadUrl' | 'builtAs'> & { downloadUrl: string };

/** The catalog. */
export async function listCatalog(context: Context): Promise<ListedImage[]> {
  return (await listImages(context.database)).map(({ builtAs, downloadUrl, ...image }) => ({
    ...image,
    downloadUrl: downloadUrl ?? `${context.publicUrl}${builtImagePath}/${builtImageFile(builtAs ?? '')}`,
  }));
}
