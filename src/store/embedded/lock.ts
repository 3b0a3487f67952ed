/**
 * Keeps two Berths off one data directory: the first holds the lock for as long as its process lives, however that ends.
 * Node has no flock, so a lock is a file that names its holder by process id and start time.
 *
 * Lock files are numbered, and the highest number counts. A dead holder is not removed but outnumbered, by link(), which
 * lets exactly one win each number. Removing a stale lock by name instead would have a gap in which a second taker, who
 * looked a moment earlier, removes the lock that the first has just taken.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bootId, processStartTicks } from '../../host/process.ts';

/** Every lost race means that somebody else won it, so a few suffice. */
const ATTEMPTS = 50;

interface Holder {
  pid: number;
  startTicks: string;
  bootId: string;
}

/** The data directory is in use by a living process. */
export class DataDirInUseError extends Error {
  readonly pid: number;
  constructor(directory: string, pid: number) {
    const who = pid === process.pid ? `this very process (${pid})` : `another Berth (process ${pid})`;
    super(
      `The data directory ${directory} is in use by ${who}: stop that one first, or give another --data directory.`,
    );
    this.name = 'DataDirInUseError';
    this.pid = pid;
  }
}

/**
 * Takes the exclusive lock of a data directory (made if missing) for the life of this process or until release().
 * Throws DataDirInUseError, whose message names the holder's process id, when a living process has it.
 */
export async function acquireDataDirLock(directory: string): Promise<{ release(): Promise<void> }> {
  const lockDirectory = join(directory, 'lock');
  await mkdir(lockDirectory, { recursive: true });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const numbers = await listNumbers(lockDirectory);
    const newest = numbers.at(-1) ?? 0;
    const holder = newest === 0 ? undefined : await readHolder(join(lockDirectory, String(newest)));
    if (holder !== undefined && isAlive(holder)) throw new DataDirInUseError(directory, holder.pid);
    const taken = await take(lockDirectory, newest + 1);
    if (taken !== undefined) return taken;
  }
  throw new Error(`The lock of ${directory} could not be taken: too many processes try at once.`);
}

async function take(lockDirectory: string, number: number): Promise<{ release(): Promise<void> } | undefined> {
  const path = join(lockDirectory, String(number));
  const draft = join(lockDirectory, `draft-${process.pid}-${randomUUID()}`);
  const self: Holder = { pid: process.pid, startTicks: processStartTicks(process.pid) ?? '', bootId: bootId() };
  try {
    await writeFile(draft, JSON.stringify(self), { flag: 'wx' });
    await link(draft, path); // complete at the moment it appears; fails when another has taken the number
  } catch (error) {
    if (isErrno(error, 'EEXIST') || isErrno(error, 'ENOENT')) return undefined; // lost, or the winner tidied our draft
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  // A taker that slept while others took and tidied may have won a number that no longer counts.
  const numbers = await listNumbers(lockDirectory);
  if (numbers.at(-1) !== number) {
    await rm(path, { force: true });
    return undefined;
  }
  for (const name of await readdir(lockDirectory)) {
    if (name.startsWith('draft-') || Number(name) < number) await rm(join(lockDirectory, name), { force: true });
  }
  let released = false;
  return {
    async release() {
      if (released) return;
      released = true;
      // Not removed: the highest number must never fall, or a late taker could win a number for the second time.
      const empty = join(lockDirectory, `draft-${process.pid}-${randomUUID()}`);
      await writeFile(empty, '');
      await rename(empty, path);
    },
  };
}

async function listNumbers(lockDirectory: string): Promise<number[]> {
  const names = await readdir(lockDirectory);
  return names
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Undefined for a released lock, and for one that a crash of the machine left without its content. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await readFile(path, 'utf8')) as Holder;
    return Number.isInteger(holder.pid) ? holder : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.bootId !== bootId()) return false;
  const startTicks = processStartTicks(holder.pid);
  if (startTicks !== undefined) return startTicks === holder.startTicks;
  try {
    // Where /proc hides others' processes, a process that may not be signalled still exists: rather refuse than share.
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return isErrno(error, 'EPERM');
  }
}

function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
