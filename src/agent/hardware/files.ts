// Reading what the kernel tells of the machine. Nothing here can fail: a file that is not there, or that this user may not
// read, or that is not what it should be, is something that is not known.

import { readdir, readFile } from 'node:fs/promises';

/** What no file of these should exceed; a machine of a thousand threads has a /proc/cpuinfo of 2 MB. */
const bytesMax = 16 * 1024 * 1024;

/** A file as text; '' where it can't be read. */
export async function readText(path: string): Promise<string> {
  return (await readBytes(path)).toString('latin1');
}

/** A file as bytes; none where it can't be read. */
export async function readBytes(path: string): Promise<Buffer> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  return bytes.subarray(0, bytesMax);
}

/** The names in a directory, sorted; none where it can't be read. */
export async function listNames(path: string): Promise<string[]> {
  return (await readdir(path).catch(() => [])).sort();
}

/** A name as it is told: without what can't be printed, and of bounded length; null when nothing is left. */
export function cleanName(text: string): string | null {
  const name = text
    .replace(/[^\x20-\x7e]/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, nameLengthMax)
    .trim();
  return name === '' ? null : name;
}

/** As the agents' API bounds it. */
const nameLengthMax = 100;
