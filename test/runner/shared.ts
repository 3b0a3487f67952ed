/**
 * What the test files of one run have in common, so that not each of them makes it anew: compiled code, and a directory for
 * databases to copy and their copies. A run inside a test of the runner itself takes what the outer one has.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Environment variable with that directory. */
const SHARED_VARIABLE = 'BERTH_TEST_SHARED';
const PREFIX = 'berth-shared-';
const MEMORY = '/dev/shm';
/** A copy takes 50 MB and grows with what its test writes; no run has ten at a time. */
const MEMORY_BYTES_MIN = 2 * 1024 ** 3;

/**
 * Sets the environment that the processes of test files inherit. Compiled code is kept where `./berth` keeps it, from run to run;
 * Node looks at a file's content, never at its age. With it a file that loads all of Berth takes 0.8 s of processor less.
 * @param root the tree whose tests are run
 */
export function shareAmongFiles(root: string): void {
  process.env.NODE_COMPILE_CACHE ??= join(root, '.node', 'compile-cache');
  sharedDirectory();
}

/** The run's directory, or one of this process's own, for a file that is run without the runner. Who made it removes it at its end. */
export function sharedDirectory(): string {
  const given = process.env[SHARED_VARIABLE];
  if (given !== undefined) return given;
  const where = hasRoom(MEMORY) ? MEMORY : tmpdir();
  removeOrphans(where);
  const directory = mkdtempSync(join(where, `${PREFIX}${process.pid}-`));
  chmodSync(directory, 0o711); // the database's user passes through
  process.env[SHARED_VARIABLE] = directory;
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Those of processes that were killed would take memory until the machine is started anew. */
function removeOrphans(where: string): void {
  for (const name of readdirSync(where)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isThere(Number(pid))) continue;
    rmSync(join(where, name), { recursive: true, force: true });
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function hasRoom(directory: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize > MEMORY_BYTES_MIN;
  } catch {
    return false;
  }
}
