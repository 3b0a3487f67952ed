// What a file is, told from its first bytes and never from its name, and whether that is what its name promised. A disk
// image of another kind gets its name in the answer, since "convert it" is of more use than "unknown".

import { type ImagePromise, isoEnding } from '../../model/image.ts';
import type { DriverFailure } from '../driver.ts';
import { imageFailure } from './failure.ts';

/** Enough of a file to tell every format here: an ISO 9660 file shows itself at 32769. */
export const headBytes = 36 * 1024;

/** What the first bytes show. `other` is something known that Berth can't use; `unknown` quotes how it begins. */
export type Content =
  | { kind: 'qcow2' | 'raw' | 'gzip' | 'xz' | 'iso' | 'empty' }
  | { kind: 'other'; name: string }
  | { kind: 'unknown'; beginning: string };

const otherFormats: readonly { name: string; at: number; magic: string }[] = [
  { name: 'a VMDK image', at: 0, magic: 'KDMV' },
  { name: 'a VMDK image', at: 0, magic: 'COWD' },
  { name: 'a VMDK descriptor', at: 0, magic: '# Disk DescriptorFile' },
  { name: 'a VHDX image', at: 0, magic: 'vhdxfile' },
  { name: 'a VHD image', at: 0, magic: 'conectix' },
  { name: 'a VDI image', at: 64, magic: '\x7f\x10\xda\xbe' },
  { name: 'a Parallels image', at: 0, magic: 'WithoutFreeSpace' },
  { name: 'a Parallels image', at: 0, magic: 'WithouFreSpacExt' },
  { name: 'a QED image', at: 0, magic: 'QED\0' },
  { name: 'a LUKS volume', at: 0, magic: 'LUKS\xba\xbe' },
  { name: 'a bzip2 file', at: 0, magic: 'BZh' },
  { name: 'a Zstandard file', at: 0, magic: '\x28\xb5\x2f\xfd' },
  { name: 'a ZIP file', at: 0, magic: 'PK\x03\x04' },
  { name: 'a 7z file', at: 0, magic: '7z\xbc\xaf\x27\x1c' },
  { name: 'a tar archive', at: 257, magic: 'ustar' },
];

/**
 * Tells what a file is.
 * @param head its first {@link headBytes} bytes, or all of it
 */
export function detectContent(head: Buffer): Content {
  const has = (at: number, magic: string) => head.toString('latin1', at, at + magic.length) === magic;
  if (head.length === 0) return { kind: 'empty' };
  if (has(0, '\x1f\x8b')) return { kind: 'gzip' };
  if (has(0, '\xfd7zXZ\0')) return { kind: 'xz' };
  if (has(0, 'QFI\xfb')) {
    const version = head.length >= 8 ? head.readUInt32BE(4) : 0;
    return version === 2 || version === 3
      ? { kind: 'qcow2' }
      : { kind: 'other', name: `a qcow version ${version} image` };
  }
  // Before raw: an installation CD may be made bootable as a disk too.
  if (has(32769, 'CD001')) return { kind: 'iso' };
  const other = otherFormats.find(({ at, magic }) => has(at, magic));
  if (other) return { kind: 'other', name: other.name };
  // The mark of a boot sector; a GPT disk has it too, in its protective MBR.
  if (head.length >= 512 && head[510] === 0x55 && head[511] === 0xaa) return { kind: 'raw' };
  return { kind: 'unknown', beginning: beginningOf(head) };
}

/** The first line as text where it is text, else the first bytes in hexadecimal. */
function beginningOf(head: Buffer): string {
  const line =
    head
      .toString('latin1', 0, 40)
      .trimStart()
      .split(/[\r\n]/)[0] ?? '';
  if (/^[\x20-\x7e]{3,}$/.test(line)) return `\`${line.slice(0, 24).replace(/`/g, "'").trimEnd()}\``;
  return `the bytes ${head
    .subarray(0, 8)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ')}`;
}

const kindNames = {
  qcow2: 'a qcow2 image',
  raw: 'a raw disk image',
  gzip: 'a gzip file',
  xz: 'an xz file',
  iso: 'an ISO 9660 (CD or DVD) image',
} as const;

/** The failure for a file that is not one of `wanted`. */
function mismatch(
  content: Content,
  wanted: readonly (keyof typeof kindNames)[],
  where: string,
  ending: string,
): DriverFailure {
  const right = wanted.map((kind) => kindNames[kind]).join(' or ');
  const because = `${ending} must be ${right}`;
  if (content.kind === 'empty') return imageFailure('image.format', `${where} is empty; ${because}.`);
  if (content.kind === 'unknown') {
    const what = wanted.includes('raw') || wanted.includes('qcow2') ? 'a disk image' : right;
    const hint = wanted.includes('raw') ? '; a raw disk image has a boot sector, with 55 aa at byte 510' : '';
    return imageFailure(
      'image.format',
      `${where} is not ${what}: it begins with ${content.beginning}; ${because}${hint}.`,
    );
  }
  const found = content.kind === 'other' ? content.name : kindNames[content.kind];
  const convert =
    (content.kind === 'other' || content.kind === 'iso') && !wanted.includes('iso')
      ? '; convert it with qemu-img convert'
      : '';
  return imageFailure('image.format', `${where} is ${found}; ${because}${convert}.`);
}

/**
 * Holds the content of a downloaded file against its ending.
 * @param where how to speak of the file in a message
 * @returns the compression that is around the disk image
 * @throws DriverFailure `image.format`
 */
export function checkWrapping(content: Content, ending: ImagePromise, where: string): 'gzip' | 'xz' | null {
  const wrapping = ending.endsWith('.gz') ? 'gzip' : ending.endsWith('.xz') ? 'xz' : null;
  if (wrapping && content.kind !== wrapping)
    throw mismatch(content, [wrapping], where, `a file that ends in ${ending}`);
  return wrapping;
}

/**
 * Holds a disk image, unpacked, against its file's ending.
 * @throws DriverFailure `image.format`
 */
export function checkDiskFormat(content: Content, ending: ImagePromise, where: string): 'qcow2' | 'raw' {
  if (ending === isoEnding) {
    if (content.kind === 'iso') return 'raw';
    throw mismatch(content, ['iso'], where, 'a CD');
  }
  const wanted: readonly ('qcow2' | 'raw')[] =
    ending === '.qcow2' ? ['qcow2'] : ending.startsWith('.raw') ? ['raw'] : ['qcow2', 'raw'];
  const found = wanted.find((kind) => kind === content.kind);
  if (!found) throw mismatch(content, wanted, where, `a file that ends in ${ending}`);
  return found;
}
