/**
 * System users that Berth's own daemons run under, because PostgreSQL refuses to be root and QEMU must not be. This file
 * makes such a user and says how to run a program as one; which program, with which further restrictions, is the
 * caller's matter.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A user as the kernel knows it. */
export interface SystemUser {
  uid: number;
  gid: number;
}

/** useradd and setpriv may lie in sbin, which is not on every PATH. */
const PATH_WITH_SBIN = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin`;
/** useradd's exit code for a name that another process has just taken. */
const USERADD_NAME_IN_USE = 9;
/**
 * useradd looks the name up before it locks the file, so that two at once write the name twice, with different ids (seen).
 * Hence one at a time, by a lock on the directory itself, which needs no file of ours there.
 */
const USERADD_LOCK = ['-w', '20', '/etc'];
/** Others' useradd holds the lock of /etc/passwd for milliseconds; a stale lock is an administrator's matter. */
const USERADD_ATTEMPTS = 20;
const USERADD_RETRY_MS = 250;
const COMMAND_TIMEOUT_MS = 30_000;
/** What useradd of Debian, Ubuntu and Fedora takes alike. */
const NAME_PATTERN = /^[a-z_][a-z0-9_-]{0,30}$/;

/** Looks a user up by name, through whatever name service the machine has. Undefined when there is none. */
async function findSystemUser(name: string): Promise<SystemUser | undefined> {
  try {
    const { stdout } = await run('getent', ['passwd', name], {
      timeout: COMMAND_TIMEOUT_MS,
      env: { PATH: PATH_WITH_SBIN },
    });
    const [, , uid, gid] = stdout.trim().split(':');
    if (uid === undefined || gid === undefined) throw new Error(`getent passwd ${name} answered: ${stdout.trim()}`);
    return { uid: Number(uid), gid: Number(gid) };
  } catch (error) {
    if ((error as { code?: unknown }).code === 2) return undefined; // getent's "no such name"
    throw error;
  }
}

/**
 * Gives the system user of that name, made if it is not there yet (no home, no login, a group of its own). May be called
 * any number of times, also at once. Throws an Error that says what to run by hand when the user cannot be made, and
 * refuses a user that is root by another name.
 */
export async function ensureSystemUser(name: string): Promise<SystemUser> {
  if (!NAME_PATTERN.test(name)) {
    throw new Error(`"${name}" is no name for a system user: a-z, 0-9, - and _ only, at most 31, a letter first.`);
  }
  const useraddArguments = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
  useraddArguments.push('--shell', '/usr/sbin/nologin', name);
  let failure: unknown;
  for (let attempt = 0; attempt < USERADD_ATTEMPTS; attempt++) {
    const user = await findSystemUser(name);
    if (user !== undefined) {
      if (user.uid === 0) throw new Error(`The system user ${name} has user id 0: it must not be root.`);
      return user;
    }
    try {
      await run('flock', [...USERADD_LOCK, 'useradd', ...useraddArguments], {
        timeout: COMMAND_TIMEOUT_MS,
        env: { PATH: PATH_WITH_SBIN },
      });
    } catch (error) {
      failure = error;
      if (process.getuid?.() !== 0) break;
      if ((error as { code?: unknown }).code !== USERADD_NAME_IN_USE) await sleep(USERADD_RETRY_MS);
    }
  }
  const reason = failure instanceof Error ? failure.message.trim() : String(failure);
  throw new Error(
    `The system user ${name} could not be made (${reason}). As root: useradd ${useraddArguments.join(' ')}`,
  );
}

/** The command line that runs a program as that user, with no group but its own; undefined: as ourselves. */
export function commandAs(
  user: SystemUser | undefined,
  file: string,
  args: readonly string[],
): { file: string; args: string[] } {
  if (user === undefined) return { file, args: [...args] };
  const identity = ['--reuid', String(user.uid), '--regid', String(user.gid), '--clear-groups'];
  return { file: 'setpriv', args: [...identity, '--no-new-privs', '--', file, ...args] };
}

/**
 * The first directory on the way to `path` (itself included when it is one) that the user may not pass, or undefined
 * when all may be passed. Everything on the way has to exist.
 */
export async function firstClosedDirectory(path: string, user: SystemUser): Promise<string | undefined> {
  const chain: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    chain.unshift(at);
    if (at === dirname(at)) break;
  }
  for (const directory of chain) {
    const found = await stat(directory);
    if (!found.isDirectory() || modeAllows(found, user, 0o1)) continue;
    // The mode says no; an access control list may still say yes, and only the kernel knows that.
    const { file, args } = commandAs(user, 'test', ['-x', directory]);
    const passable = await run(file, args, { timeout: COMMAND_TIMEOUT_MS }).then(
      () => true,
      () => false,
    );
    if (!passable) return directory;
  }
  return undefined;
}

/** Whether a file's mode gives the user `bits` (4 read, 2 write, 1 execute or pass). */
export function modeAllows(found: { mode: number; uid: number; gid: number }, user: SystemUser, bits: number): boolean {
  const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
  return ((found.mode >> shift) & bits) === bits;
}
