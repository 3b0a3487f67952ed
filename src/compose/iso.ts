// Looking at an ISO image over the network before a VM is told to have it in its drive: at the one sector that says what it
// is. The host that fetches it later makes its own checks; this one is for a clear answer at once.

import type { IsoReader } from '../app/iso.ts';
import type { Lookup } from '../model/address-guard.ts';
import { readPublicPart } from './public-part.ts';

/** The system area comes first; then the volume descriptors, which begin with a type and this. */
const descriptorAt = 32_768;
const descriptorMark = 'CD001';

/** A way to look at ISO images. @param allowed `HOST:PORT` of those that may have a private address */
export function isoReader(allowed: () => ReadonlySet<string>, lookup?: Lookup): IsoReader {
  return async (url) => {
    const part = { firstByte: descriptorAt, length: 1 + descriptorMark.length };
    const found = await readPublicPart(url, part, allowed(), lookup);
    if ('fault' in found) return found.fault;
    const { status, body } = found;
    if (status === 416) return 'is not an ISO image';
    if (status !== 200 && status !== 206) return `can't be fetched: its server answers ${status}`;
    return body.toString('latin1', 1) === descriptorMark ? null : 'is not an ISO image';
  };
}
