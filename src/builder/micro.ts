// The micro image: Debian's cloud kernel, busybox, dropbear and the scripts in assets/micro, which take a NoCloud seed.
// It exists so that a VM can be deployed and logged into in seconds even without hardware virtualization. The kernel and
// its initramfs lie on a small FAT partition, because syslinux installs itself there without mounting anything; the
// root partition comes last, so that it can grow.
//
// Measured (TCG, 2 cores, `-machine q35 -smp 2 -m 512`, to the SSH banner): syslinux on FAT 5.4 s, GRUB on ext4 8.5 s.
// The kernel is LZ4-compressed by Debian; the initramfs is not compressed, as unpacking it takes 60 ms.

import { readdir, readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { kernelPackage, openApt, unpackPackages } from './apt.ts';
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
import type { KernelTree } from './modules.ts';
import { kernelVersion, moduleFiles, putModules } from './modules.ts';
import type { Recipe, RecipeContext } from './recipe.ts';
import { packageSources } from './sources.ts';
import { assetsDirectory, putCopy, putDirectory, putFile, putTree } from './tree.ts';

const steps = [
  'Reading the package lists',
  'Downloading the packages',
  'Laying out the files',
  'Making the file systems',
] as const;

const mib = 1024 * 1024;
const diskBytes = 512 * mib;
/** Kernel and initramfs together have 18 MB, and kernels grow. */
const bootPartitionBytes = 32 * mib;
/** Larger than mke2fs would choose for a small disk, because the file system is meant to grow. */
const journalMib = 16;
const rootLabel = 'micro-root';
const rootUuid = 'b4f3c3c6-5d0e-4b6f-9d0a-6d6963726f31';

const packages = [
  'busybox-static',
  'dropbear-bin',
  'e2fsprogs',
  'libblkid1',
  'libc6',
  'libcom-err2',
  'libcrypt1',
  'libext2fs2',
  'libgmp10',
  'libtomcrypt1',
  'libtommath1',
  'libuuid1',
  'zlib1g',
];
const kernelMetapackage = 'linux-image-cloud-amd64';

/** What the disk and the bus it is on may need, in the initramfs. The cloud kernel has no AHCI driver. */
const diskModules = ['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'ata_piix', 'ata_generic'];
/** The rest: network, seed volume, power button. The cloud kernel has no e1000; vmxnet3 is its one NIC beside virtio. */
const otherModules = ['virtio_net', 'vmxnet3', 'sr_mod', 'isofs', 'button', 'evdev', 'virtio-rng', 'virtio_balloon'];

const dynamicPrograms = ['usr/sbin/dropbear', 'usr/bin/dropbearkey', 'sbin/resize2fs'];
const scriptDirectories = ['usr/lib/berth', 'etc/acpi/PWRF'];

const bootConfiguration = `DEFAULT micro
PROMPT 0
TIMEOUT 0
LABEL micro
  LINUX vmlinuz
  INITRD initrd.img
  APPEND console=tty0 console=ttyS0,115200
`;

/** Where Debian's package syslinux-common keeps the boot code for the first sector. */
const bootCodeFile = '/usr/lib/syslinux/mbr/mbr.bin';
const toolTimeoutMs = 60_000;

const textFiles: readonly (readonly [path: string, content: string, mode?: number])[] = [
  ['etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nberth:x:1000:1000:Berth:/home/berth:/bin/sh\n'],
  ['etc/group', 'root:x:0:\ntty:x:5:\nberth:x:1000:\n'],
  ['etc/shadow', 'root:*:19000:0:99999:7:::\nberth:*:19000:0:99999:7:::\n', 0o600],
  ['etc/shells', '/bin/sh\n/bin/ash\n'],
  ['etc/hostname', 'micro\n'],
  ['etc/hosts', '127.0.0.1\tlocalhost\n'],
  ['etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'],
  ['etc/profile', 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin\n'],
  [
    'etc/os-release',
    'PRETTY_NAME="Berth micro (Debian 12)"\nNAME="Berth micro"\nID=berth-micro\nID_LIKE=debian\nVERSION_ID=12\n',
  ],
];

/** Copies the programs that are not busybox, and the shared libraries that Debian's own loader finds for them. */
async function putPrograms(root: string, unpacked: string, signal: AbortSignal | undefined): Promise<void> {
  const loader = join(unpacked, 'lib64/ld-linux-x86-64.so.2');
  const libraryPath = ['lib', 'usr/lib'].map((path) => join(unpacked, path, 'x86_64-linux-gnu')).join(':');
  await putCopy(root, 'usr/lib64/ld-linux-x86-64.so.2', loader, 0o755);
  for (const program of dynamicPrograms) {
    const source = join(unpacked, program);
    const args = ['--library-path', libraryPath, '--list', source];
    const listing = await runCommand({ program: loader, args, timeoutMs: toolTimeoutMs, signal });
    if (listing.includes('not found'))
      throw new ImageBuildError(`${program} needs a library that was not fetched:\n${listing}`);
    for (const [, name, path] of listing.matchAll(/^\s*(\S+) => (\/\S+)/gm)) {
      if (name !== undefined && path !== undefined) await putCopy(root, `usr/lib/x86_64-linux-gnu/${name}`, path);
    }
    await putCopy(root, program.startsWith('usr/') ? program : `usr/${program}`, source, 0o755);
  }
}

/** Fills the directory that becomes the root file system. */
async function layOutRoot(root: string, unpacked: string, kernel: KernelTree): Promise<void> {
  for (const path of [
    'usr/bin',
    'usr/sbin',
    'usr/lib',
    'usr/lib64',
    'dev',
    'proc',
    'sys',
    'run',
    'mnt',
    'etc/dropbear',
  ]) {
    await putDirectory(root, path);
  }
  for (const path of ['var/log', 'var/lib/berth']) await putDirectory(root, path);
  await putDirectory(root, 'tmp', 0o1777);
  await putDirectory(root, 'root', 0o700);
  await putDirectory(root, 'home/berth', 0o755, 1000);
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(root, name));

  await putCopy(root, 'usr/bin/busybox', kernel.busybox, 0o755);
  const applets = await runCommand({
    program: kernel.busybox,
    args: ['--list-full'],
    timeoutMs: toolTimeoutMs,
    signal: kernel.signal,
  });
  for (const applet of applets.split('\n').filter((path) => path !== '' && basename(path) !== 'busybox')) {
    const directory = dirname(applet).endsWith('sbin') ? 'usr/sbin' : 'usr/bin';
    await symlink('/usr/bin/busybox', join(root, directory, basename(applet)));
  }
  await putPrograms(root, unpacked, kernel.signal);
  for (const [path, content, mode] of textFiles) await putFile(root, path, content, mode);
  await putTree(root, join(assetsDirectory, 'micro/root'), scriptDirectories);
  for (const name of await readdir(join(unpacked, 'usr/share/doc'))) {
    const copyright = join('usr/share/doc', name, 'copyright');
    await putCopy(root, copyright, join(unpacked, copyright));
  }
}

/** Packs the initramfs: busybox, the drivers for disks, and the script that finds the root partition. */
async function packInitramfs(directory: string, outFile: string, kernel: KernelTree): Promise<void> {
  await putDirectory(directory, 'bin');
  await putCopy(directory, 'bin/busybox', kernel.busybox, 0o755);
  await putCopy(directory, 'init', join(assetsDirectory, 'micro/initramfs-init'), 0o755);
  await runCommand({
    program: 'sh',
    args: [
      '-c',
      'cd "$1" && find . | LC_ALL=C sort | "$2" cpio -o -H newc >"$3"',
      'sh',
      directory,
      kernel.busybox,
      outFile,
    ],
    timeoutMs: toolTimeoutMs,
    signal: kernel.signal,
  });
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
  const unpacked = join(scratchDir, 'packages');
  await unpackPackages(apt, [await kernelPackage(apt, kernelMetapackage), ...packages], unpacked);

  step(steps[2]);
  const kernel: KernelTree = { directory: unpacked, busybox: join(unpacked, 'bin/busybox'), signal };
  const modules = await moduleFiles(kernel);
  const root = join(scratchDir, 'root');
  await layOutRoot(root, unpacked, kernel);
  await putModules(kernel, modules, [...diskModules, ...otherModules], root);
  const initramfs = join(scratchDir, 'initramfs');
  await putModules(kernel, modules, diskModules, initramfs);
  const boot = join(scratchDir, 'boot');
  await putCopy(boot, 'vmlinuz', join(unpacked, `boot/vmlinuz-${await kernelVersion(kernel)}`));
  await packInitramfs(initramfs, join(boot, 'initrd.img'), kernel);
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
  const bootFiles = ['vmlinuz', 'initrd.img', 'syslinux.cfg'].map((name) => join(boot, name));
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
