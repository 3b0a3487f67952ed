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
  writeFiles?: { path: string; content: string; permissions?: string; encoding?: string }[];
  /** Commands of the first boot, each an argument list or a line for the shell. */
  runcmd?: (string | string[])[];
}

/** The volume's files by name, as text. */
export function seedFiles(seed: Seed): Record<'meta-data' | 'user-data' | 'network-config', string> {
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
    ...(seed.writeFiles === undefined ? {} : { write_files: seed.writeFiles }),
    ...(seed.runcmd === undefined ? {} : { runcmd: seed.runcmd }),
  };
  // Without this, cloud-init guesses, and some images wait minutes for a network that it did not configure.
  const network = { version: 2, ethernets: { all: { match: { name: 'e*' }, dhcp4: true } } };
  // JSON is YAML too, and nothing in a value can break out of it. One list element a line, for readers without a parser.
  return {
    'meta-data': `${JSON.stringify({ 'instance-id': seed.instanceId, 'local-hostname': label }, null, 2)}\n`,
    'user-data': `#cloud-config\n${JSON.stringify(userData, null, 2)}\n`,
    'network-config': `${JSON.stringify(network, null, 2)}\n`,
  };
}

/**
 * Writes the seed volume. genisoimage takes 7 ms where xorriso takes 105 ms (measured on two cores), so it goes first.
 * @param path where the volume goes; it appears there only when it is complete
 * @throws Error when neither program is there, or with its last line
 */
export async function makeSeed(path: string, seed: Seed): Promise<void> {
  const source = `${path}.files`;
  const incomplete = `${path}.new`;
  await rm(source, { recursive: true, force: true });
  await mkdir(source, { mode: 0o700 });
  try {
    const files = seedFiles(seed);
    const paths: string[] = [];
    for (const [name, text] of Object.entries(files)) {
      paths.push(join(source, name));
      await writeFile(join(source, name), text, { mode: 0o600 });
    }
    const args = ['-quiet', '-output', incomplete, '-volid', 'cidata', '-joliet', '-rational-rock', ...paths];
    try {
      await requireTool('genisoimage', args);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await requireTool('xorriso', ['-as', 'genisoimage', ...args]);
    }
    await rename(incomplete, path);
  } finally {
    await rm(source, { recursive: true, force: true });
  }
}
