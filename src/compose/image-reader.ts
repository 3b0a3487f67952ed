// Looking at an account's own image over the network when it is registered: at its first bytes, which say what it is. Hosts
// make the same check, and all others, of the whole file; this one is for a clear answer before anything is made of it.

import { DriverFailure } from '../agent/driver.ts';
import { checkDiskFormat, checkWrapping, detectContent, headBytes } from '../agent/image/format.ts';
import type { ImageReader } from '../app/own-image-check.ts';
import type { Lookup } from '../model/address-guard.ts';
import { imageEnding } from '../model/image.ts';
import { readPublicPart } from './public-part.ts';

/** What a server answers that may answer otherwise soon. */
const isPassing = (status: number) => status >= 500 || status === 408 || status === 425 || status === 429;

/** A way to look at images. @param allowed `HOST:PORT` of those that may have a private address */
export function imageReader(allowed: () => ReadonlySet<string>, lookup?: Lookup): ImageReader {
  return async (url) => {
    const found = await readPublicPart(url, { firstByte: 0, length: headBytes }, allowed(), lookup);
    if ('fault' in found) return found;
    const { status, body } = found;
    // The one range that no file has is that of an empty one.
    if (status === 416) return { fault: 'is empty', lasting: true };
    if (status !== 200 && status !== 206) {
      return { fault: `can't be fetched: its server answers ${status}`, lasting: !isPassing(status) };
    }
    return formatOf(url, body);
  };
}

/** What its first bytes show, held against what its URL's ending promises. */
function formatOf(url: URL, head: Buffer): Awaited<ReturnType<ImageReader>> {
  const ending = imageEnding(url);
  if (ending === null) return { fault: 'has a URL with no known ending', lasting: true };
  try {
    const content = detectContent(head);
    // What is compressed shows itself only when all of it was unpacked.
    if (checkWrapping(content, ending, '')) return { format: null };
    return { format: checkDiskFormat(content, ending, '') };
  } catch (error) {
    if (!(error instanceof DriverFailure)) throw error;
    return { fault: error.message.trim().replace(/\.$/, ''), lasting: true };
  }
}
