// Caddy as a process of this host: found by its program and its folder, started so that it outlives the agent, and ended.
// The process table is the truth; no file is kept that could name somebody else.

import { chown, mkdir, open, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  endProcess,
  identifyProcess,
  type ProcessIdentity,
  processIds,
  processProgram,
  processWorkingDirectory,
} from '../../host/process.ts';
import type { SystemUser } from '../../host/system-user.ts';
import { asUser } from '../vm/command-line.ts';
import { startDetached } from '../vm/process.ts';
import type { CaddyAdmin } from './admin.ts';
import type { CaddyPlaces } from './config.ts';

const program = 'caddy';
const startTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;
const pollMs = 20;

/** Where one Caddy works; nobody else's does. */
export interface CaddyFolder {
  directory: string;
  places: CaddyPlaces;
}

/** The folder's parts, made if they are not there, and Caddy's own where it has to write. */
export async function openFolder(directory: string, user: SystemUser | null): Promise<CaddyFolder> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const root = await realpath(directory);
  const places = { storage: join(root, 'storage'), run: join(root, 'run') };
  for (const folder of Object.values(places)) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (user) await chown(folder, user.uid, user.gid);
  }
  return { directory: root, places };
}

/** Arguments of `env` that run Caddy; what it imports makes a folder in its home directory, whatever it is asked for. */
export const inFolder = ({ places }: CaddyFolder, args: readonly string[]) => [`HOME=${places.run}`, program, ...args];

/** The Caddy whose working directory this is, whoever started it; null when none's is. @param run without symbolic links */
export function findCaddy(run: string): ProcessIdentity | null {
  for (const pid of processIds()) {
    if (processProgram(pid) !== program || processWorkingDirectory(pid) !== run) continue;
    const found = identifyProcess(pid);
    if (found) return found;
  }
  return null;
}

/**
 * Starts Caddy on the folder's configuration and resolves when it answers.
 * @throws Error with what it said last
 */
export async function startCaddy(
  { directory, places }: CaddyFolder,
  user: SystemUser | null,
  admin: CaddyAdmin,
): Promise<ProcessIdentity> {
  // Caddy waits ten seconds for a lock that a killed one held; nobody else ever holds any here.
  await rm(join(places.storage, 'locks'), { recursive: true, force: true });
  const config = join(directory, 'caddy.json');
  if (user) await chown(config, user.uid, user.gid);
  const args = inFolder({ directory, places }, ['run', '--config', config]);
  // Only what it says before it has read where to write; cut short at each start.
  const output = await open(join(directory, 'caddy.out'), 'w+', 0o600);
  try {
    const line = user ? asUser(user, [], 'env', args) : { file: 'env', args };
    const { pid, child } = await startDetached(line, { cwd: places.run, log: output.fd, files: [] });
    const started = identifyProcess(pid) ?? { pid, startTicks: '' };
    const deadline = performance.now() + startTimeoutMs;
    while (!(await admin.answers())) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (!hasEnded && performance.now() < deadline) {
        await sleep(pollMs);
        continue;
      }
      child.kill('SIGKILL');
      const { buffer, bytesRead } = await output.read(Buffer.alloc(16 * 1024), 0, 16 * 1024, 0);
      const said = buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-1).join().slice(0, 500);
      throw new Error(`Caddy did not come up: ${said || 'it does not answer'}`);
    }
    return started;
  } finally {
    await output.close();
  }
}

/** Ends a Caddy, and waits until it is gone. */
export const endCaddy = (found: ProcessIdentity) => endProcess(found, stopTimeoutMs);
