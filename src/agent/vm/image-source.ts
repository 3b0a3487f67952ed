// What a VM needs of the image store, and no more: a verified file to put an overlay on. Downloading, checking, converting
// and evicting are the store's own matters; drivers of the interface in driver.ts see only this.

import type { Progress } from '../driver.ts';

/** An OS image on this host's disk, checked and ready to be read by many VMs at once. */
export interface BaseImage {
  /** Absolute path. Nobody ever writes to this file again. */
  path: string;
  format: 'qcow2' | 'raw';
  /** Size of the disk that a guest sees, in bytes. */
  virtualSizeBytes: number;
  /** Hexadecimal SHA-256 of the file, which says whether two images are the same one. */
  sha256: string;
}

export interface ImageSource {
  /**
   * The image behind a URL, downloaded first where it is not here yet.
   * @param want `diskBytes` is the size of the disk it will be used on; a larger image is refused. A file that does not hash to
   *   `sha256` is refused, too
   * @throws DriverFailure when it can't be had
   */
  ensure(
    url: string,
    want: { diskBytes: number; sha256?: string },
    progress: (step: Progress) => void,
    signal: AbortSignal,
  ): Promise<BaseImage>;

  /**
   * The path of the ISO image behind a URL, downloaded first where it is not here yet. Nobody ever writes to that file again.
   * @throws DriverFailure when it can't be had
   */
  ensureIso(url: string, progress: (step: Progress) => void, signal: AbortSignal): Promise<string>;
}
