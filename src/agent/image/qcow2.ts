// Reads a qcow2 header with our own eyes before any tool of QEMU's opens the file. A qcow2 can name other files, as its
// backing file or as the place of its data, and QEMU would open them with the host's rights: such an image is how a guest
// reads the host. Whether the tables inside are sound is left to `qemu-img check`.

import { imageFailure, shownBytes } from './failure.ts';

/** A header lies in the first cluster; extensions and a backing file's name within it too. 2 MiB is the largest cluster. */
export const qcow2HeaderBytesMax = 2 * 1024 * 1024;

const incompatible = { corrupt: 1n << 1n, dataFile: 1n << 2n } as const;
/** Dirty, corrupt, data file, compression type, extended L2 entries: all that are defined. */
const incompatibleKnown = 0b11111n;

const extensionEnd = 0;
const extensionDataFile = 0x44415441;
const extensionEncryption = 0x0537be77;

/** QEMU's own bounds for the tables of a qcow2. */
const l1BytesMax = 32 * 1024 * 1024;
const refcountTableBytesMax = 8 * 1024 * 1024;
const snapshotsMax = 65536;

/** Text out of an untrusted header, fit for a message. */
function shownName(bytes: Buffer): string {
  const text = bytes
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/`/g, "'");
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/**
 * Checks the header of a qcow2 file and gives its virtual size in bytes.
 * @param head the file's first {@link qcow2HeaderBytesMax} bytes, or all of it
 * @param where how to speak of the file in a message
 * @throws DriverFailure `image.backing-file`, `image.data-file`, `image.encrypted`, `image.size` or `image.corrupt`
 */
export function checkQcow2Header(head: Buffer, where: string, virtualBytesMax: number): number {
  const corrupt = (why: string) => imageFailure('image.corrupt', `${where} is a damaged qcow2 image: ${why}.`);
  if (head.length < 104) throw corrupt('its header is cut off');
  const version = head.readUInt32BE(4);
  if (head.toString('latin1', 0, 4) !== 'QFI\xfb' || (version !== 2 && version !== 3)) {
    throw corrupt('its header is not of version 2 or 3');
  }

  const backingOffset = head.readBigUInt64BE(8);
  const backingLength = head.readUInt32BE(16);
  if (backingOffset !== 0n || backingLength !== 0) {
    const at = Number(backingOffset);
    const name = shownName(head.subarray(at, at + Math.min(backingLength, 1023)));
    throw imageFailure(
      'image.backing-file',
      `${where} is a qcow2 image with a backing file${name ? ` (\`${name}\`)` : ''}, which does not exist on the host; make it stand alone with qemu-img convert -O qcow2.`,
    );
  }
  if (version === 3) checkFeatures(head.readBigUInt64BE(72), where);
  if (head.readUInt32BE(32) !== 0) throw encrypted(where);

  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) throw corrupt(`its clusters are of 2^${clusterBits} bytes`);
  const clusterBytes = 2 ** clusterBits;
  const headerLength = version === 3 ? head.readUInt32BE(100) : 72;
  if (headerLength < (version === 3 ? 104 : 72) || headerLength > clusterBytes) {
    throw corrupt(`its header claims ${headerLength} bytes`);
  }
  checkExtensions(head.subarray(0, clusterBytes), headerLength, where);

  if (head.readUInt32BE(36) * 8 > l1BytesMax) throw corrupt('its L1 table is too large');
  if (head.readUInt32BE(56) * clusterBytes > refcountTableBytesMax) throw corrupt('its refcount table is too large');
  if (head.readUInt32BE(60) > snapshotsMax) throw corrupt('it claims too many snapshots');

  const virtualSize = head.readBigUInt64BE(24);
  if (virtualSize === 0n) throw imageFailure('image.size', `${where} is a qcow2 image of a disk of 0 bytes.`);
  if (virtualSize > BigInt(virtualBytesMax)) {
    throw imageFailure(
      'image.size',
      `${where} is a qcow2 image of a disk of ${shownBytes(Number(virtualSize))}; at most ${shownBytes(virtualBytesMax)} are allowed.`,
    );
  }
  return Number(virtualSize);
}

function dataFile(where: string): Error {
  return imageFailure(
    'image.data-file',
    `${where} is a qcow2 image that keeps its data in another file, which does not exist on the host; make it stand alone with qemu-img convert -O qcow2.`,
  );
}

function encrypted(where: string): Error {
  return imageFailure('image.encrypted', `${where} is an encrypted qcow2 image; serve one that is not encrypted.`);
}

function checkFeatures(features: bigint, where: string): void {
  if (features & incompatible.dataFile) throw dataFile(where);
  if (features & incompatible.corrupt) {
    throw imageFailure(
      'image.corrupt',
      `${where} is a qcow2 image that is marked as corrupt; repair it with qemu-img check -r all.`,
    );
  }
  const unknown = features & ~incompatibleKnown;
  if (unknown !== 0n) {
    throw imageFailure(
      'image.format',
      `${where} is a qcow2 image with features that are not known here (0x${unknown.toString(16)}); make a plain one with qemu-img convert -O qcow2.`,
    );
  }
}

/** Walks the header's extensions and refuses those that lead out of the file. */
function checkExtensions(cluster: Buffer, start: number, where: string): void {
  let at = start;
  // Without an end mark the list ends with the cluster; the header of version 2 has none to speak of.
  while (at + 8 <= cluster.length) {
    const type = cluster.readUInt32BE(at);
    const length = cluster.readUInt32BE(at + 4);
    if (type === extensionEnd) return;
    if (type === extensionDataFile) throw dataFile(where);
    if (type === extensionEncryption) throw encrypted(where);
    if (length > cluster.length - at - 8) {
      throw imageFailure('image.corrupt', `${where} is a damaged qcow2 image: an extension of its header is cut off.`);
    }
    at += 8 + Math.ceil(length / 8) * 8;
  }
}
