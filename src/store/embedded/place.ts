/**
 * Where a database lies and as whom it runs: the cluster's directory, the socket's directory beside it, the system user.
 * Refuses, in words that say what to change, the places where PostgreSQL would fail with words that do not.
 */
import { chmod, chown, mkdir, readdir, readFile, realpath, rmdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ensureSystemUser, firstClosedDirectory, type SystemUser } from '../../host/system-user.ts';
import { DATABASE_NAME, handOver, SOCKET_PORT } from './cluster.ts';
import { removeMisleadingPidFiles } from './postmaster.ts';

/** The user that the database runs under when Berth runs as root: PostgreSQL refuses to be root. */
const SYSTEM_USER_NAME = 'berth-db';
/** The kernel's limit of a unix socket's path: 108 bytes with the terminating zero. */
const SOCKET_PATH_BYTES_MAX = 107;

export interface Place {
  dataDir: string;
  socketDir: string;
  connectionString: string;
  user: SystemUser | undefined;
}

/** Where all lies and who runs it; refuses places that the database's user cannot reach or whose socket has no name. */
export async function findPlace(requestedDataDir: string): Promise<Place> {
  const requested = resolve(requestedDataDir);
  await mkdir(dirname(requested), { recursive: true });
  const parent = await realpath(dirname(requested));
  const dataDir = join(parent, basename(requested));
  const socketDir = `${dataDir}-socket`;

  const excessBytes = Buffer.byteLength(join(socketDir, `.s.PGSQL.${SOCKET_PORT}`)) - SOCKET_PATH_BYTES_MAX;
  if (excessBytes > 0) {
    throw new Error(
      `The path of the database's socket in ${socketDir} is ${excessBytes} bytes too long for the kernel (at most ` +
        `${SOCKET_PATH_BYTES_MAX}): choose a --data directory with a shorter path.`,
    );
  }

  const user = process.getuid?.() === 0 ? await ensureSystemUser(SYSTEM_USER_NAME) : undefined;
  if (user !== undefined) {
    const closed = await firstClosedDirectory(parent, user);
    if (closed !== undefined) {
      throw new Error(
        `The database runs as the user ${SYSTEM_USER_NAME}, who may not pass the directory ${closed}: run ` +
          `"chmod o+x ${closed}", or choose another --data directory, such as /var/lib/berth.`,
      );
    }
  }
  const connectionString = `postgresql://${DATABASE_NAME}@${encodeURIComponent(socketDir)}:${SOCKET_PORT}/${DATABASE_NAME}`;
  return { dataDir, socketDir, connectionString, user };
}

/** The version that made the cluster; undefined when there is none yet. */
export async function readMajorVersion(dataDir: string): Promise<number | undefined> {
  const names = await readdir(dataDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (names === undefined) return undefined;
  if (names.length === 0) {
    await rmdir(dataDir); // made by hand beforehand; a cluster appears under its name complete
    return undefined;
  }
  if (!names.includes('PG_VERSION')) {
    throw new Error(`${dataDir} is no PostgreSQL data directory (it has no PG_VERSION): move it away, it is not used.`);
  }
  const text = (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  const majorVersion = Number(text);
  if (!Number.isInteger(majorVersion)) throw new Error(`${dataDir}/PG_VERSION says "${text}", which is no version.`);
  return majorVersion;
}

/** Ownership and modes as PostgreSQL insists on them, and no pid file of another program's process. */
export async function makeReady(place: Place): Promise<void> {
  const { dataDir, socketDir, user } = place;
  const found = await stat(dataDir);
  const ownUserId = user?.uid ?? process.getuid?.();
  if (found.uid !== ownUserId) {
    if (user === undefined) {
      throw new Error(
        `${dataDir} belongs to user id ${found.uid}, and we are ${ownUserId}: run Berth as its owner or root.`,
      );
    }
    await handOver(await realpath(dataDir), user);
  }
  if ((found.mode & 0o027) !== 0) await chmod(dataDir, 0o700);

  await mkdir(socketDir, { recursive: true });
  if (user !== undefined) await chown(socketDir, user.uid, user.gid);
  await chmod(socketDir, 0o700);
  await removeMisleadingPidFiles(dataDir, socketDir);
}
