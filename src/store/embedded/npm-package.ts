/**
 * Makes the npm package's PostgreSQL usable. npm packages cannot hold symbolic links, so the package lists its own in a
 * file; npm does not run its install script, so the links are made here. And where the database's user cannot reach the
 * package (a clone under /root), or we may not write to it, the files are copied beside the data directory.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { promisify } from 'node:util';
import { firstClosedDirectory, modeAllows, type SystemUser } from '../../host/system-user.ts';
import type { PostgresBinaries } from './binaries.ts';

const run = promisify(execFile);
/** Writing 60 MB out to a slow disk. */
const SYNC_TIMEOUT_MS = 120_000;
/** One file of each kind that PostgreSQL reads; all files of a package get the same mode from npm. */
const SAMPLE_FILES = ['bin/postgres', 'bin/initdb', 'lib/libpq.so.5.18', 'share/postgresql/postgres.bki'];

/**
 * The npm package's PostgreSQL in a place where `user` (undefined: ourselves) can run it: where it lies, or a copy in
 * `copiesDir/<version>`, made once. Older copies there are removed, so none may be running.
 */
export async function makeNpmBinariesUsable(
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
  copiesDir: string,
): Promise<PostgresBinaries> {
  const packageDir = join(binaries.binDir, '..', '..');
  if ((await linksAreMade(packageDir)) && (await isUsableBy(join(packageDir, 'native'), user))) return binaries;

  const copy = join(copiesDir, binaries.version);
  const copied = { ...binaries, binDir: join(copy, 'native', 'bin') };
  if (await exists(copy)) return copied;

  await rm(copiesDir, { recursive: true, force: true }); // half copies of a killed start, and older versions
  const draft = join(copiesDir, `draft-${randomUUID()}`);
  await mkdir(draft, { recursive: true });
  await cp(join(packageDir, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
  await makeLinks(draft);
  for (const directory of [copiesDir, draft]) await chmod(directory, 0o755);
  await openForAll(join(draft, 'native'));
  // One sync of the file system: the new name must not survive a power cut that the content does not.
  await run('sync', ['-f', draft], { timeout: SYNC_TIMEOUT_MS });
  await rename(draft, copy);
  return copied;
}

/** Makes the package's symbolic links where they lack. Says false when that is not permitted. */
async function linksAreMade(packageDir: string): Promise<boolean> {
  try {
    await makeLinks(packageDir);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return false;
    throw error;
  }
}

async function makeLinks(packageDir: string): Promise<void> {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    for (const path of [source, target]) {
      if (!normalize(path).startsWith('native/')) throw new Error(`${list} names ${path}, outside of the package.`);
    }
    const place = join(packageDir, target);
    if (await exists(place)) continue;
    await symlink(relative(dirname(target), source), place).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // another Berth of this tree was faster
    });
  }
}

async function isUsableBy(nativeDir: string, user: SystemUser | undefined): Promise<boolean> {
  if (user === undefined) return true;
  if ((await firstClosedDirectory(join(nativeDir, 'bin'), user)) !== undefined) return false;
  for (const name of SAMPLE_FILES) {
    const found = await stat(join(nativeDir, name)).catch(() => undefined);
    if (found === undefined) continue; // named otherwise in this version
    if (!modeAllows(found, user, name.startsWith('bin/') ? 0o5 : 0o4)) return false;
    if ((await firstClosedDirectory(dirname(join(nativeDir, name)), user)) !== undefined) return false;
  }
  return true;
}

/** Readable for everyone, as the files of a system package are; executable where the owner may execute. */
async function openForAll(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  if (!found.isDirectory()) {
    await chmod(path, found.mode & 0o100 ? 0o755 : 0o644);
    return;
  }
  await chmod(path, 0o755);
  for (const name of await readdir(path)) await openForAll(join(path, name));
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
