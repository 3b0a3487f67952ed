// What is typed for sizes, ports and files, read into what the API takes.

import { readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { NewPort, Port } from '../../sdk/generated/types.ts';
import { UsageError } from './exit.ts';

const unitsMib: Record<string, number> = {
  m: 1,
  mib: 1,
  mb: 1,
  g: 1024,
  gib: 1024,
  gb: 1024,
  t: 1024 ** 2,
  tib: 1024 ** 2,
};

/** Reads a size: `4GiB`, `4G`, `512MiB`. @returns MiB */
export function sizeMib(text: string): number {
  const [, figure = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([a-z]+)$/i.exec(text) ?? [];
  const mib = Number(figure) * (unitsMib[unit.toLowerCase()] ?? Number.NaN);
  if (Number.isInteger(mib) && mib > 0) return mib;
  throw new UsageError(`"${text}" is no size; write it as 4GiB or 512MiB.`);
}

/** Reads a size in whole GiB. */
export function sizeGib(text: string): number {
  const mib = sizeMib(text);
  if (mib % 1024 === 0) return mib / 1024;
  throw new UsageError(`"${text}" must be whole GiB, such as 20GiB.`);
}

/** Reads ports, one or several with commas: `80/tcp`, `53/udp`, `80`. */
export function ports(text: string, before: NewPort[] | undefined): NewPort[] {
  return [...(before ?? []), ...text.split(',').map(port)];
}

function port(text: string): NewPort {
  const [, number = '', protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp|https))?$/.exec(text) ?? [];
  if (number === '') throw new UsageError(`"${text}" is no port; write it as 80/tcp, 53/udp or 80.`);
  return { port: Number(number), protocol: protocol as NewPort['protocol'] };
}

/** Reads ports of a VM, which speak TCP or UDP. */
export const vmPorts = (texts: readonly string[]): Port[] =>
  texts.flatMap((text) => ports(text, undefined)).map(vmPort);

function vmPort({ port: number, protocol }: NewPort): Port {
  if (protocol !== 'https') return { port: number, protocol };
  throw new UsageError(`${number}/https is for containers; a VM has tcp and udp.`);
}

/** Reads a whole file of the caller's. @param what names the option in the error */
export async function readText(path: string, what: string): Promise<string> {
  const file = path.startsWith('~/') ? `${homedir()}${path.slice(1)}` : path;
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${what}: ${file} can't be read (${error.code}).`);
  });
}

/** Writes a file that is not there yet. @param what names the option in the error */
export async function writeNewFile(path: string, text: string, what: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'EEXIST' ? 'is there already' : `can't be written (${error.code})`;
    throw new UsageError(`${what}: ${path} ${why}.`);
  });
}

/**
 * What a `--ssh-key` means: a public key, the file of one, or the name or id of one that is registered.
 * @throws UsageError for a file that is no public key, so that a private one is never sent
 */
export async function sshKey(text: string): Promise<string> {
  const isKey = (line: string) => /^(ssh|ecdsa|sk)-\S+ \S+/.test(line);
  if (isKey(text)) return text;
  if (!/[/\\]|\.pub$/.test(text)) return text;
  const line = (await readText(text, '--ssh-key')).trim();
  if (isKey(line) && !line.includes('\n')) return line;
  throw new UsageError(`--ssh-key: ${text} is no public key; give the file that ends with .pub.`);
}

/** Reads a whole number that is at least 1. */
export function wholeNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`"${text}" is no whole number from 1 on.`);
}

/** Reads `NAME=VALUE`, given once or more. */
export function pairs(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`"${text}" is no NAME=VALUE.`);
  return { ...before, [name]: value };
}
