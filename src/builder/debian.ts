// The debian-12 image: a full Debian 12 with systemd, cloud-init and OpenSSH, put together by mmdebstrap. It starts through
// GRUB on its one ext4 partition, so that kernel upgrades inside the guest work as on any Debian; GRUB's two pieces are
// written where grub-install would put them, which needs no device. Configuration files are in assets/debian-12.
//
// Measured (TCG, 2 busy cores, `-machine q35 -smp 2 -m 1024`): power-on to the SSH banner 52 to 61 s, of which GRUB takes
// 5 s. With an HPET it spends about a minute in GRUB after a reboot from inside; Berth's VMs have none.

import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { networkSettings, writeSources } from './apt.ts';
import { ImageBuildError, runCommand } from './command.ts';
import type { Partition } from './disk.ts';
import {
  createDisk,
  firstPartitionSector,
  makeExt4,
  masterBootRecord,
  partitionTypes,
  sectorBytes,
  writeSectors,
} from './disk.ts';
import type { Recipe, RecipeContext } from './recipe.ts';
import { packageSources, publicSources } from './sources.ts';
import { assetsDirectory, putDirectory, putFile, putTree } from './tree.ts';

/** mmdebstrap says on its standard error which part of its work begins; these are the parts that take long. */
const steps = [
  'Reading the package lists',
  'Downloading the packages',
  'Unpacking the base system',
  'Installing the base system',
  'Installing the packages',
  'Configuring the system',
  'Making the file system',
] as const;
const stepOfMessage: readonly (readonly [pattern: RegExp, step: (typeof steps)[number]])[] = [
  [/^I: downloading packages/, steps[1]],
  [/^I: extracting archives/, steps[2]],
  [/^I: installing essential packages/, steps[3]],
  [/^I: installing remaining packages/, steps[4]],
  [/^I: running --customize-hook/, steps[5]],
];

const gib = 1024 ** 3;
/** The length of the disk before it grows: as Debian's own cloud image has it. */
const diskBytes = 3 * gib;
const journalMib = 64;
const rootUuid = 'b4f3c3c6-5d0e-4b6f-9d0a-64656269616e';
/** About 65 s where packages come fast; hours would mean that something hangs. */
const bootstrapTimeoutMs = 45 * 60_000;

const packages = [
  ...['linux-image-cloud-amd64', 'initramfs-tools', 'zstd', 'grub2-common', 'grub-pc-bin'],
  ...['systemd-sysv', 'systemd-resolved', 'systemd-timesyncd', 'libpam-systemd', 'dbus', 'udev', 'kmod'],
  ...['cloud-init', 'cloud-guest-utils', 'fdisk', 'e2fsprogs', 'openssh-server', 'sudo'],
  ...['iproute2', 'iputils-ping', 'netbase', 'ca-certificates', 'curl', 'procps', 'less', 'nano', 'vim-tiny', 'tzdata'],
];

const kernelArguments = 'ro console=tty0 console=ttyS0,115200';

/** The first configuration; `update-grub` writes a fuller one in its place when the guest installs a kernel. */
function grubConfiguration(version: string): string {
  return `search --no-floppy --fs-uuid --set=root ${rootUuid}
linux /boot/vmlinuz-${version} root=UUID=${rootUuid} ${kernelArguments}
initrd /boot/initrd.img-${version}
boot
`;
}

/** Runs mmdebstrap in process and mount namespaces of its own: when it is stopped, nothing of it stays mounted or running. */
async function bootstrap(root: string, { disk, step }: RecipeContext): Promise<void> {
  const { scratchDir, signal } = disk;
  const assets = join(assetsDirectory, 'debian-12');
  const hook = (name: string): string => `sh '${join(assets, name).replaceAll("'", `'\\''`)}' "$1"`;
  const sourceFiles = await writeSources(join(scratchDir, 'sources'), await packageSources());
  const settings = await networkSettings(signal);
  await runCommand({
    program: 'unshare',
    args: [
      ...['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--', 'mmdebstrap'],
      ...['--mode=root', '--variant=minbase', '--architectures=amd64', '--format=directory'],
      ...[`--include=${packages.join(',')}`, ...settings.map((setting) => `--aptopt=${setting}`)],
      ...[`--setup-hook=${hook('setup')}`, `--customize-hook=${hook('customize')}`],
      ...['bookworm', root, ...sourceFiles],
    ],
    timeoutMs: bootstrapTimeoutMs,
    // What it leaves there when it is stopped goes with the scratch directory.
    env: { TMPDIR: scratchDir },
    signal,
    onErrorLine: (line) => {
      const begun = stepOfMessage.find(([pattern]) => pattern.test(line));
      if (begun) step(begun[1]);
    },
  });
}

/** What mmdebstrap leaves as the building machine's, or leaves out. */
async function finishRoot(root: string): Promise<void> {
  const versions = await readdir(join(root, 'lib/modules'));
  const [version] = versions;
  if (version === undefined || versions.length > 1) {
    throw new ImageBuildError(`Expected one kernel in the system, found ${versions.length}.`);
  }
  await putTree(root, join(assetsDirectory, 'debian-12/root'), []);
  await putFile(root, 'boot/grub/grub.cfg', grubConfiguration(version));
  await putFile(root, 'etc/fstab', `UUID=${rootUuid} / ext4 defaults,errors=remount-ro 0 1\n`);
  await putFile(root, 'etc/hostname', 'debian\n');
  await putFile(root, 'etc/hosts', '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n');
  // Empty, not missing: systemd then makes one at the first start.
  await putFile(root, 'etc/machine-id', '', 0o444);
  await rm(join(root, 'etc/resolv.conf'), { force: true });
  await symlink('../run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
  // A guest runs elsewhere than it was built: it gets Debian's public archive, and no mirror or proxy of this machine.
  await rm(join(root, 'etc/apt/apt.conf.d/99mmdebstrap'), { force: true });
  await rm(join(root, 'etc/apt/sources.list.d'), { recursive: true, force: true });
  await putDirectory(root, 'etc/apt/sources.list.d');
  await putFile(root, 'etc/apt/sources.list', publicSources.oneLine);
}

/**
 * Fills a disk image with Debian 12.
 *
 * @throws {ImageBuildError} when mmdebstrap or another tool fails.
 */
async function makeDebian(context: RecipeContext): Promise<void> {
  const { disk, step } = context;
  step(steps[0]);
  const root = join(disk.scratchDir, 'root');
  await bootstrap(root, context);
  await finishRoot(root);

  step(steps[6]);
  const partition: Partition = {
    type: partitionTypes.linux,
    startSector: firstPartitionSector,
    sectorCount: diskBytes / sectorBytes - firstPartitionSector,
    bootable: true,
  };
  const bootCode = await readFile(join(root, 'usr/lib/grub/i386-pc/boot.img'));
  const core = await readFile(join(root, 'boot/grub/i386-pc/core.img'));
  if (core.length > (firstPartitionSector - 1) * sectorBytes) {
    throw new ImageBuildError(`GRUB's core has ${core.length} bytes, more than fit before the first partition.`);
  }
  await createDisk(disk, diskBytes);
  await writeSectors(disk, 0, masterBootRecord(bootCode.subarray(0, 440), [partition]));
  // boot.img reads the core from the second sector on, and the core knows its own length: both are GRUB's defaults.
  await writeSectors(disk, 1, core);
  await makeExt4(disk, partition, { directory: root, label: 'debian-root', uuid: rootUuid, journalMib });
}

/** The recipe of the debian-12 image. */
export const debian: Recipe = { steps, make: makeDebian };
