// The NoCloud seed volume: what a guest's first boot is told of itself (host name, SSH keys, …), as a small ISO 9660 volume
// labelled "cidata" that cloud-init and Berth's own micro image look for.

import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requireTool } from './tool.ts';

/** What a guest is told. What is left out is not mentioned to it. */
export interface Seed {
  instanceId: string;
  hostname: string;
  sshKeys: readonly string[];
  /** Sets passwords, in cloud-init's form. */
  chpasswd?: { expire: boolean; users: { name: string; password: string; type: 'text' | 'hash' }[] };
  /** Lets users in over SSH by password. */
  passwordLogins?: boolean;
  writeFiles?: { path: string; content: string; permissions?: string; encoding?: string }[];
  /** Commands of the first boot, each an argument list or a line for the shell. */
  runcmd?: (string | string[])[];
  /** Commands of every boot, each an argument list. */
  bootcmd?: readonly string[][];
}

/**
 * The volume's files by name, as text. There is no network-config: without one cloud-init asks for an address by DHCP on the
 * one network card, by its real name. With one that matches `e*`, images without netplan get a file for a card that is
 * named like the entry, and never an address (seen with Debian 12, cloud-init 22.4).
 */
export function seedFiles(seed: Seed): Record<'meta-data' | 'user-data', string> {
  const [label = seed.hostname] = seed.hostname.split('.');
  const userData = {
    hostname: label,
    ...(label === seed.hostname ? {} : { fqdn: seed.hostname }),
    preserve_hostname: false,
    ssh_authorized_keys: seed.sshKeys,
    disable_root: false,
    growpart: { mode: 'auto', devices: ['/'], ignore_growroot_disabled: false },
    resize_rootfs: true,
    ...(seed.chpasswd === undefined ? {} : { chpasswd: seed.chpasswd }),
    ...(seed.passwordLogins === undefined ? {} : { ssh_pwauth: seed.passwordLogins }),
    ...(seed.writeFiles === undefined || seed.writeFiles.length === 0 ? {} : { write_files: seed.writeFiles }),
    ...(seed.runcmd === undefined ? {} : { runcmd: seed.runcmd }),
    ...(seed.bootcmd === undefined || seed.bootcmd.length === 0 ? {} : { bootcmd: seed.bootcmd }),
  };
  // JSON is YAML too, and nothing in a value can break out of it. One list element a line, for readers without a parser.
  return {
    'meta-data': `${JSON.stringify({ 'instance-id': seed.instanceId, 'local-hostname': label }, null, 2)}\n`,
    'user-data': `#cloud-config\n${JSON.stringify(userData, null, 2)}\n`,
  };
}

/** Programs that make the volume, the quicker one first: 7 ms against 105 ms, measured on two cores. */
const volumePrograms: readonly (readonly [string, ...string[]])[] = [
  ['genisoimage'],
  ['xorriso', '-as', 'genisoimage'],
];

/**
 * Writes the seed volume.
 * @param path where the volume goes; it appears there only when it is complete
 * @param programs tried in turn until one is there
 * @throws Error when none of the programs is there, or with what it said
 */
export async function makeSeed(path: string, seed: Seed, programs = volumePrograms): Promise<void> {
  const source = `${path}.files`;
  const incomplete = `${path}.new`;
  await rm(source, { recursive: true, force: true });
  await mkdir(source, { mode: 0o700 });
  try {
    const paths: string[] = [];
    for (const [name, text] of Object.entries(seedFiles(seed))) {
      paths.push(join(source, name));
      await writeFile(join(source, name), text, { mode: 0o600 });
    }
    const args = ['-quiet', '-output', incomplete, '-volid', 'cidata', '-joliet', '-rational-rock', ...paths];
    await runFirst(programs, args);
    await rename(incomplete, path);
  } finally {
    await rm(source, { recursive: true, force: true });
    await rm(incomplete, { force: true }); // of a volume that could not be finished
  }
}

async function runFirst(programs: typeof volumePrograms, args: readonly string[]): Promise<void> {
  for (const [file, ...before] of programs) {
    try {
      await requireTool(file, [...before, ...args]);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new Error(`None of these programs is installed: ${programs.map(([file]) => file).join(', ')}`);
}
