// Lays out a disk image that a PC's BIOS starts: a partition table in the first sector, file systems made in place from
// directories, and the compressed qcow2 of the whole. No loop device and no mount is needed, so a killed build leaves
// nothing behind but files. Which boot code and which files go in is the callers' matter.

import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.ts';

export const sectorBytes = 512;
/** Partitions start at 1 MiB, as every partitioning tool of the last fifteen years has it; boot code may use the gap. */
export const firstPartitionSector = 2048;
/** Boot code may fill the first sector up to the disk's signature and the partition table. */
const bootCodeBytesMax = 440;
/** mke2fs reserves room for the file system to grow to this without moving anything: what an MBR can address. */
const growthLimitBytes = 2 * 1024 ** 4;

export const partitionTypes = { linux: 0x83, fat16: 0x06 } as const;

export interface Partition {
  type: (typeof partitionTypes)[keyof typeof partitionTypes];
  startSector: number;
  sectorCount: number;
  bootable: boolean;
}

/** A raw disk image in the making. */
export interface RawDisk {
  file: string;
  /** For settings that the tools read from files. */
  scratchDir: string;
  signal: AbortSignal | undefined;
}

/**
 * The first sector of a disk: boot code, the disk's signature, up to four partitions and the mark 0x55AA.
 *
 * @throws {RangeError} when the boot code does not fit, or there are too many partitions.
 */
export function masterBootRecord(bootCode: Buffer, partitions: readonly Partition[]): Buffer {
  if (partitions.length > 4) throw new RangeError(`An MBR holds 4 partitions, not ${partitions.length}.`);
  if (bootCode.length > bootCodeBytesMax) {
    throw new RangeError(`Boot code has ${bootCodeBytesMax} bytes at most, not ${bootCode.length}.`);
  }
  const sector = Buffer.alloc(sectorBytes);
  bootCode.copy(sector);
  sector.write('BRTH', bootCodeBytesMax, 'latin1');
  partitions.forEach((partition, index) => {
    const entry = 446 + 16 * index;
    sector[entry] = partition.bootable ? 0x80 : 0;
    // Cylinders, heads and sectors of old are marked as "see the sector numbers".
    sector.fill(Buffer.from([0xfe, 0xff, 0xff]), entry + 1, entry + 4);
    sector[entry + 4] = partition.type;
    sector.fill(Buffer.from([0xfe, 0xff, 0xff]), entry + 5, entry + 8);
    sector.writeUInt32LE(partition.startSector, entry + 8);
    sector.writeUInt32LE(partition.sectorCount, entry + 12);
  });
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

/** Makes an empty (sparse) disk image. */
export async function createDisk(disk: RawDisk, sizeBytes: number): Promise<void> {
  await writeFile(disk.file, '');
  await truncate(disk.file, sizeBytes);
}

/** Writes into the disk image at a sector. */
export async function writeSectors(disk: RawDisk, sector: number, content: Buffer): Promise<void> {
  const handle = await open(disk.file, 'r+');
  try {
    await handle.write(content, 0, content.length, sector * sectorBytes);
  } finally {
    await handle.close();
  }
}

/**
 * Makes an ext4 file system in a partition, filled from a directory with owners and modes kept. Its features are named
 * one by one, so that an image does not depend on the version of e2fsprogs that built it (boot loaders refuse some
 * that newer versions turn on).
 */
export async function makeExt4(
  disk: RawDisk,
  partition: Partition,
  content: { directory: string; label: string; uuid: string; journalMib: number },
): Promise<void> {
  const configFile = join(disk.scratchDir, 'mke2fs.conf');
  await writeFile(
    configFile,
    `[defaults]
  base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
  default_mntopts = acl,user_xattr
  enable_periodic_fsck = 0
  inode_size = 256
  inode_ratio = 8192
[fs_types]
  ext4 = {
    features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
  }
`,
  );
  const blockBytes = 4096;
  const sizeKib = Math.floor((partition.sectorCount * sectorBytes) / blockBytes) * (blockBytes / 1024);
  const offset = partition.startSector * sectorBytes;
  await runCommand({
    program: 'mke2fs',
    args: [
      ...[
        '-q',
        '-F',
        '-t',
        'ext4',
        '-b',
        String(blockBytes),
        '-L',
        content.label,
        '-U',
        content.uuid,
        '-J',
        `size=${content.journalMib}`,
      ],
      ...['-E', `offset=${offset},resize=${growthLimitBytes / blockBytes}`, '-d', content.directory],
      ...[disk.file, `${sizeKib}k`],
    ],
    env: { MKE2FS_CONFIG: configFile },
    timeoutMs: 10 * 60_000,
    signal: disk.signal,
  });
}

/** Makes a FAT16 file system in a partition and copies files into its top directory. */
export async function makeFat16(
  disk: RawDisk,
  partition: Partition,
  label: string,
  files: readonly string[],
): Promise<void> {
  const timeoutMs = 60_000;
  const { startSector, sectorCount } = partition;
  await runCommand({
    program: 'mkfs.fat',
    args: [
      ...['-F', '16', '-n', label, '--offset', String(startSector), '-h', String(startSector)],
      ...[disk.file, String((sectorCount * sectorBytes) / 1024)],
    ],
    timeoutMs,
    signal: disk.signal,
  });
  await runCommand({
    program: 'mcopy',
    args: ['-i', `${disk.file}@@${startSector * sectorBytes}`, ...files, '::'],
    timeoutMs,
    signal: disk.signal,
  });
}

/** Writes the disk image as a compressed qcow2. */
export async function convertToQcow2(disk: RawDisk, outFile: string): Promise<void> {
  await runCommand({
    program: 'qemu-img',
    args: ['convert', '-c', '-f', 'raw', '-O', 'qcow2', disk.file, outFile],
    timeoutMs: 15 * 60_000,
    signal: disk.signal,
  });
}
