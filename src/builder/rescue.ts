// The rescue system: the small system on a CD that runs from memory alone, so that a machine whose own system does not start
// any more can be looked at and mended. It brings the generic kernel's drivers for every machine that Berth makes, and
// changes nothing on the disks by itself.

import { join } from 'node:path';
import { openApt, unpackPackages } from './apt.ts';
import { runCommand } from './command.ts';
import { kernelVersion, moduleFiles, putModules } from './modules.ts';
import type { Recipe, RecipeContext } from './recipe.ts';
import { layOutRoot, packInitramfs, putCopyrights, unpackKernel, unpackSystem } from './small-system.ts';
import { packageSources } from './sources.ts';
import { assetsDirectory, putCopy, putFile, putTree } from './tree.ts';

const steps = [
  'Reading the package lists',
  'Downloading the packages',
  'Laying out the files',
  'Making the volume',
] as const;

const modules = [
  ...['virtio_pci', 'virtio_blk', 'virtio_scsi', 'sd_mod', 'sr_mod', 'ata_piix', 'ata_generic', 'ahci'],
  ...['virtio_net', 'e1000', 'e1000e', '8139cp', 'vmxnet3', 'virtio-rng', 'virtio_balloon', 'button', 'evdev'],
  ...['crc32c_generic', 'ext4', 'xfs', 'btrfs', 'vfat', 'nls_cp437', 'nls_ascii', 'isofs', 'dm-mod', 'raid1', 'raid0'],
];

const bootConfiguration = `DEFAULT rescue
PROMPT 0
TIMEOUT 0
LABEL rescue
  LINUX /boot/vmlinuz
  INITRD /boot/initrd.img
  APPEND console=tty0 console=ttyS0,115200
`;

const scriptDirectories = ['usr/lib/berth'];
const volumeTimeoutMs = 60_000;

/**
 * Writes the rescue system's ISO 9660 volume where the disk image of others goes.
 *
 * @throws {ImageBuildError} when a package cannot be fetched or a tool fails.
 */
async function makeRescue({ disk, step }: RecipeContext): Promise<void> {
  const { scratchDir, signal } = disk;
  step(steps[0]);
  const apt = await openApt(join(scratchDir, 'apt'), await packageSources(), signal);
  step(steps[1]);
  const system = await unpackSystem(apt, join(scratchDir, 'packages'), signal);
  const kernel = await unpackKernel(apt, 'linux-image-amd64', join(scratchDir, 'kernel'), system);
  const loader = join(scratchDir, 'loader');
  await unpackPackages(apt, ['isolinux', 'syslinux-common'], loader);

  step(steps[2]);
  const root = join(scratchDir, 'root');
  await layOutRoot(root, system);
  await putModules(kernel, await moduleFiles(kernel), modules, root);
  for (const directory of [kernel.directory, loader]) await putCopyrights(root, directory);
  const assets = join(assetsDirectory, 'rescue');
  await putTree(root, join(assets, 'root'), scriptDirectories);
  await putCopy(root, 'init', join(assets, 'init'), 0o755);
  const volume = join(scratchDir, 'volume');
  await putCopy(volume, 'boot/vmlinuz', join(kernel.directory, `boot/vmlinuz-${await kernelVersion(kernel)}`));
  await packInitramfs(root, join(volume, 'boot/initrd.img'), system);
  await putCopy(volume, 'isolinux/isolinux.bin', join(loader, 'usr/lib/ISOLINUX/isolinux.bin'));
  await putCopy(volume, 'isolinux/ldlinux.c32', join(loader, 'usr/lib/syslinux/modules/bios/ldlinux.c32'));
  await putFile(volume, 'isolinux/isolinux.cfg', bootConfiguration);

  step(steps[3]);
  const boot = ['-b', 'isolinux/isolinux.bin', '-c', 'isolinux/boot.cat'];
  const emulation = ['-no-emul-boot', '-boot-load-size', '4', '-boot-info-table'];
  await runCommand({
    program: 'xorriso',
    args: ['-as', 'mkisofs', '-quiet', '-o', disk.file, '-V', 'RESCUE', '-r', ...boot, ...emulation, volume],
    timeoutMs: volumeTimeoutMs,
    signal,
  });
}

/** The recipe of the rescue system. */
export const rescue: Recipe = { steps, make: makeRescue, isVolume: true };
