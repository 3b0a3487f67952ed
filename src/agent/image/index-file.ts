// What the cache knows of each URL it has fetched, kept in one JSON file that is always whole. It is only a memory: when
// it is lost, images are fetched again. URLs are kept as hashes, since their query may carry a customer's secret.

import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory, writeDurably } from '../../host/durable-file.ts';
import type { Validators } from './part-file.ts';

/** One URL's content, as it was when it was last asked for. Times are in milliseconds since 1970. */
export interface IndexEntry extends Validators {
  /** The URL without its query, for people who read the file. */
  url: string;
  sha256: string;
  format: 'qcow2' | 'raw';
  virtualSizeBytes: number;
  /** The length of the base file, to tell a damaged one. */
  fileBytes: number;
  /** When the server last said that this is what the URL holds. */
  checkedAt: number;
  usedAt: number;
}

/**
 * The key of a URL in the index and in the names of part files: one file may be looked at as a disk and as a CD, and what has to
 * hash to something is apart from what need not, so that what is found under its key did.
 */
export function urlKey(url: URL, kind: 'disk' | 'iso' = 'disk', fileSha256?: string): string {
  const what = [...(kind === 'disk' ? [] : [kind]), ...(fileSha256 === undefined ? [] : [fileSha256]), url.href];
  return createHash('sha256').update(what.join(' ')).digest('hex');
}

/** Puts a text into a file so that a reader, or the next start after a power cut, finds the old or the new one whole. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  try {
    await writeDurably(path, text);
  } catch (error) {
    await rm(`${path}.new`, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

function isEntry(value: unknown): value is IndexEntry {
  if (typeof value !== 'object' || value === null) return false;
  const entry = value as Partial<Record<keyof IndexEntry, unknown>>;
  const text = (field: unknown) => field === null || typeof field === 'string';
  return (
    typeof entry.url === 'string' &&
    typeof entry.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(entry.sha256) &&
    (entry.format === 'qcow2' || entry.format === 'raw') &&
    [entry.virtualSizeBytes, entry.fileBytes, entry.checkedAt, entry.usedAt].every(Number.isSafeInteger) &&
    text(entry.etag) &&
    text(entry.lastModified)
  );
}

/** Reads an index. One that is missing or not whole is empty; a single bad entry is left out. */
export async function readIndex(path: string): Promise<Map<string, IndexEntry>> {
  try {
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof found !== 'object' || found === null) return new Map();
    return new Map(Object.entries(found).filter((pair): pair is [string, IndexEntry] => isEntry(pair[1])));
  } catch {
    return new Map();
  }
}

/** Writes an index, whole or not at all. */
export function writeIndex(path: string, entries: ReadonlyMap<string, IndexEntry>): Promise<void> {
  return writeFileAtomically(path, `${JSON.stringify(Object.fromEntries(entries), null, 1)}\n`);
}
