// The small system that the micro image and the rescue system share: busybox, dropbear, a few more programs with their
// libraries, and the scripts in assets/micro. Which kernel starts it, and from what, is their own matter.

import { readdir, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Apt } from './apt.ts';
import { kernelPackage, unpackPackages } from './apt.ts';
import { ImageBuildError, runCommand } from './command.ts';
import type { KernelTree } from './modules.ts';
import { assetsDirectory, putCopy, putDirectory, putFile, putTree } from './tree.ts';

/** The packages unpacked, and the busybox in them, which also serves while building. */
export interface Unpacked {
  unpacked: string;
  busybox: string;
  signal: AbortSignal | undefined;
}

const toolTimeoutMs = 60_000;

const dynamicPrograms = ['usr/sbin/dropbear', 'usr/bin/dropbearkey', 'sbin/e2fsck', 'sbin/resize2fs'];
const scriptDirectories = ['usr/lib/berth', 'etc/acpi/PWRF'];

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

/** Fills the directory that becomes the root file system; the scripts are micro's. */
export async function layOutRoot(root: string, { unpacked, busybox, signal }: Unpacked): Promise<void> {
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

  await putCopy(root, 'usr/bin/busybox', busybox, 0o755);
  const applets = await runCommand({
    program: busybox,
    args: ['--list-full'],
    timeoutMs: toolTimeoutMs,
    signal,
  });
  for (const applet of applets.split('\n').filter((path) => path !== '' && basename(path) !== 'busybox')) {
    const directory = dirname(applet).endsWith('sbin') ? 'usr/sbin' : 'usr/bin';
    await symlink('/usr/bin/busybox', join(root, directory, basename(applet)));
  }
  await putPrograms(root, unpacked, signal);
  for (const [path, content, mode] of textFiles) await putFile(root, path, content, mode);
  await putTree(root, join(assetsDirectory, 'micro/root'), scriptDirectories);
  await putCopyrights(root, unpacked);
}

/** Copies what unpacked packages say of their authors and licences. */
export async function putCopyrights(root: string, unpacked: string): Promise<void> {
  for (const name of await readdir(join(unpacked, 'usr/share/doc'))) {
    const copyright = join('usr/share/doc', name, 'copyright');
    await putCopy(root, copyright, join(unpacked, copyright));
  }
}

/** Downloads the packages. */
export async function unpackSystem(apt: Apt, directory: string, signal: AbortSignal | undefined): Promise<Unpacked> {
  await unpackPackages(apt, packages, directory);
  return { unpacked: directory, busybox: join(directory, 'bin/busybox'), signal };
}

/** Downloads a kernel. @param metapackage what Debian calls its newest one */
export async function unpackKernel(
  apt: Apt,
  metapackage: string,
  directory: string,
  { busybox, signal }: Unpacked,
): Promise<KernelTree> {
  await unpackPackages(apt, [await kernelPackage(apt, metapackage)], directory);
  return { directory, busybox, signal };
}

/** Packs a directory as an initramfs. It is not compressed: unpacking takes an emulated CPU longer than reading. */
export async function packInitramfs(
  directory: string,
  outFile: string,
  { busybox, signal }: Pick<Unpacked, 'busybox' | 'signal'>,
): Promise<void> {
  const command = 'cd "$1" && find . | LC_ALL=C sort | "$2" cpio -o -H newc >"$3"';
  const args = ['-c', command, 'sh', directory, busybox, outFile];
  await runCommand({ program: 'sh', args, timeoutMs: toolTimeoutMs, signal });
}
