/** Which PostgreSQL is run: every source makes a working database, and npm's files are made usable where they are not. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, cp, lstat, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { commandAs, ensureSystemUser, type SystemUser } from '../../src/host/system-user.ts';
import { findPostgresBinaries, type PostgresBinaries } from '../../src/store/embedded/binaries.ts';
import { makeCluster } from '../../src/store/embedded/cluster.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/index.ts';
import { makeNpmBinariesUsable } from '../../src/store/embedded/npm-package.ts';
import { collectingLogger, query, scratch } from './embedded-scratch.ts';

const logger = collectingLogger();

test("npm's PostgreSQL makes, starts, adopts and stops a database, and btree_gist is there", async (t) => {
  const { dataDir } = await scratch(t);
  const expected = await findPostgresBinaries({ source: 'npm' });
  const database = await startEmbeddedPostgres({ dataDir, logger, binaries: 'npm' });
  assert.equal(database.majorVersion, expected.majorVersion);
  await query(database.connectionString, 'CREATE EXTENSION btree_gist');
  const version = await query(database.connectionString, 'SHOW server_version_num');
  assert.equal(Math.floor(Number(version[0]?.[0]) / 10_000), expected.majorVersion);
  assert.equal((await startEmbeddedPostgres({ dataDir, logger, binaries: 'npm' })).adopted, true);
  await database.stop();
  const again = await startEmbeddedPostgres({ dataDir, logger }); // whichever is there: it must be the one that made it
  assert.equal(again.majorVersion, expected.majorVersion);
  await again.stop();
});

test('Debian is preferred where it is there, and a version that is not there is refused with what to install', async () => {
  const best = await findPostgresBinaries({});
  const debian = await findPostgresBinaries({ source: 'debian' }).catch(() => undefined);
  assert.equal(best.source, debian === undefined ? 'npm' : 'debian');
  assert.ok(best.majorVersion >= 15);
  await assert.rejects(
    findPostgresBinaries({ majorVersion: 14 }),
    /made by PostgreSQL 14.*apt-get install postgresql-14/,
  );
});

/** A package as npm unpacks it, without its links, in a directory of its own. */
async function unpackedPackage(t: TestContext): Promise<{ directory: string; binaries: PostgresBinaries }> {
  const { directory } = await scratch(t);
  const found = await findPostgresBinaries({ source: 'npm' });
  const packageDir = join(directory, 'clone', 'package');
  await mkdir(packageDir, { recursive: true });
  await cp(join(found.binDir, '..'), join(packageDir, 'native'), {
    recursive: true,
    filter: async (source) => !(await lstat(source)).isSymbolicLink(),
  });
  return { directory, binaries: { ...found, binDir: join(packageDir, 'native', 'bin') } };
}

function runAs(user: SystemUser | undefined, binaries: PostgresBinaries): string {
  const { file, args } = commandAs(user, join(binaries.binDir, 'postgres'), ['--version']);
  return execFileSync(file, args, { encoding: 'utf8', cwd: '/' });
}

/** As the embedded database does it: a user of its own when we are root. */
async function databaseUser(): Promise<SystemUser | undefined> {
  return process.getuid?.() === 0 ? ensureSystemUser('berth-db') : undefined;
}

test('a package that can be reached is run where it lies, with its links made', async (t) => {
  const { directory, binaries } = await unpackedPackage(t);
  const user = await databaseUser();
  const usable = await makeNpmBinariesUsable(binaries, user, join(directory, 'postgres-bin'));
  assert.equal(usable.binDir, binaries.binDir);
  assert.match(runAs(user, usable), /PostgreSQL/);
  await assert.rejects(stat(join(directory, 'postgres-bin')), { code: 'ENOENT' });
});

test('a package out of reach is copied once, in spite of a killed half copy, and the copy makes a database', async (t) => {
  const { directory, binaries } = await unpackedPackage(t);
  await chmod(join(directory, 'clone'), 0o700);
  const user = await databaseUser();
  const copies = join(directory, 'postgres-bin');
  await mkdir(join(copies, 'draft-of-a-killed-start', 'native'), { recursive: true });
  await mkdir(join(copies, '1.0-an-older-version'), { recursive: true });
  const usable = await makeNpmBinariesUsable(binaries, user, copies);
  if (user === undefined) {
    assert.equal(usable.binDir, binaries.binDir); // our own directory is closed to others, not to us
    return;
  }
  assert.equal(usable.binDir, join(copies, binaries.version, 'native', 'bin'));
  assert.deepEqual(await readdir(copies), [binaries.version]);
  const dataDir = join(directory, 'postgres');
  await makeCluster({ binaries: usable, dataDir, user });
  assert.equal((await stat(join(dataDir, 'PG_VERSION'))).uid, user.uid);

  const mark = join(copies, binaries.version, 'mark');
  await writeFile(mark, '');
  assert.deepEqual(await makeNpmBinariesUsable(binaries, user, copies), usable);
  await stat(mark); // not copied again
});
