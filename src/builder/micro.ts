// The micro image: the small system on a disk, with Debian's cloud kernel, and scripts that take a NoCloud seed. It exists so
// that a VM can be deployed and logged into in seconds even without hardware virtualization. Kernels and their initramfs lie on
// a small FAT partition, because syslinux installs itself there without mounting anything; the root partition comes last, so
// that it can grow.
//
// The cloud kernel has no driver for an old PC's network card, so the generic one is there too, and syslinux starts that where
// it sees such a card. It is not the only one because it starts slowly: Debian packs it with xz.
//
// Measured (TCG, 2 cores, `-machine q35 -smp 2 -m 512`, to the SSH banner): syslinux on FAT 5.4 s, GRUB on ext4 8.5 s.
// The cloud kernel is LZ4-compressed by Debian; the initramfs is not compressed, as unpacking it takes 60 ms.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openApt } from './apt.ts';
import { ImageBuildError, runCommand } from './command.ts';
import type { Partition } from './disk.ts';
import {
  createDisk,
  firstPartitionSector,
  makeExt4,
  makeFat16,
  masterBootRecord,
  partitionTypes,
  sectorBytes,
  writeSectors,
} from './disk.ts';
import { kernelVersion, moduleFiles, putModules } from './modules.ts';
import type { Recipe, RecipeContext } from './recipe.ts';
import { layOutRoot, packInitramfs, putCopyrights, type Unpacked, unpackKernel, unpackSystem } from './small-system.ts';
import { packageSources } from './sources.ts';
import { assetsDirectory, putCopy, putFile } from './tree.ts';

const steps = [
  'Reading the package lists',
  'Downloading the packages',
  'Laying out the files',
  'Making the file systems',
] as const;

const mib = 1024 * 1024;
const diskBytes = 512 * mib;
/** The two kernels and their initramfs have 36 MB, and kernels grow. */
const bootPartitionBytes = 64 * mib;
/** Larger than mke2fs would choose for a small disk, because the file system is meant to grow. */
const journalMib = 16;
const rootLabel = 'micro-root';
const rootUuid = 'b4f3c3c6-5d0e-4b6f-9d0a-6d6963726f31';

/** What the disk and the bus it is on may need, in the initramfs. */
const diskModules = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'ata_piix', 'ata_generic'];
/** The rest: network, seed volume, power button, keyboard. */
const otherModules = ['virtio_net', 'vmxnet3', 'sr_mod', 'isofs', 'button', 'evdev', 'virtio-rng', 'virtio_balloon'];

/** The kernels, by what syslinux calls them, and what each has as modules beside those above. */
const kernels = [
  { name: 'micro', metapackage: 'linux-image-cloud-amd64', disk: [], other: [] },
  {
    name: 'generic',
    metapackage: 'linux-image-amd64',
    disk: ['ahci', 'ext4', 'crc32c_generic'],
    other: ['e1000', 'e1000e', '8139cp'],
  },
] as const;

/**
 * ethersel looks for a card on the PCI bus: an e1000, which is all that QEMU's old PC has, or a virtio card in either form.
 * Where it finds none of them it comes back to the prompt, and a second of silence is taken for an answer.
 */
const bootConfiguration = `PROMPT 0
TIMEOUT 10
ONTIMEOUT micro
DEFAULT ethersel.c32
# DEV DID 8086:100e generic
# DEV DID 1af4:1000 micro
# DEV DID 1af4:1041 micro
${kernels
  .map(
    ({ name }) => `LABEL ${name}
  LINUX ${name}.krn
  INITRD ${name}.img
  APPEND console=tty0 console=ttyS0,115200
`,
  )
  .join('')}`;

/** Where Debian's package syslinux-common keeps the boot code for the first sector, and syslinux's programs. */
const bootCodeFile = '/usr/lib/syslinux/mbr/mbr.bin';
const programDirectory = '/usr/lib/syslinux/modules/bios';
const programs = ['ethersel.c32', 'libcom32.c32', 'libgpl.c32', 'libutil.c32'];
const toolTimeoutMs = 60_000;

/** Packs the initramfs: busybox, the drivers for disks, and the script that finds the root partition. */
async function makeInitramfs(directory: string, outFile: string, system: Unpacked): Promise<void> {
  await putCopy(directory, 'bin/busybox', system.busybox, 0o755);
  await putCopy(directory, 'init', join(assetsDirectory, 'micro/initramfs-init'), 0o755);
  await packInitramfs(directory, outFile, system);
}

/**
 * Fills a disk image with the micro system.
 *
 * @throws {ImageBuildError} when a package cannot be fetched or a tool fails.
 */
async function makeMicro({ disk, step }: RecipeContext): Promise<void> {
  const { scratchDir, signal } = disk;
  step(steps[0]);
  const apt = await openApt(join(scratchDir, 'apt'), await packageSources(), signal);
  step(steps[1]);
  const system = await unpackSystem(apt, join(scratchDir, 'packages'), signal);
  const trees = [];
  for (const { name, metapackage } of kernels)
    trees.push(await unpackKernel(apt, metapackage, join(scratchDir, `kernel-${name}`), system));

  step(steps[2]);
  const root = join(scratchDir, 'root');
  const boot = join(scratchDir, 'boot');
  await layOutRoot(root, system);
  for (const [index, kernel] of trees.entries()) {
    const { name, disk: ownDisk, other } = kernels[index] ?? kernels[0];
    const modules = await moduleFiles(kernel);
    await putModules(kernel, modules, [...diskModules, ...ownDisk, ...otherModules, ...other], root);
    const initramfs = join(scratchDir, `initramfs-${name}`);
    await putModules(kernel, modules, [...diskModules, ...ownDisk], initramfs);
    await putCopy(boot, `${name}.krn`, join(kernel.directory, `boot/vmlinuz-${await kernelVersion(kernel)}`));
    await makeInitramfs(initramfs, join(boot, `${name}.img`), system);
    await putCopyrights(root, kernel.directory);
  }
  for (const program of programs) await putCopy(boot, program, join(programDirectory, program));
  await putFile(boot, 'syslinux.cfg', bootConfiguration);

  step(steps[3]);
  const bootPartition: Partition = {
    type: partitionTypes.fat16,
    startSector: firstPartitionSector,
    sectorCount: bootPartitionBytes / sectorBytes,
    bootable: true,
  };
  const rootStart = bootPartition.startSector + bootPartition.sectorCount;
  const rootPartition: Partition = {
    type: partitionTypes.linux,
    startSector: rootStart,
    sectorCount: diskBytes / sectorBytes - rootStart,
    bootable: false,
  };
  await createDisk(disk, diskBytes);
  const bootCode = await readFile(bootCodeFile).catch(() => {
    throw new ImageBuildError(`${bootCodeFile} is not on this machine (Debian's package syslinux-common has it).`);
  });
  await writeSectors(disk, 0, masterBootRecord(bootCode.subarray(0, 440), [bootPartition, rootPartition]));
  const bootFiles = (await readdir(boot)).map((name) => join(boot, name));
  await makeFat16(disk, bootPartition, 'MICROBOOT', bootFiles);
  await runCommand({
    program: 'syslinux',
    args: ['--install', '--offset', String(bootPartition.startSector * sectorBytes), disk.file],
    timeoutMs: toolTimeoutMs,
    signal,
  });
  await makeExt4(disk, rootPartition, { directory: root, label: rootLabel, uuid: rootUuid, journalMib });
}

/** The recipe of the micro image. */
export const micro: Recipe = { steps, make: makeMicro };
