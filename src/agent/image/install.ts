// The way of a complete download to a base in the cache: unwrap, inspect, hash, keep. Nothing that fails here leaves a
// file behind; whether it is worth another try is the store's to say.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImagePromise } from '../../model/image.ts';
import type { ImageCache } from './cache.ts';
import { imageFailure, shownUrl } from './failure.ts';
import { checkWrapping, detectContent, headBytes } from './format.ts';
import type { IndexEntry } from './index-file.ts';
import { inspectDisk } from './inspect.ts';
import type { ImageLimits } from './limits.ts';
import type { PartFile, Validators } from './part-file.ts';
import type { Tell } from './shared-job.ts';
import type { Unprivileged } from './tool.ts';
import { unpack } from './unpack.ts';

export interface InstallTask {
  url: URL;
  key: string;
  ending: ImagePromise;
  /** What the download has to hash to. */
  fileSha256: string | undefined;
  part: PartFile;
  validators: Validators;
  cache: ImageCache;
  limits: ImageLimits;
  unprivileged: Unprivileged | undefined;
  emit: Tell;
  signal: AbortSignal;
}

/**
 * Checks a complete download and makes it a base.
 * @throws DriverFailure of any code that speaks of content; errors of the disk as they are; the signal's reason
 */
export async function install(task: InstallTask): Promise<IndexEntry> {
  const { url, key, ending, fileSha256, part, cache, limits, unprivileged, signal } = task;
  const where = `The image at ${shownUrl(url)}`;
  task.emit({ kind: 'image.verify', message: `Checking the image at ${shownUrl(url)}` });
  // Before anything else looks at it: what its owner did not mean is not worth taking apart.
  const found = fileSha256 === undefined ? undefined : await sha256Of(part.path, signal);
  if (found !== fileSha256) {
    const text = `${where} hashes to the SHA-256 ${found}; it was registered with ${fileSha256}.`;
    throw imageFailure('image.checksum', text);
  }
  const wrapping = checkWrapping(detectContent(await part.head(headBytes)), ending, where);
  const path = wrapping ? join(cache.temporaryDirectory, key) : part.path;
  const file = await open(path, wrapping ? 'w+' : 'r', 0o600);
  try {
    const checkSpace = () => cache.checkSpace();
    const unpacked =
      wrapping && (await unpack(wrapping, part.path, file, { where, limits, unprivileged, checkSpace, signal }));
    // Readable for the user that qemu-img runs as; the directory still keeps everyone else out.
    await chmod(path, 0o644);
    const inside = unpacked ? `The file inside ${shownUrl(url)}` : where;
    const facts = await inspectDisk(file, { where: inside, ending, limits, unprivileged, signal });
    const sha256 = unpacked ? unpacked.sha256 : (found ?? (await sha256Of(path, signal)));
    const fileBytes = (await file.stat()).size;
    await chmod(path, 0o444);
    const shown = { url: shownUrl(url), ...task.validators };
    const entry = await cache.keep(key, path, { ...shown, ...facts, sha256, fileBytes });
    await part.remove();
    await cache.evict();
    return entry;
  } finally {
    await file.close();
    if (wrapping) await rm(path, { force: true });
  }
}

/** The hash of a file's content. */
async function sha256Of(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
