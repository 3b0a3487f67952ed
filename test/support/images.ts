// The images that tests boot, built once per machine and state of the builder's sources, and kept in the temporary
// directory. Test files run side by side, so the first one builds and the others wait for it.

import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processStartTicks } from '../../src/host/process.ts';

const builderDirectory = join(import.meta.dirname, '../../src/builder');
/** Fetching Debian's packages and building takes about a minute; a slow mirror and a busy machine take more. */
const waitMsMax = 15 * 60_000;
const waitEveryMs = 500;

/** Path of the micro image as the builder in this tree makes it. */
export const microImage = () =>
  builtOnce('micro', 'qcow2', async (path, scratchDir) => {
    const { buildImage } = await import('../../src/builder/image.ts');
    await buildImage('micro', path, { scratchDir });
  });

/** Path of what the builder in this tree makes under a name: of the first caller that asks for it, for all others. */
export async function builtOnce(
  name: string,
  extension: string,
  build: (path: string, scratchDirectory: string) => Promise<void>,
): Promise<string> {
  const directory = join(tmpdir(), 'berth-test-images');
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${name}-${await builderKey()}.${extension}`);
  const deadline = performance.now() + waitMsMax;
  while (!(await isThere(path))) {
    if (await takeLock(`${path}.lock`)) {
      try {
        // Another process may have finished between the look and the lock.
        if (!(await isThere(path))) await build(path, directory);
      } finally {
        await rm(`${path}.lock`, { force: true });
      }
    } else {
      if (performance.now() > deadline) throw new Error(`${path} was not built within ${waitMsMax} ms`);
      await sleep(waitEveryMs);
    }
  }
  return path;
}

/** Changes with whatever the image is made from. */
async function builderKey(): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(builderDirectory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) {
    hash.update(`${path.slice(builderDirectory.length)}\0`);
    hash.update(await readFile(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Takes a lock file with our identity in it; one whose owner has died is removed, for the next attempt. */
async function takeLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(`${process.pid} ${processStartTicks(process.pid)}`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const owner = await readFile(path, 'utf8').catch(() => '');
  const [pid = '', ticks] = owner.split(' ');
  // An empty file is one whose owner is about to write, or died in between: the bound of the wait sees to that.
  if (owner !== '' && processStartTicks(Number(pid)) !== ticks) await rm(path, { force: true });
  return false;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
