// Fetches Debian packages with the machine's own apt but with lists and caches in the build's scratch directory, so that
// a build neither depends on nor changes what the machine has installed. Package sources come from sources.ts.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageBuildError, runCommand } from './command.ts';
import type { PackageSources } from './sources.ts';

/** Reading the package lists or fetching some 40 MB: minutes on a slow line, and no more. */
const networkTimeoutMs = 15 * 60_000;
const localTimeoutMs = 60_000;

/** A private apt: `-c` reads the file last, so it also takes back hooks that the machine's own settings define. */
export interface Apt {
  configFile: string;
  /** apt leaves its temporary files behind when it is stopped; here they go with the scratch directory. */
  env: { TMPDIR: string };
  signal: AbortSignal | undefined;
}

/** Files with the sources, named as apt and mmdebstrap expect them; only those that have something in them. */
export async function writeSources(directory: string, sources: PackageSources): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const files: string[] = [];
  for (const [name, text] of [
    ['debian.list', sources.oneLine],
    ['debian.sources', sources.deb822],
  ] as const) {
    if (text === '') continue;
    await writeFile(join(directory, name), text);
    files.push(join(directory, name));
  }
  return files;
}

/**
 * Sets up a private apt under `directory` and reads the package lists.
 *
 * @throws {ImageBuildError} when the lists cannot be read.
 */
export async function openApt(directory: string, sources: PackageSources, signal?: AbortSignal): Promise<Apt> {
  await mkdir(join(directory, 'state/lists/partial'), { recursive: true });
  await mkdir(join(directory, 'cache/archives/partial'), { recursive: true });
  await writeSources(join(directory, 'sources.list.d'), sources);
  await writeFile(join(directory, 'status'), '');
  const configFile = join(directory, 'apt.conf');
  const settings = [
    `Dir::State "${directory}/state";`,
    `Dir::State::status "${directory}/status";`,
    `Dir::Cache "${directory}/cache";`,
    'Dir::Etc::SourceList "/dev/null";',
    `Dir::Etc::SourceParts "${directory}/sources.list.d";`,
    'Dir::Etc::Preferences "/dev/null";',
    'Dir::Etc::PreferencesParts "/dev/null";',
    'APT::Architecture "amd64";',
    '#clear APT::Architectures;',
    'APT::Architectures { "amd64"; };',
    // The scratch directory is root's alone, which apt's own unprivileged user could not enter.
    'APT::Sandbox::User "root";',
    'APT::Update::Error-Mode "any";',
    'Acquire::Languages "none";',
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
  ];
  await writeFile(configFile, `${settings.join('\n')}\n`);
  const apt: Apt = { configFile, env: { TMPDIR: directory }, signal };
  await runCommand({
    program: 'apt-get',
    args: ['-c', configFile, '-q', 'update'],
    timeoutMs: networkTimeoutMs,
    env: apt.env,
    signal,
  });
  return apt;
}

/**
 * The kernel package that a kernel metapackage stands for now, such as `linux-image-6.1.0-30-cloud-amd64`.
 *
 * @throws {ImageBuildError} when the metapackage names none.
 */
export async function kernelPackage(apt: Apt, metapackage: string): Promise<string> {
  const description = await runCommand({
    program: 'apt-cache',
    args: ['-c', apt.configFile, 'show', '--no-all-versions', metapackage],
    timeoutMs: localTimeoutMs,
    signal: apt.signal,
  });
  const name = /^Depends:.*?\b(linux-image-[0-9][\w.+-]*)/m.exec(description)?.[1];
  if (name === undefined) throw new ImageBuildError(`The package ${metapackage} names no kernel it depends on.`);
  return name;
}

/**
 * Downloads packages and unpacks all of them into one directory, without running any of their scripts.
 *
 * @throws {ImageBuildError} when one is unknown or cannot be fetched.
 */
export async function unpackPackages(apt: Apt, packages: readonly string[], directory: string): Promise<void> {
  const archives = `${directory}.deb`;
  await mkdir(archives, { recursive: true });
  await mkdir(directory, { recursive: true });
  await runCommand({
    program: 'apt-get',
    args: ['-c', apt.configFile, '-q', 'download', ...packages],
    cwd: archives,
    timeoutMs: networkTimeoutMs,
    env: apt.env,
    signal: apt.signal,
  });
  for (const archive of await readdir(archives)) {
    await runCommand({
      program: 'dpkg-deb',
      args: ['-x', join(archives, archive), directory],
      timeoutMs: localTimeoutMs,
      signal: apt.signal,
    });
  }
}

/** The machine's own way to the network (proxies, clocks that run behind), as settings to hand to another apt. */
export async function networkSettings(signal?: AbortSignal): Promise<string[]> {
  const settings = await runCommand({ program: 'apt-config', args: ['dump'], timeoutMs: localTimeoutMs, signal });
  return settings
    .split('\n')
    .filter((line) => /^Acquire::(https?|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b.*"[^"]+";$/.test(line));
}
