// Picks out of Debian's kernel package the few drivers that a small image needs, with what each of them depends on, and
// the tables by which modprobe finds them for the hardware that is there.

import { readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ImageBuildError, runCommand } from './command.ts';
import { putCopy, putDirectory } from './tree.ts';

/** A kernel package unpacked, and the busybox that makes module tables (a machine need not have kmod). */
export interface KernelTree {
  directory: string;
  busybox: string;
  signal: AbortSignal | undefined;
}

const depmodTimeoutMs = 120_000;

/** The version in the names of the kernel's files, such as `6.1.0-30-cloud-amd64`. */
export async function kernelVersion(kernel: KernelTree): Promise<string> {
  const [version, ...others] = await readdir(join(kernel.directory, 'lib/modules'));
  if (version === undefined || others.length > 0) {
    throw new ImageBuildError(
      `The kernel package holds ${others.length + (version ? 1 : 0)} kernels where one was expected.`,
    );
  }
  return version;
}

/** Writes the module tables (modules.dep, modules.alias) below `directory`. */
async function makeTables(kernel: KernelTree, directory: string, version: string): Promise<void> {
  await runCommand({
    program: kernel.busybox,
    args: ['depmod', '-b', directory, version],
    timeoutMs: depmodTimeoutMs,
    signal: kernel.signal,
  });
}

/** Module names are the same with dashes and underscores. */
const moduleName = (path: string): string => basename(path, '.ko').replaceAll('-', '_');

/**
 * Reads the kernel's modules.dep, making it first: for each module's name its file and all the files it needs.
 * Made once per kernel, as reading some thousand modules takes a second.
 */
export async function moduleFiles(kernel: KernelTree): Promise<Map<string, string[]>> {
  const version = await kernelVersion(kernel);
  await makeTables(kernel, kernel.directory, version);
  const tables = join(kernel.directory, 'lib/modules', version);
  const files = new Map<string, string[]>();
  for (const line of (await readFile(join(tables, 'modules.dep'), 'utf8')).split('\n')) {
    const [file, needed] = line.split(':');
    if (file === undefined || needed === undefined) continue;
    files.set(moduleName(file), [file, ...needed.split(' ').filter((path) => path !== '')]);
  }
  return files;
}

/**
 * Copies the named modules and those they depend on into a root directory, with tables for just these.
 *
 * @throws {ImageBuildError} when the kernel has no module of a name.
 */
export async function putModules(
  kernel: KernelTree,
  files: ReadonlyMap<string, readonly string[]>,
  names: readonly string[],
  root: string,
): Promise<void> {
  const version = await kernelVersion(kernel);
  const directory = join('lib/modules', version);
  const wanted = new Set<string>();
  for (const name of names) {
    const needed = files.get(moduleName(name));
    if (!needed) throw new ImageBuildError(`The kernel ${version} has no module ${name}.`);
    for (const file of needed) wanted.add(file);
  }
  await putDirectory(root, directory);
  for (const file of wanted) {
    await putCopy(root, join(directory, file), join(kernel.directory, directory, file));
  }
  await makeTables(kernel, root, version);
  await rm(join(root, directory, 'modules.symbols'), { force: true });
}
