// What is in a VM's CD drive: an ISO image out of the image store, under a name of its own beside the VM, so that no eviction
// pulls it away and the VM starts again while the image's server is gone.

import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { linkBase } from '../disk/overlay.ts';
import type { Progress } from '../driver.ts';
import type { Machine } from './driver.ts';
import { exists, type VmHome } from './home.ts';
import type { ImageSource } from './image-source.ts';

/** What fetching takes. */
export interface CdromMaking {
  images: ImageSource;
  progress(step: Progress): void;
  signal: AbortSignal;
}

const prefix = 'cd-';

/** Which ISO image a VM's next start has in its drive: an appliance's takes the place of the customer's own. */
export function cdromUrlOf({ cdromUrl, appliance }: Machine): string | null {
  return appliance?.url ?? cdromUrl;
}

/**
 * Brings the ISO image into the VM's directory; one that is no longer in its drive goes.
 * @returns its path, or null where the drive is empty
 * @throws DriverFailure when it can't be had
 */
export async function prepareCdrom(home: VmHome, url: string | null, making: CdromMaking): Promise<string | null> {
  const name = url === null ? null : `${prefix}${createHash('sha256').update(url).digest('hex').slice(0, 16)}.iso`;
  for (const other of await readdir(home.directory)) {
    if (other.startsWith(prefix) && other !== name) await rm(join(home.directory, other), { force: true });
  }
  if (url === null || name === null) return null;
  const path = join(home.directory, name);
  if (!(await exists(path))) await linkBase(await making.images.ensureIso(url, making.progress, making.signal), path);
  return path;
}
