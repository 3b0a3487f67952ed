// A database that is made once and copied: making a cluster and applying every migration to it takes two seconds of processor, and
// more than a hundred test files want one that is as good as new. The copies lie in memory where there is room: a copy takes 0.15 s
// there instead of 1 s on a busy disk, and nothing waits for its syncs. Tests whose matter is the first start, the embedded database,
// the migrations or pulled plugs make their own, on the disk.

import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { openDatabase } from '../../src/store/database.ts';
import { findPostgresBinaries } from '../../src/store/embedded/binaries.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { migrate, schemaDirectory } from '../../src/store/migrate.ts';
import { sharedDirectory } from '../runner/shared.ts';

const run = promisify(execFile);
const silent = { info() {}, warn() {}, error() {} };

/** Made once in a process. */
let template: Promise<string> | undefined;

/**
 * Puts a database with Berth's schema at `dataDir`, as a Berth that has been stopped would leave it. Does nothing where there is
 * something already.
 * @returns removes it; what nobody removes goes with the test run
 */
export async function placeDatabase(dataDir: string): Promise<() => Promise<void>> {
  if (lstatSync(dataDir, { throwIfNoEntry: false })) return async () => {};
  template ??= ensureTemplate();
  const copy = join(sharedDirectory(), `data-${randomUUID()}`);
  // A log segment is 16 MiB of which much is zeros.
  await run('cp', ['--archive', '--sparse=always', await template, copy]);
  await symlink(copy, dataDir);
  return () => rm(copy, { recursive: true, force: true });
}

/** @returns the template's directory. Two processes that make it at the same moment both do, and the first one's is used. */
async function ensureTemplate(): Promise<string> {
  const path = join(sharedDirectory(), await templateName());
  if (existsSync(path)) return path;
  const draft = join(sharedDirectory(), `draft-${randomUUID()}`);
  await mkdir(draft, { mode: 0o711 });
  const postgres = await startEmbeddedPostgres({ dataDir: join(draft, 'postgres'), logger: silent });
  try {
    const database = openDatabase(postgres.connectionString, () => {});
    await migrate(database, schemaDirectory);
    await database.destroy();
  } finally {
    await postgres.stop();
  }
  await rename(join(draft, 'postgres'), path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(draft, { recursive: true, force: true });
  return path;
}

/** What a template is made of: PostgreSQL's version and every file of the schema. */
async function templateName(): Promise<string> {
  const hash = createHash('sha256');
  const { source, version } = await findPostgresBinaries({});
  hash.update(`${source} ${version}`);
  for (const name of readdirSync(schemaDirectory).sort()) {
    hash.update(`\n${name}\n`).update(readFileSync(join(schemaDirectory, name)));
  }
  return `postgres-${hash.digest('hex').slice(0, 16)}`;
}
